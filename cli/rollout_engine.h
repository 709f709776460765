/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_ENGINE_H
#define CLI_ROLLOUT_ENGINE_H

#include "db/rollout.h"

#include <stdbool.h>

/* What a step of all rollouts that are not over came to. */
struct rollout_progress {
	bool has_more;			/* there is more to do right away */
	time_t until;			/* else at this time; 0: not known */
	size_t open;			/* rollouts that are running */
	size_t offered, settled, failed;
};

/* Some rollout is running, or paused: its phones have to be looked at. */
int rollout_engine_is_needed(struct db *db, bool *ret, struct err *e);

/*
 * Move every running rollout on by one step, and look at the phones of those that are paused; what happens is logged. The
 * folder's writer lock is held meanwhile, for a second at most. ERR_CONFLICT when somebody else has it.
 */
int rollout_engine_step(const struct db_location *where, struct rollout_progress *ret, struct err *e);

#endif
