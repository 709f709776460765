/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/enroll.h"
#include "cli/phone_fields.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/log.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_NETWORK,
	OPT_MINUTES,
};

#define MINUTES_DEFAULT 60
#define MINUTES_MAX (24 * 60)

static const struct option_def options[] = {
	[OPT_NETWORK] = { "network", "CIDR[,CIDR...]", "the phones' IPv4 networks, as 192.0.2.0/24 (required)" },
	[OPT_MINUTES] = { "minutes", "N", "how long, at most 1440 (60)" },
	OPTION_END,
};

static int
options_parse(const struct invocation *in, struct db_enroll_window *w, struct err *e)
{
	unsigned long minutes = MINUTES_DEFAULT;

	if (in->option[OPT_NETWORK] == NULL)
		return err_set(e, ERR_USAGE, "enroll open: expected --network CIDR, found none");
	if (command_number(in->option[OPT_MINUTES], 1, MINUTES_MAX, "minutes", &minutes, e) != 0 ||
	    enroll_networks_parse(in->option[OPT_NETWORK], w, e) != 0)
		return -1;
	w->opened = time(NULL);
	w->until = w->opened + (time_t)minutes * 60;
	return 0;
}

/* The phones that are named, in memory that the caller frees. */
static int
phones_find(const struct invocation *in, struct db *db, int64_t **ret, struct err *e)
{
	int64_t *ids = calloc((size_t)in->argc + 1, sizeof(*ids));

	*ret = ids;
	if (ids == NULL)
		return err_set(e, ERR_FAILED, "phones: no memory");
	for (int i = 0; i < in->argc; i++) {
		char mac[DB_MAC_SIZE];
		struct db_phone p;

		if (phone_argument(in->argv[i], mac, e) != 0 || db_phone_get(db, mac, &p, e) != 0)
			return -1;
		ids[i] = p.id;
	}
	return 0;
}

static int
report(const struct invocation *in, const struct db_enroll_window *w, size_t may, struct err *e)
{
	char until[TEXT_TIME_SIZE];

	text_time(w->until, until);
	if (in->json)
		return command_print_json(json_pack("{s:s,s:s,s:I}", "until", until, "networks", w->networks,
					      "may_enroll", (json_int_t)may),
		    e);
	if (!in->quiet)
		(void)printf("open until %s: %zu phone%s may fetch once from %s without a login\n", until, may,
		    may == 1 ? "" : "s", w->networks);
	return 0;
}

static int
open_run(const struct invocation *in, struct err *e)
{
	struct db_enroll_window w = { .opened = 0 };
	int64_t *phones = NULL;
	struct settings s;
	size_t may = 0;
	struct db *db;
	int rc = -1;

	if (options_parse(in, &w, e) != 0)
		return -1;
	db = state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || phones_find(in, db, &phones, e) != 0 ||
	    db_enroll_open(db, &w, phones, (size_t)in->argc, e) != 0 || db_enroll_count(db, &may, e) != 0)
		goto out;
	if (!in->quiet && strncmp(s.value[SET_URL], "https:", strlen("https:")) != 0)
		log_warn("the url is plain HTTP: who can listen on the way of an enrolling phone reads its password");
	rc = report(in, &w, may, e);
out:
	free(phones);
	db_close(db);
	return rc;
}

const struct command command_enroll_open = {
	.name = "enroll open",
	.arguments = "[MAC...]",
	.summary = "Let phones that were never provisioned fetch once without a login",
	.details =
	    "For a phone from the factory, which finds the server by DHCP and has no login yet: until the window ends, its "
	    "first fetch from these networks is answered, and gives it a login of its own in config_server_url, which "
	    "it keeps; from then on nothing but that login is taken. A phone may enroll that is offered a generation, "
	    "and has neither enrolled nor logged in since it was added or reset. Phones that were in the fleet before "
	    "phonevpn knew of enrolment count as provisioned; 'phonevpn phone reset' opens them. With MACs, only these may. "
	    "Whoever is in the networks and knows a phone's MAC can be faster than the phone: 'phonevpn enroll status' "
	    "shows who enrolled from where, and whether the phone has logged in since. A window replaces the one before, "
	    "and running servers heed it at the next request. With 'serve --auth none' there is no login to be had, and "
	    "nothing of this counts.",
	.options = options,
	.max_arguments = -1,
	.run = open_run,
};
