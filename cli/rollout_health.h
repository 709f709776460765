/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_HEALTH_H
#define CLI_ROLLOUT_HEALTH_H

#include "common/buf.h"
#include "db/rollout.h"

#include <jansson.h>

/* Whether a rollout that was started, and is not over, gets on: what "health" and the metrics tell of it. */
enum rollout_stand {
	ROLLOUT_MOVES,
	ROLLOUT_PAUSED,
	ROLLOUT_UNMOVED,	/* there is something to do for the engine, and it does not do it */
	ROLLOUT_STILL,		/* nothing has happened for longer than a phone has time */
};

struct rollout_condition {
	enum rollout_stand stand;
	time_t since;			/* the last that has happened */
	char why[DB_ROLLOUT_WHY_SIZE];	/* it is paused, or what it waits for; "" where there is nothing to say */
};

/* What the engine has to do is done in less, from a timer too. */
#define ROLLOUT_GRACE (10 * 60)

/* "moves", "paused", "unmoved", "still". */
const char *rollout_stand_name(enum rollout_stand stand);

/* What is wrong, as a sentence; "" when nothing is. Returns ret. */
#define ROLLOUT_CONDITION_SIZE (DB_ROLLOUT_WHY_SIZE + 256)
const char *rollout_condition_text(const struct db_rollout *r, const struct rollout_condition *c,
    char ret[ROLLOUT_CONDITION_SIZE]);

/* A new reference, or NULL. */
json_t *rollout_condition_json(const struct db_rollout *r, const struct rollout_condition *c);

/* Of all rollouts that run or are paused, in the order of their creation. */
int rollout_condition_each(struct db *db, time_t now,
    int (*each)(const struct db_rollout *r, const struct rollout_condition *c, void *arg, struct err *e), void *arg,
    struct err *e);

/* The families of all rollouts, for the admin listener. */
int rollout_metrics_render(struct db *db, struct buf *out, struct err *e);

#endif
