/* SPDX-License-Identifier: ISC */
#ifndef CLI_MINT_MEANS_H
#define CLI_MINT_MEANS_H

#include "cli/mint_make.h"
#include "cli/mint_plan.h"

/* What generations are made with: the CA that issues, the profile that phones get now, and what the settings say. */
struct mint_means {
	struct db *db;
	struct settings settings;
	struct issuer issuer;
	struct buf profile;
	char profile_hash[PROFILE_HASH_SIZE];
	struct mint_wish wish;		/* what needs a next generation; without renew and rekey */
	struct keygen keygen;
};

/* keygen: the option, or NULL for what the settings say. Release it with mint_means_release(), also after a failure. */
int mint_means_open(struct db *db, const char *keygen, struct mint_means *ret, struct err *e);
void mint_means_release(struct mint_means *m);

/* A maker of total generations with these means; both must outlive it. */
void mint_means_maker(const struct mint_means *m, const struct db_location *where, size_t total, struct mint_maker *ret);

#endif
