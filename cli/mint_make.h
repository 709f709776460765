/* SPDX-License-Identifier: ISC */
#ifndef CLI_MINT_MAKE_H
#define CLI_MINT_MAKE_H

#include "cli/json_stream.h"
#include "cli/mint_worker.h"
#include "cli/profile.h"
#include "common/progress.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Phones go in one by one; threads make their certificates and this thread, the only writer, stores what is done in
 * batches: committed, read back, compared and then offered, so that a phone has a whole generation or none. Those of a rollout
 * are not offered.
 */
struct mint_maker {
	/* in */
	struct db *db;				/* open for changes */
	struct mint_common common;
	unsigned int threads;
	const char *profile_hash;
	int64_t rollout;			/* that makes them, and offers them when it is their turn; or 0 */
	size_t total;				/* phones that will be put in */
	bool quiet;
	struct json_stream *report;		/* gets each phone that was minted, or NULL */
	/* out */
	size_t minted;
	bool is_stopped;			/* a signal ended it before all was done */
	/* its own */
	struct pool *pool;
	struct progress progress;
	int64_t pool_last;			/* key of the pool that was taken last */
	bool is_pool_empty;
};

int mint_maker_start(struct mint_maker *m, struct err *e);

/* Put a phone in whose mint_plan() is action. After a signal nothing is begun any more: -1 without a reason. */
int mint_maker_put(struct mint_maker *m, const struct db_phone *p, enum mint_action action, struct err *e);

/* Wait for all that was put in and store it. */
int mint_maker_finish(struct mint_maker *m, struct err *e);

/* Also after a failure. */
void mint_maker_release(struct mint_maker *m);

#endif
