/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/rollout_change.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_RETRY_NEW,
	OPT_RETRY_FORCE,
};

static const struct option_def retry_options[] = {
	[OPT_RETRY_NEW] = { "new", NULL, "make another generation for each, so that it fetches again for certain" },
	[OPT_RETRY_FORCE] = { "force", NULL,
	    "the lock-out guard does not hold these phones back, which have to be named" },
	OPTION_END,
};

/* One that is over has let go of its phones. */
static int
check_free(struct rollout_change *c, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct db_member *m = &c->members[i];
		struct err none = ERR_INIT;
		struct db_rollout other;

		if (db_member_of(c->db, m->phone, &other, &none) == 0) {
			if (other.id != c->rollout.id && other.state <= DB_ROLLOUT_PAUSED)
				return err_set(e, ERR_CONFLICT, "phone %s: it is in the rollout %s, which is not over",
				    m->mac, other.name);
		} else if (none.code != ERR_NOT_FOUND) {
			return err_set(e, none.code, "%s", none.text);
		}
	}
	return 0;
}

static int
retry(struct rollout_change *c, struct err *e)
{
	const struct db_member_change like = { .state = DB_MEMBER_WAITING,
		.forget_target = c->in->option[OPT_RETRY_NEW] != NULL,
		.forced = c->in->option[OPT_RETRY_FORCE] != NULL,
		.detail = "another try",
		.note = "another try, whatever the lock-out guard says" };
	char what[80];

	if (like.forced && c->in->argc == 1)
		return err_set(e, ERR_USAGE, "rollout retry: expected MACs beside --force, found none");
	if (c->rollout.state == DB_ROLLOUT_DRAFT || c->rollout.state > DB_ROLLOUT_DONE)
		return rollout_expected(c, "running, paused or done", e);
	if ((c->in->argc > 1 ? rollout_members_named(c, e) : rollout_members_in(c, DB_MEMBER_FAILED, e)) != 0)
		return -1;
	for (size_t i = 0; i < c->count; i++) {
		if (c->members[i].state != DB_MEMBER_FAILED)
			return err_set(e, ERR_CONFLICT, "phone %s: expected one that failed, found one that is %s",
			    c->members[i].mac, db_member_state_name(c->members[i].state));
	}
	if (c->count == 0)
		return err_set(e, ERR_NOT_FOUND, "rollout %s: no phone has failed", c->rollout.name);
	if (c->rollout.state == DB_ROLLOUT_DONE && check_free(c, e) != 0)
		return -1;
	/* With them: a rollout that is not running would leave them waiting. */
	c->rollout.state = DB_ROLLOUT_RUNNING;
	c->rollout.why[0] = '\0';
	if (rollout_members_change(c, &like, e) != 0)
		return -1;
	(void)snprintf(what, sizeof(what), "%zu phones", c->count);
	if (rollout_state_store(c, DB_ROLLOUT_RUNNING, "rollout.retry", what, e) != 0)
		return -1;
	(void)snprintf(what, sizeof(what), "another try for %zu of", c->count);
	return rollout_change_report(c, what, e);
}

static int
retry_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, retry, e);
}

static int
drop(struct rollout_change *c, struct err *e)
{
	static const struct db_member_change like = { .state = DB_MEMBER_DROPPED, .detail = "taken out" };
	char what[80];

	if (c->rollout.state > DB_ROLLOUT_PAUSED)
		return rollout_expected(c, "not over", e);
	if (rollout_members_named(c, e) != 0 || rollout_members_change(c, &like, e) != 0)
		return -1;
	(void)snprintf(what, sizeof(what), "took %zu out of", c->count);
	return rollout_change_report(c, what, e);
}

static int
drop_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, drop, e);
}

enum {
	OPT_ADD_WAVE,
};

static const struct option_def add_options[] = {
	[OPT_ADD_WAVE] = { "wave", "N", "into this wave (the last)" },
	OPTION_END,
};

static int
add(struct rollout_change *c, struct err *e)
{
	unsigned long wave = (unsigned long)c->tally.waves;
	char mac[DB_MAC_SIZE], what[80];
	struct db_phone p;

	if (c->rollout.state > DB_ROLLOUT_PAUSED)
		return rollout_expected(c, "not over", e);
	if (command_number(c->in->option[OPT_ADD_WAVE], 1, (unsigned long)c->tally.waves, "wave", &wave, e) != 0)
		return -1;
	for (int i = 1; i < c->in->argc; i++) {
		struct db_member m = { .wave = (int)wave };

		if (phone_argument(c->in->argv[i], mac, e) != 0 || db_phone_get(c->db, mac, &p, e) != 0)
			return -1;
		if (p.newest == 0)
			return err_set(e, ERR_CONFLICT,
			    "phone %s: nothing was minted for it; 'phonevpn mint' makes its first certificate", mac);
		m.phone = p.id;
		memcpy(m.mac, p.mac, sizeof(m.mac));
		if (rollout_member_add(&m, c, e) != 0)
			return -1;
	}
	if (db_member_add(c->db, &c->rollout, c->members, c->count, e) != 0)
		return -1;
	(void)snprintf(what, sizeof(what), "added %zu to wave %lu of", c->count, wave);
	return rollout_change_report(c, what, e);
}

static int
add_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, add, e);
}

const struct command command_rollout_retry = {
	.name = "rollout retry",
	.arguments = "NAME [MAC...]",
	.summary = "Give phones that failed another try, and go on",
	.details = "All that failed, or those that are named. Each gets another deadline.",
	.options = retry_options,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = retry_run,
};

const struct command command_rollout_drop = {
	.name = "rollout drop",
	.arguments = "NAME MAC...",
	.summary = "Take phones out of a rollout",
	.details = "They count no more. What they were offered stays so.",
	.min_arguments = 2,
	.max_arguments = -1,
	.run = drop_run,
};

const struct command command_rollout_add = {
	.name = "rollout add",
	.arguments = "NAME MAC...",
	.summary = "Put further phones into a rollout",
	.options = add_options,
	.min_arguments = 2,
	.max_arguments = -1,
	.run = add_run,
};
