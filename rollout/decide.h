/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_DECIDE_H
#define ROLLOUT_DECIDE_H

#include "rollout/plan.h"

/*
 * What a running rollout does next, from its plan, from where it stands and from how many of its phones are how far. No I/O
 * and no state: the engine and the simulation ask the same.
 */

enum decision_what {
	DECIDE_WAIT,	/* until a phone comes on, or the time in until (0: no time is known) */
	DECIDE_OFFER,	/* theirs to count further phones that wait, the earliest wave's first */
	DECIDE_GOOD,	/* the wave has succeeded: good_since is now */
	DECIDE_BAD,	/* it had, and has not any more: good_since is 0 */
	DECIDE_NEXT,	/* begin the next wave */
	DECIDE_PAUSE,	/* why says it */
	DECIDE_STAGE,	/* begin the next stage */
	DECIDE_DONE,
};

struct decision {
	enum decision_what what;
	size_t count;
	time_t until;
	char why[DB_ROLLOUT_WHY_SIZE];	/* also of DECIDE_WAIT: what it waits for */
};

/* Phones of a wave that count: all that were not taken out of it. */
size_t decide_wave_size(const struct db_rollout_tally *t, int wave);

/* r is running; its state, stage, wave, good_since, minute and in_minute count. */
void decide(const struct plan *p, const struct db_rollout *r, const struct db_rollout_tally *t, time_t now,
    struct decision *ret);

/* What of the rollout changes by a decision other than DECIDE_OFFER, and by so many phones that were offered theirs. */
void decide_apply(const struct decision *d, struct db_rollout *r, time_t now);
void decide_offered(struct db_rollout *r, size_t count, time_t now);

#endif
