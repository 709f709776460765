/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/event_report.h"
#include "cli/phone_fields.h"
#include "cli/state.h"
#include "common/text.h"

#include <stdio.h>

enum {
	OPT_LIMIT,
	OPT_VERIFY,
};

static const struct option_def options[] = {
	[OPT_LIMIT] = { "limit", "N", "only the newest N, 0 for all (50)" },
	[OPT_VERIFY] = { "verify", NULL, "check the chain of hashes over the whole log instead" },
	OPTION_END,
};

#define LIMIT_DEFAULT 50

static int
verify(const struct invocation *in, struct db *db, struct err *e)
{
	size_t count = 0;

	if (db_event_verify(db, &count, e) != 0)
		return -1;
	if (in->json)
		return command_print_json(json_pack("{s:I}", "verified", (json_int_t)count), e);
	(void)printf("%zu events, the chain is whole\n", count);
	return 0;
}

static int
list(const struct invocation *in, struct db *db, const char *subject, size_t limit, struct err *e)
{
	json_t *all;

	if (!in->json)
		return db_event_each(db, subject, limit, event_line, NULL, e);
	all = json_array();
	if (db_event_each(db, subject, limit, event_json, all, e) != 0) {
		json_decref(all);
		return -1;
	}
	return command_print_json(all, e);
}

static int
events_run(const struct invocation *in, struct err *e)
{
	unsigned long limit = LIMIT_DEFAULT;
	char mac[DB_MAC_SIZE];
	struct db *db;
	int rc;

	if (in->argc > 0 && phone_argument(in->argv[0], mac, e) != 0)
		return -1;
	if (command_number(in->option[OPT_LIMIT], 0, 1000000000, "limit", &limit, e) != 0)
		return -1;
	db = state_open(in, e);
	if (db == NULL)
		return -1;
	rc = in->option[OPT_VERIFY] != NULL ? verify(in, db, e)
	                                    : list(in, db, in->argc > 0 ? mac : NULL, (size_t)limit, e);
	db_close(db);
	return rc;
}

const struct command command_events = {
	.name = "events",
	.arguments = "[MAC]",
	.summary = "Print the log of what was done, by whom and when",
	.options = options,
	.max_arguments = 1,
	.run = events_run,
};
