/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include <pthread.h>
#include <stdlib.h>

#define WINDOW 256 /* phones that are under way: some 2 KB each */
#define THREADS_MAX 256

/* A ring: put, begun and taken only grow. */
struct fleet_pool {
	const struct fleet_common *common;
	struct fleet_job jobs[WINDOW];
	size_t put, begun, taken;
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	unsigned int idle; /* threads that wait for work */
	const struct fleet_job *awaited;
	bool stop;
	unsigned int running;
	struct err dead; /* why the last thread could not even begin */
	pthread_t threads[THREADS_MAX];
	unsigned int thread_count;
};

static struct fleet_job *
job_take(struct fleet_pool *p)
{
	struct fleet_job *job = NULL;

	(void)pthread_mutex_lock(&p->lock);
	p->idle++;
	while (!p->stop && p->begun == p->put)
		(void)pthread_cond_wait(&p->work, &p->lock);
	p->idle--;
	if (!p->stop)
		job = &p->jobs[p->begun++ % WINDOW];
	(void)pthread_mutex_unlock(&p->lock);
	return job;
}

static void
job_done(struct fleet_pool *p, struct fleet_job *job)
{
	(void)pthread_mutex_lock(&p->lock);
	job->done = true;
	if (job == p->awaited)
		(void)pthread_cond_signal(&p->finished);
	(void)pthread_mutex_unlock(&p->lock);
}

static void *
work(void *arg)
{
	struct fleet_pool *p = arg;
	struct err e = ERR_INIT;
	struct fleet_worker *w = fleet_worker_open(p->common, &e);
	struct fleet_job *job;

	while (w != NULL && (job = job_take(p)) != NULL) {
		job->error = (struct err)ERR_INIT;
		if (fleet_worker_judge(w, job, &job->error) != 0)
			err_prefix(&job->error, "phone %s", job->phone.mac);
		job_done(p, job);
	}
	(void)pthread_mutex_lock(&p->lock);
	p->running--;
	if (w == NULL)
		p->dead = e;
	(void)pthread_cond_signal(&p->finished);
	(void)pthread_mutex_unlock(&p->lock);
	fleet_worker_close(w);
	return NULL;
}

struct fleet_pool *
fleet_pool_start(const struct fleet_common *c, unsigned int threads, struct err *e)
{
	struct fleet_pool *p = calloc(1, sizeof(*p));
	int failed = 0;

	if (p == NULL) {
		err_set(e, ERR_FAILED, "check: no memory");
		return NULL;
	}
	p->common = c;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->work, NULL);
	(void)pthread_cond_init(&p->finished, NULL);
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	for (; p->thread_count < threads && failed == 0; p->thread_count += failed == 0) {
		(void)pthread_mutex_lock(&p->lock);
		p->running++;
		(void)pthread_mutex_unlock(&p->lock);
		failed = pthread_create(&p->threads[p->thread_count], NULL, work, p);
	}
	if (failed == 0)
		return p;
	fleet_pool_free(p);
	err_errno(e, ERR_FAILED, failed, "check: thread");
	return NULL;
}

bool
fleet_pool_is_full(const struct fleet_pool *p)
{
	return p->put - p->taken == WINDOW;
}

void
fleet_pool_put(struct fleet_pool *p, const struct db_phone *phone)
{
	(void)pthread_mutex_lock(&p->lock);
	p->jobs[p->put % WINDOW].phone = *phone;
	p->put++;
	if (p->idle > 0)
		(void)pthread_cond_signal(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
}

/* False when no thread is left to do it. */
static bool
await(struct fleet_pool *p, const struct fleet_job *job)
{
	p->awaited = job;
	while (!job->done && p->running > 0)
		(void)pthread_cond_wait(&p->finished, &p->lock);
	p->awaited = NULL;
	return job->done;
}

struct fleet_job *
fleet_pool_head(struct fleet_pool *p, struct err *e)
{
	struct fleet_job *job = &p->jobs[p->taken % WINDOW];

	if (p->taken == p->put)
		return NULL;
	(void)pthread_mutex_lock(&p->lock);
	/* For half of them at once, or the threads would hand over every phone singly. */
	if (!job->done && fleet_pool_is_full(p))
		(void)await(p, &p->jobs[(p->taken + WINDOW / 2) % WINDOW]);
	if (!await(p, job)) {
		*e = p->dead;
		job = NULL;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return job;
}

bool
fleet_pool_is_ready(struct fleet_pool *p)
{
	bool ready;

	(void)pthread_mutex_lock(&p->lock);
	ready = p->taken < p->put && p->jobs[p->taken % WINDOW].done;
	(void)pthread_mutex_unlock(&p->lock);
	return ready;
}

void
fleet_pool_pop(struct fleet_pool *p)
{
	struct fleet_job *job = &p->jobs[p->taken++ % WINDOW];

	findings_clear(&job->found);
	findings_clear(&job->shared);
	job->done = false;
}

void
fleet_pool_free(struct fleet_pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->thread_count; i++)
		(void)pthread_join(p->threads[i], NULL);
	for (size_t i = 0; i < WINDOW; i++) {
		findings_release(&p->jobs[i].found);
		findings_release(&p->jobs[i].shared);
	}
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_cond_destroy(&p->finished);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
