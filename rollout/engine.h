/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_ENGINE_H
#define ROLLOUT_ENGINE_H

#include "rollout/member.h"
#include "rollout/plan.h"

#include <stdbool.h>

/*
 * Moves rollouts on, a small step a call. Each step is committed before the next, and asks the database where things stand:
 * it may be killed between any two, and go on from another process.
 */

#define ENGINE_BATCH 64		/* phones a step */
#define ENGINE_DETAIL_SIZE 1024

/* A phone whose turn it is. */
struct engine_item {
	struct db_member member;
	enum member_why why;			/* out: MEMBER_FINE, or why it gets nothing */
	char detail[ENGINE_DETAIL_SIZE];	/* out: of that, for the event */
};

struct engine {
	struct db *db;		/* open for changes */
	/* Make generations for those items that have no target, and store each as its target. */
	int (*make)(void *arg, const struct db_rollout *r, const struct plan *p, struct engine_item *items, size_t count,
	    struct err *e);
	/* Look at each that is to be offered once more: that it reads back right, and does not lock its phone out. */
	int (*look)(void *arg, const struct db_rollout *r, const struct plan *p, struct engine_item *items, size_t count,
	    struct err *e);
	/* Something has happened that the admin wants to know; or has to, when it is bad. */
	void (*tell)(void *arg, const struct db_rollout *r, bool is_bad, const char *text);
	void *arg;
};

struct engine_progress {
	bool has_more;		/* there is more to do right away */
	time_t until;		/* else at this time, if nothing happens before; 0: not known */
	size_t offered, settled, failed;	/* phones, by this step */
};

/*
 * One step of a rollout that is running, or paused: then its phones are looked at and nothing is offered. r is updated
 * with what is stored.
 */
int engine_step(const struct engine *g, struct db_rollout *r, time_t now, struct engine_progress *ret, struct err *e);

#endif
