/* SPDX-License-Identifier: ISC */
#include "cli/keypool_filler.h"

#include "cli/keygen.h"
#include "common/log.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define BATCH 16   /* keys a transaction: the writer's lock is held for it alone */
#define PAUSE_S 30 /* before the first look, and between looks at a full pool */

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

/* How many keys are missing, at most a batch of them. */
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
		*ret_missing = wanted <= there ? 0 : wanted - there < BATCH ? wanted - there : BATCH;
		rc = 0;
	}
	db_close(db);
	return rc;
}

static int
store(const struct keypool_filler *f, const struct keygen *keygen, const struct buf *keys, size_t count, struct err *e)
{
	struct db *db = db_open_writer(f->where, e);
	int rc = db != NULL ? db_key_pool_add(db, &keygen->kind, keys, count, e) : -1;

	db_close(db);
	return rc;
}

/* A batch of keys. *ret_count is 0 when none is missing. */
static int
fill(struct keypool_filler *f, size_t *ret_count, struct err *e)
{
	struct buf keys[BATCH];
	struct ca_keygen *maker = NULL;
	struct keygen keygen;
	size_t missing, n = 0;
	int rc = -1;

	*ret_count = 0;
	if (look(f, &keygen, &missing, e) != 0)
		return -1;
	if (missing == 0)
		return 0;
	maker = ca_keygen_new(keygen.kind.bits, keygen.how, NULL, e);
	if (maker == NULL)
		return -1;
	for (; n < missing && !is_over(f, 0); n++) {
		keys[n] = (struct buf)BUF_INIT(DB_DER_MAX);
		if (keygen_make(maker, &keys[n], e) != 0) {
			n++;
			goto out;
		}
	}
	rc = n > 0 ? store(f, &keygen, keys, n, e) : 0;
	*ret_count = n;
out:
	for (size_t i = 0; i < n; i++)
		buf_release(&keys[i]);
	ca_keygen_free(maker);
	return rc;
}

static void *
run(void *arg)
{
	const struct sched_param param = { .sched_priority = 0 };
	struct keypool_filler *f = arg;
	unsigned int pause = PAUSE_S;

	/* Everything else goes first. */
	(void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
	while (!is_over(f, pause)) {
		struct err e = ERR_INIT;
		size_t count = 0;
		int rc = fill(f, &count, &e);

		/* Another writer at work is no trouble; it will end. */
		if (rc != 0 && e.code != ERR_CONFLICT && !f->has_warned) {
			log_warn("key pool: %s; its keys are made when they are needed", e.text);
			f->has_warned = true;
		}
		pause = rc == 0 && count > 0 ? 0 : PAUSE_S;
	}
	return NULL;
}

struct keypool_filler *
keypool_filler_start(const struct db_location *where, struct err *e)
{
	struct keypool_filler *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;
	int failed;

	if (f == NULL) {
		err_set(e, ERR_FAILED, "key pool: no memory");
		return NULL;
	}
	f->where = where;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	failed = pthread_create(&f->thread, NULL, run, f);
	if (failed == 0)
		return f;
	free(f);
	err_errno(e, ERR_FAILED, failed, "key pool: thread");
	return NULL;
}

void
keypool_filler_stop(struct keypool_filler *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_signal(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}
