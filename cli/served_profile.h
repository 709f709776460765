/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVED_PROFILE_H
#define CLI_SERVED_PROFILE_H

#include "bundler/bundle.h"
#include "db/request.h"

/* The profiles that a server's handle served last, by their hashes, which name their texts for ever. */
#define SERVED_PROFILES_MAX 8

struct served_profiles {
	struct {
		unsigned char hash[DB_PROFILE_HASH_SIZE];
		struct bundle_base *base;	/* NULL: free */
	} slots[SERVED_PROFILES_MAX];
	unsigned int next;	/* to be given up for another */
};

/* The profile of that hash, read where it is not at hand. Borrowed until the next call. NULL on failure. */
struct bundle_base *served_profile(struct served_profiles *p, struct db *db,
    const unsigned char hash[DB_PROFILE_HASH_SIZE], struct err *e);

void served_profiles_release(struct served_profiles *p);

#endif
