/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_SIMULATE_H
#define ROLLOUT_SIMULATE_H

#include "common/err.h"
#include "rollout/member.h"
#include "rollout/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A rollout played against model phones, by the rules that the engine goes by: decide() and member_judge(). No I/O. The
 * engine steps once a minute, as from a timer.
 *
 * What a phone does once its generation is offered to it. It is on, or it is switched off and comes back later. It asks
 * for its XML when it restarts, fetches the bundle, comes back with the new certificate, and settles when 'watch' has seen
 * it there for long enough. Each request may fail at the server; then it is made again at the next restart. Some phones do
 * not do that: which, and what they do instead, is drawn for each.
 */
struct simulate_model {
	unsigned long asks_every;	/* seconds between two restarts of a phone */
	bool asks_at_random;		/* that is the mean, and they come at any time; else regularly, each phone at its own */
	bool notify;			/* phones restart when they are offered theirs, too */
	unsigned long restarts_in;	/* seconds, then: from half to three halves of it */
	unsigned long connects_in;	/* seconds from the fetch to the VPN: likewise */
	unsigned long settles_in;	/* seconds on the VPN that settle: watch --soak */
	unsigned long off_for;		/* seconds, mean: how long those are off that are */
	/* Of a million phones, or requests. */
	unsigned long off;		/* are switched off when they are offered theirs */
	unsigned long never_asks;	/* never restart */
	unsigned long never_fetches;	/* leave the bundle */
	unsigned long discards;		/* fetch it, discard it and stay with the old one */
	unsigned long flaps;		/* connect and do not stay */
	unsigned long falls_back;	/* come back with the old certificate within an hour of connecting */
	unsigned long server_errors;	/* requests that fail */
};

#define SIMULATE_ASKS_EVERY (24UL * 3600)
#define SIMULATE_RESTARTS_IN 90UL
#define SIMULATE_CONNECTS_IN 30UL
#define SIMULATE_SETTLES_IN 900UL
#define SIMULATE_OFF_FOR (48UL * 3600)
#define SIMULATE_OFF 20000UL
#define SIMULATE_FALL_WITHIN 3600

/* It is given up, as standing still, after so long. */
#define SIMULATE_LONGEST (366L * 24 * 3600)

/* All at its default: those above, and no fault. */
void simulate_default(struct simulate_model *m);

/* A phone where it stands at the start; in the order in which they are offered theirs: of waves, and within a wave. */
struct simulate_member {
	unsigned char wave;		/* from 1 */
	unsigned char state;		/* enum db_member_state */
	unsigned char why;		/* enum member_why */
	unsigned char rung;		/* enum db_rung, of what it was offered; 0: none */
	time_t since;
};

enum simulate_end {
	SIMULATE_DONE,
	SIMULATE_PAUSED,
	SIMULATE_STANDS,	/* nothing would ever happen any more, or not within SIMULATE_LONGEST */
};

/* Times in seconds from the start on; -1: that was not reached. */
struct simulate_wave {
	time_t began, offered, succeeded;	/* offered: the last of its phones was */
};

struct simulate_peak {
	size_t total, most;	/* in a second, or a minute */
};

struct simulate_result {
	enum simulate_end end;
	time_t took;
	char why[DB_ROLLOUT_WHY_SIZE];	/* it was paused, or what it waits for */
	int wave;			/* that it came to */
	struct db_rollout_tally tally;
	size_t failed[MEMBER_WHY_COUNT];
	struct simulate_wave waves[DB_WAVES_MAX + 1];	/* [0] not used */
	struct simulate_peak offers;	/* a minute */
	struct simulate_peak requests;	/* a second: XML of phones that were offered something, and bundles */
	struct simulate_peak sessions;	/* a second: that begin with the new certificate */
};

/*
 * r: state is not looked at; wave, good_since, minute and in_minute say where it stands at start, a time in seconds. The
 * same seed gives the same result. -1 only when there is no memory.
 */
int simulate(const struct plan *p, const struct db_rollout *r, const struct simulate_member *members, size_t count,
    const struct simulate_model *m, uint64_t seed, time_t start, struct simulate_result *ret, struct err *e);

#endif
