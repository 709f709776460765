/* SPDX-License-Identifier: ISC */
#ifndef CLI_MINT_WORKER_H
#define CLI_MINT_WORKER_H

#include "cli/issuer.h"
#include "cli/mint_plan.h"
#include "db/db.h"

#include <stddef.h>

/* One phone's piece of work, and what came of it. */
struct mint_job {
	/* in */
	int64_t phone;
	char mac[DB_MAC_SIZE];
	enum mint_action action;
	unsigned char serial[DB_SERIAL_SIZE];	/* of the certificate that there is */
	int64_t newest;
	/* out, when done: the parts of a generation, or why not */
	bool done;
	enum err_code error;	/* ERR_NONE: it went well */
	char *error_text;	/* or NULL: no memory for it */
	struct buf cert, key;
	struct db_certificate_new certificate;
	char md5[DB_MD5_SIZE];
	size_t size;
};

/* What all workers share. Nothing of it changes while they run. */
struct mint_common {
	const struct db_location *where;
	const struct issuer *issuer;
	const char *organization;
	time_t not_before, not_after;
	const struct buf *profile;
};

/*
 * Threads that make keys, certificates and md5s for jobs[0..count) in order, at most a window ahead of what the caller
 * has taken, so that memory does not grow with the fleet. NULL on failure. jobs stay the caller's.
 */
struct mint_pool;
struct mint_pool *mint_pool_start(const struct mint_common *common, struct mint_job *jobs, size_t count,
    unsigned int threads, struct err *e);

/*
 * Wait until the next jobs in order are done, at least one and at most max, or milliseconds have passed. Returns how
 * many there are; they stay valid until mint_pool_release() is called for as many.
 */
size_t mint_pool_next(struct mint_pool *p, size_t max, unsigned int milliseconds);
void mint_pool_release(struct mint_pool *p, size_t n);

/* Begin no further job. mint_pool_next() then gives what was under way, and 0 when that is all. */
void mint_pool_stop(struct mint_pool *p);

/* All that was begun has been taken, and nothing more is begun. */
bool mint_pool_finished(struct mint_pool *p);

/* -1 with the reason when no worker could open the state, so that nothing is ever begun. */
int mint_pool_failed(struct mint_pool *p, struct err *e);

/* Wait for the threads' end and free all; NULL is taken. */
void mint_pool_free(struct mint_pool *p);

#endif
