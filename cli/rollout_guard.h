/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_GUARD_H
#define CLI_ROLLOUT_GUARD_H

#include "cli/mint_means.h"
#include "db/rollout.h"
#include "rollout/guard.h"

/*
 * The facts that rollout/guard.h judges by, gathered from the state: what has to last, where the XML is, and for each kind
 * of phone (what it is offered, what it would get, model and firmware) whether the server takes the bundles. The server is
 * the one that "emit server" would write now, or the plan's server.conf.
 */
struct rollout_guard;

/*
 * means: what generations would be made with; NULL when they are made already. Both and the plan must outlive it. A plan's
 * server.conf that cannot be read is an error. NULL on failure.
 */
struct rollout_guard *rollout_guard_open(struct db *db, const struct mint_means *means, const struct plan *plan,
    time_t now, struct err *e);
void rollout_guard_free(struct rollout_guard *g);

/*
 * What holds for a candidate and its like. bundle: the text of the one that it is to get, its newest; NULL with means.
 * Borrowed. NULL on failure.
 */
const struct guard_kind *rollout_guard_kind(struct rollout_guard *g, const struct db_candidate *c,
    const struct buf *bundle, struct err *e);

/* guard_judge() with all that is the same for every phone. */
enum guard_reason rollout_guard_judge(const struct rollout_guard *g, const struct guard_kind *kind,
    const struct guard_phone *p, char detail[GUARD_DETAIL_SIZE]);

#endif
