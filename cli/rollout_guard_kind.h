/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_GUARD_KIND_H
#define CLI_ROLLOUT_GUARD_KIND_H

#include "bundler/check_server.h"
#include "cli/mint_means.h"
#include "db/rollout.h"
#include "rollout/guard.h"

/* Inside the lock-out guard only: what is judged once for all phones that have the same and get the same. */
struct guard_verdict;

struct guard_kinds {
	struct db *db;
	const struct settings *settings;
	const struct mint_means *means;	/* NULL: the bundles are made */
	const struct plan *plan;
	struct check_clock clock;
	struct check_server *server;	/* NULL: there is none, and no_server says why */
	char no_server[GUARD_DETAIL_SIZE];
	/* what specimens are made with: those of means, or of the CA that the plan moves to, when it is to issue only then */
	const struct issuer *issuer;
	const struct buf *profile;
	const char *profile_hash;
	struct issuer next;
	struct buf next_profile;
	char next_hash[PROFILE_HASH_SIZE];
	EVP_PKEY *key;
	struct guard_verdict *list, *last;
};

/* All that is given must outlive it. Release it also after a failure. */
int guard_kinds_open(struct guard_kinds *k, struct db *db, const struct settings *s, const struct mint_means *means,
    const struct plan *plan, time_t now, struct err *e);
void guard_kinds_release(struct guard_kinds *k);

/*
 * What holds for this phone and its like. bundle: the one it is to get; NULL: a specimen is made of what would be minted.
 * Borrowed. NULL on failure.
 */
const struct guard_kind *guard_kinds_find(struct guard_kinds *k, const struct db_candidate *c,
    const struct buf *bundle, struct err *e);

#endif
