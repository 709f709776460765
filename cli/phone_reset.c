/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/state.h"
#include "db/enroll.h"

#include <stdio.h>
#include <stdlib.h>

/* One of them: found, and its next password made. */
struct plan {
	char mac[DB_MAC_SIZE];
	struct buf password;
};

static int
plan_one(struct db *db, const char *argument, struct plan *plan, struct db_reset *reset, struct err *e)
{
	struct db_phone p;

	plan->password = (struct buf)BUF_INIT(FIELD_PASSWORD_MAX);
	if (phone_argument(argument, plan->mac, e) != 0 || db_phone_get(db, plan->mac, &p, e) != 0 ||
	    phone_password_new(&plan->password, e) != 0)
		return -1;
	*reset = (struct db_reset){ .phone = p.id, .http_password = buf_string(&plan->password) };
	return 0;
}

static int
report(const struct invocation *in, const struct plan *plans, size_t count, struct err *e)
{
	json_t *list;

	if (!in->json) {
		for (size_t i = 0; i < count && !in->quiet; i++)
			(void)printf(
			    "%s: may enroll again while 'phonevpn enroll open' lets it; its former password is void\n",
			    plans[i].mac);
		return 0;
	}
	list = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(plans[i].mac));
	return command_print_json(json_pack("{s:o}", "reset", list), e);
}

static int
reset_run(const struct invocation *in, struct err *e)
{
	size_t count = (size_t)in->argc;
	struct plan *plans = calloc(count, sizeof(*plans));
	struct db_reset *resets = calloc(count, sizeof(*resets));
	struct db *db = NULL;
	int rc = -1;

	if (plans == NULL || resets == NULL) {
		(void)err_set(e, ERR_FAILED, "phone reset: no memory");
		goto out;
	}
	db = state_open_writer(in, e);
	if (db == NULL)
		goto out;
	for (size_t i = 0; i < count; i++) {
		if (plan_one(db, in->argv[i], &plans[i], &resets[i], e) != 0)
			goto out;
	}
	if (db_phone_reset(db, resets, count, e) == 0)
		rc = report(in, plans, count, e);
out:
	for (size_t i = 0; plans != NULL && i < count; i++)
		buf_release(&plans[i].password);
	db_close(db);
	free(resets);
	free(plans);
	return rc;
}

const struct command command_phone_reset = {
	.name = "phone reset",
	.arguments = "MAC...",
	.summary = "Let phones enroll again that lost their login; the former one is void",
	.details =
	    "For a phone that was set back to factory state or replaced, or whose enrolment somebody else took. It counts as "
	    "never provisioned again, and gets another random password for its HTTP login, so that whoever has the former "
	    "one gets nothing. Its certificates stay as they are. For a phone that was stolen it is the wrong command: it could "
	    "enroll again, so 'phonevpn revoke' or 'phonevpn phone remove' it. All of the phones are reset, or none.",
	.min_arguments = 1,
	.max_arguments = -1,
	.run = reset_run,
};
