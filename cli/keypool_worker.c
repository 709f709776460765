/* SPDX-License-Identifier: ISC */
#include "cli/keypool_worker.h"

#include <pthread.h>
#include <sched.h>

#define WINDOW 128 /* keys under way */

static void *
worker_open(const void *arg, struct err *e)
{
	const struct sched_param param = { .sched_priority = 0 };
	const struct keypool_common *common = arg;

	if (common->is_idle)
		(void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
	return ca_keygen_new(common->keygen.kind.bits, common->keygen.how, NULL, e);
}

static void
worker_close(void *maker)
{
	ca_keygen_free(maker);
}

static void
worker_run(void *maker, void *arg)
{
	struct keypool_job *job = arg;

	job->key = (struct buf)BUF_INIT(DB_DER_MAX);
	job->error = (struct err)ERR_INIT;
	(void)keygen_make(maker, &job->key, &job->error);
}

static void
job_release(void *arg)
{
	struct keypool_job *job = arg;

	buf_release(&job->key);
}

const struct pool_kind keypool_kind = {
	.what = "key pool",
	.job_size = sizeof(struct keypool_job),
	.window = WINDOW,
	.open = worker_open,
	.close = worker_close,
	.run = worker_run,
	.release = job_release,
};

int
keypool_store(struct pool *pool, size_t n, struct db *db, const struct db_key_kind *kind, struct err *e)
{
	struct buf keys[KEYPOOL_BATCH];

	for (size_t i = 0; i < n; i++) {
		const struct keypool_job *job = pool_job(pool, i);

		if (job->error.code != ERR_NONE)
			return err_set(e, job->error.code, "%s", job->error.text);
		keys[i] = job->key; /* borrowed */
	}
	if (db_key_pool_add(db, kind, keys, n, e) != 0)
		return -1;
	pool_take(pool, n);
	return 0;
}
