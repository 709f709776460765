/* SPDX-License-Identifier: ISC */
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Threads that do jobs, and give them back in the order in which they were put in. At most a window of jobs is under way,
 * so that memory does not grow with their number. All but run() and open() happen on the caller's thread.
 */
struct pool_kind {
	const char *what;	/* "minting", for errors */
	size_t job_size;	/* bytes; a job begins as zeros */
	size_t window;		/* jobs */
	/* What a thread has for itself, or NULL; common is as given to pool_start(). Both run in the thread. */
	void *(*open)(const void *common, struct err *e);
	void (*close)(void *worker);
	/* What came of it stands in the job. */
	void (*run)(void *worker, void *job);
	void (*release)(void *job);	/* what it holds; once for each that was put in */
};

struct pool;

/* NULL on failure. Free it with pool_free(). */
struct pool *pool_start(const struct pool_kind *kind, const void *common, unsigned int threads, struct err *e);

/* Room for the next job, to be filled and put in with pool_put(); NULL while the window is full. */
void *pool_room(struct pool *p);
void pool_put(struct pool *p);

/* How many were put in and not taken out yet. */
size_t pool_held(const struct pool *p);

/*
 * How many of the oldest jobs are done, one behind the other; waits until there are n or milliseconds have passed. -1
 * when no thread is left to do any: then e says why none could begin.
 */
int pool_wait(struct pool *p, size_t n, unsigned int milliseconds, size_t *ret_done, struct err *e);

/* The i-th oldest job that is held; one that is done may be looked at. */
void *pool_job(struct pool *p, size_t i);

/* Release the n oldest, which are done. */
void pool_take(struct pool *p, size_t n);

/* Forget what no thread has begun; what is under way is done still. */
void pool_stop(struct pool *p);

/* Wait for the threads, and release all; NULL is taken. */
void pool_free(struct pool *p);

#endif
