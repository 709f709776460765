/* SPDX-License-Identifier: ISC */
#include "cli/keypool_filler.h"

#include "cli/keypool_worker.h"
#include "common/log.h"
#include "common/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define BATCH 16    /* keys a transaction */
#define PAUSE_S 30  /* before each look */
#define WAIT_MS 200 /* how long the end may go unseen */
#define STOP_S 1

struct keypool_filler {
	const struct db_location *where;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, has_warned;
};

/* Wait so long, or until the end. */
static bool
is_over(struct keypool_filler *f, unsigned int seconds)
{
	struct timespec until;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&f->lock);
	while (!f->stop && seconds > 0 && pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0)
		;
	stop = f->stop;
	(void)pthread_mutex_unlock(&f->lock);
	return stop;
}

/* How many keys are missing, and of which kind. */
static int
look(const struct keypool_filler *f, struct keygen *ret_keygen, size_t *ret_missing, struct err *e)
{
	struct db *db = db_open(f->where, e);
	struct settings s;
	size_t wanted, there = 0;
	int rc = -1;

	if (db != NULL && settings_load(db, &s, e) == 0 && keygen_choose(NULL, &s, ret_keygen, e) == 0 &&
	    db_key_pool_count(db, &ret_keygen->kind, &there, e) == 0) {
		wanted = settings_number(&s, SET_KEYPOOL);
		*ret_missing = wanted > there ? wanted - there : 0;
		rc = 0;
	}
	db_close(db);
	return rc;
}

static int
store(const struct keypool_filler *f, const struct keygen *keygen, struct pool *pool, size_t count, struct err *e)
{
	struct db *db = db_open_writer(f->where, e);
	int rc = db != NULL ? keypool_store(pool, count, db, &keygen->kind, e) : -1;

	db_close(db);
	return rc;
}

/* One batch: where somebody else is writing, no more than that is made in vain. */
static int
fill_batch(struct keypool_filler *f, const struct keygen *keygen, struct pool *pool, size_t count, struct err *e)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++)
		pool_put(pool);
	while (done < count && !is_over(f, 0)) {
		if (pool_wait(pool, count, WAIT_MS, &done, e) != 0)
			return -1;
	}
	return done > 0 ? store(f, keygen, pool, done, e) : 0;
}

/* Until none is missing, or they are wanted of another kind: what the settings say may change meanwhile. */
static int
fill(struct keypool_filler *f, struct err *e)
{
	struct keypool_common common = { .is_idle = true };
	struct keygen wanted;
	size_t missing;
	struct pool *pool;
	int rc = 0;

	if (look(f, &common.keygen, &missing, e) != 0)
		return -1;
	if (missing == 0)
		return 0;
	pool = pool_start(&keypool_kind, &common, 1, e);
	if (pool == NULL)
		return -1;
	do {
		rc = fill_batch(f, &common.keygen, pool, missing < BATCH ? missing : BATCH, e);
		if (rc == 0)
			rc = look(f, &wanted, &missing, e);
	} while (rc == 0 && missing > 0 && wanted.how == common.keygen.how && !is_over(f, 0));
	pool_free(pool);
	return rc;
}

static void *
run(void *arg)
{
	struct keypool_filler *f = arg;

	while (!is_over(f, PAUSE_S)) {
		struct err e = ERR_INIT;
		int rc = fill(f, &e);

		/* Another writer at work is no trouble; it will end. */
		if (rc != 0 && e.code != ERR_CONFLICT && !f->has_warned)
			log_warn("key pool: %s; its keys are made when they are needed", e.text);
		f->has_warned = rc != 0 && (f->has_warned || e.code != ERR_CONFLICT);
	}
	return NULL;
}

struct keypool_filler *
keypool_filler_start(const struct db_location *where, struct err *e)
{
	struct keypool_filler *f = calloc(1, sizeof(*f));
	int failed;

	if (f == NULL) {
		err_set(e, ERR_FAILED, "key pool: no memory");
		return NULL;
	}
	f->where = where;
	(void)pthread_mutex_init(&f->lock, NULL);
	process_cond_init(&f->changed);
	failed = pthread_create(&f->thread, NULL, run, f);
	if (failed == 0)
		return f;
	free(f);
	err_errno(e, ERR_FAILED, failed, "key pool: thread");
	return NULL;
}

bool
keypool_filler_stop(struct keypool_filler *f)
{
	struct timespec until;

	if (f == NULL)
		return true;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_signal(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_S;
	if (pthread_clockjoin_np(f->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
	return true;
}
