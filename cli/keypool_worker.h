/* SPDX-License-Identifier: ISC */
#ifndef CLI_KEYPOOL_WORKER_H
#define CLI_KEYPOOL_WORKER_H

#include "cli/keygen.h"
#include "common/pool.h"

#include <stdbool.h>

/* What the threads share. */
struct keypool_common {
	struct keygen keygen;
	bool is_idle;	/* they run only when nothing else wants the processor */
};

/* One key as PKCS#8 DER, or why there is none. */
struct keypool_job {
	struct buf key;
	struct err error;
};

/* Threads that make keys; common is a struct keypool_common, a job a struct keypool_job. */
extern const struct pool_kind keypool_kind;

#define KEYPOOL_BATCH 64	/* keys a transaction, at most */

/* Put the keys of the n oldest jobs, at most a batch, into the database, open for changes; then the jobs are taken. */
int keypool_store(struct pool *pool, size_t n, struct db *db, const struct db_key_kind *kind, struct err *e);

#endif
