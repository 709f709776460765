/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_CHANGE_H
#define CLI_ROLLOUT_CHANGE_H

#include "common/command.h"
#include "rollout/plan.h"

/* One command on one rollout that there is: its first argument. */
struct rollout_change {
	const struct invocation *in;
	struct db *db;			/* open for changes */
	struct db_rollout rollout;
	struct db_rollout_tally tally;
	struct plan plan;
	struct db_member *members;	/* phones that it is about */
	size_t count, size;
};

int rollout_change_run(const struct invocation *in, int (*action)(struct rollout_change *c, struct err *e),
    struct err *e);

/* ERR_CONFLICT: the rollout is not what the command takes. */
int rollout_expected(const struct rollout_change *c, const char *expected, struct err *e);

/* Store its new state, with an event. */
int rollout_state_store(struct rollout_change *c, enum db_rollout_state state, const char *action, const char *detail,
    struct err *e);

/* Tell what was done, "started" or so, and with --json how things stand. */
int rollout_change_report(const struct rollout_change *c, const char *what, struct err *e);

/* Append to members: one, those that the command names behind the rollout, or all of one state. */
int rollout_member_add(const struct db_member *m, void *c, struct err *e);
int rollout_members_named(struct rollout_change *c, struct err *e);
int rollout_members_in(struct rollout_change *c, enum db_member_state state, struct err *e);

/* Change all members alike. */
int rollout_members_change(struct rollout_change *c, const struct db_member_change *like, struct err *e);

#endif
