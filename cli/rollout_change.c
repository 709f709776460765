/* SPDX-License-Identifier: ISC */
#include "cli/rollout_change.h"

#include "cli/phone_fields.h"
#include "cli/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int
rollout_change_run(const struct invocation *in, int (*action)(struct rollout_change *c, struct err *e), struct err *e)
{
	struct rollout_change c = { .in = in };
	int rc = -1;

	c.db = state_open_writer(in, e);
	if (c.db != NULL && db_rollout_get(c.db, in->argv[0], &c.rollout, e) == 0 &&
	    db_rollout_tally(c.db, c.rollout.id, &c.tally, e) == 0 && plan_read(c.rollout.plan, &c.plan, e) == 0)
		rc = action(&c, e);
	free(c.members);
	db_close(c.db);
	return rc;
}

int
rollout_expected(const struct rollout_change *c, const char *expected, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "rollout %s: expected one that is %s, found one that is %s", c->rollout.name,
	    expected, db_rollout_state_name(c->rollout.state));
}

/* Store the rollout's new state, with an event. */
int
rollout_state_store(struct rollout_change *c, enum db_rollout_state state, const char *action, const char *detail,
    struct err *e)
{
	c->rollout.state = state;
	if (state != DB_ROLLOUT_PAUSED)
		c->rollout.why[0] = '\0';
	return db_rollout_set(c->db, &c->rollout, action, detail, e);
}

int
rollout_change_report(const struct rollout_change *c, const char *what, struct err *e)
{
	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:s,s:I}", "name", c->rollout.name, "state",
					      db_rollout_state_name(c->rollout.state), "phones", (json_int_t)c->count),
		    e);
	if (!c->in->quiet)
		(void)printf("%s %s\n", what, c->rollout.name);
	return 0;
}

/* ---- phones ---- */

int
rollout_member_add(const struct db_member *m, void *arg, struct err *e)
{
	struct rollout_change *c = arg;

	if (c->count == c->size) {
		size_t size = c->size == 0 ? 256 : c->size * 2;
		struct db_member *more = reallocarray(c->members, size, sizeof(*more));

		if (more == NULL)
			return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", size);
		c->members = more;
		c->size = size;
	}
	c->members[c->count++] = *m;
	return 0;
}

/* Those that the command names, which have to be in the rollout. */
int
rollout_members_named(struct rollout_change *c, struct err *e)
{
	char mac[DB_MAC_SIZE];
	struct db_member m;
	struct db_phone p;

	for (int i = 1; i < c->in->argc; i++) {
		if (phone_argument(c->in->argv[i], mac, e) != 0 || db_phone_get(c->db, mac, &p, e) != 0)
			return -1;
		if (db_member_get(c->db, c->rollout.id, p.id, &m, e) != 0)
			return err_set(e, ERR_NOT_FOUND, "phone %s: not in the rollout %s", mac, c->rollout.name);
		if (rollout_member_add(&m, c, e) != 0)
			return -1;
	}
	return 0;
}

int
rollout_members_in(struct rollout_change *c, enum db_member_state state, struct err *e)
{
	const struct db_member_filter filter = { .rollout = c->rollout.id, .state = state };

	return db_member_each(c->db, &filter, rollout_member_add, c, e);
}

int
rollout_members_change(struct rollout_change *c, const struct db_member_change *like, struct err *e)
{
	struct db_member_change *changes = calloc(c->count + 1, sizeof(*changes));
	int rc;

	if (changes == NULL)
		return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", c->count);
	for (size_t i = 0; i < c->count; i++) {
		changes[i] = *like;
		changes[i].phone = c->members[i].phone;
	}
	rc = db_member_change(c->db, &c->rollout, changes, c->count, time(NULL), e);
	free(changes);
	return rc;
}
