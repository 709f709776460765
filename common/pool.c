/* SPDX-License-Identifier: ISC */
#include "common/pool.h"

#include "common/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 256

/* A ring: put, begun and taken only grow. */
struct pool {
	struct pool_kind kind;
	const void *common;
	unsigned char *jobs;
	bool *done;
	size_t put, begun, taken;
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	unsigned int idle; /* threads that wait for work */
	size_t awaited;    /* the job that the caller waits for */
	bool stop;
	unsigned int running;
	struct err dead; /* why the last thread could not even begin */
	pthread_t threads[THREADS_MAX];
	unsigned int thread_count;
};

static void *
job_at(const struct pool *p, size_t number)
{
	return p->jobs + number % p->kind.window * p->kind.job_size;
}

/* ---- a thread ---- */

static bool
job_begin(struct pool *p, size_t *ret_number)
{
	bool begun = false;

	(void)pthread_mutex_lock(&p->lock);
	p->idle++;
	while (!p->stop && p->begun == p->put)
		(void)pthread_cond_wait(&p->work, &p->lock);
	p->idle--;
	if (!p->stop) {
		*ret_number = p->begun++;
		begun = true;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return begun;
}

static void
job_end(struct pool *p, size_t number)
{
	(void)pthread_mutex_lock(&p->lock);
	p->done[number % p->kind.window] = true;
	if (number == p->awaited)
		(void)pthread_cond_signal(&p->finished);
	(void)pthread_mutex_unlock(&p->lock);
}

static void *
thread_run(void *arg)
{
	struct pool *p = arg;
	struct err e = ERR_INIT;
	void *worker = p->kind.open(p->common, &e);
	size_t number;

	while (worker != NULL && job_begin(p, &number)) {
		p->kind.run(worker, job_at(p, number));
		job_end(p, number);
	}
	(void)pthread_mutex_lock(&p->lock);
	p->running--;
	if (worker == NULL)
		p->dead = e;
	(void)pthread_cond_signal(&p->finished);
	(void)pthread_mutex_unlock(&p->lock);
	if (worker != NULL)
		p->kind.close(worker);
	return NULL;
}

/* ---- the caller's side ---- */

static int
threads_start(struct pool *p, unsigned int threads, struct err *e)
{
	for (; p->thread_count < threads && p->thread_count < THREADS_MAX; p->thread_count++) {
		int failed;

		(void)pthread_mutex_lock(&p->lock);
		p->running++;
		(void)pthread_mutex_unlock(&p->lock);
		failed = pthread_create(&p->threads[p->thread_count], NULL, thread_run, p);
		if (failed != 0)
			return err_errno(e, ERR_FAILED, failed, "%s: thread", p->kind.what);
	}
	return 0;
}

struct pool *
pool_start(const struct pool_kind *kind, const void *common, unsigned int threads, struct err *e)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		err_set(e, ERR_FAILED, "%s: no memory", kind->what);
		return NULL;
	}
	p->kind = *kind;
	p->common = common;
	(void)pthread_mutex_init(&p->lock, NULL);
	process_cond_init(&p->work);
	process_cond_init(&p->finished);
	p->jobs = calloc(kind->window, kind->job_size);
	p->done = calloc(kind->window, sizeof(*p->done));
	if (p->jobs == NULL || p->done == NULL)
		err_set(e, ERR_FAILED, "%s: no memory", kind->what);
	else if (threads_start(p, threads, e) == 0)
		return p;
	pool_free(p);
	return NULL;
}

void *
pool_room(struct pool *p)
{
	return p->put - p->taken < p->kind.window ? job_at(p, p->put) : NULL;
}

void
pool_put(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->put++;
	if (p->idle > 0)
		(void)pthread_cond_signal(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
}

size_t
pool_held(const struct pool *p)
{
	return p->put - p->taken;
}

static bool
is_done(const struct pool *p, size_t number)
{
	return number < p->begun && p->done[number % p->kind.window];
}

static size_t
done_count(const struct pool *p, size_t max)
{
	size_t n = 0;

	while (n < max && is_done(p, p->taken + n))
		n++;
	return n;
}

static struct timespec
time_after(unsigned int milliseconds)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += milliseconds / 1000;
	t.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int
pool_wait(struct pool *p, size_t n, unsigned int milliseconds, size_t *ret_done, struct err *e)
{
	const struct timespec until = time_after(milliseconds);
	size_t done;
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	while ((done = done_count(p, n)) < n && p->running > 0) {
		/* The last of them, and then what is missing: or the threads would wake the caller for each. */
		p->awaited = p->taken + (is_done(p, p->taken + n - 1) ? done : n - 1);
		if (pthread_cond_timedwait(&p->finished, &p->lock, &until) != 0) {
			done = done_count(p, n);
			break;
		}
	}
	if (done == 0 && p->running == 0 && p->dead.code != ERR_NONE) {
		*e = p->dead;
		rc = -1;
	}
	(void)pthread_mutex_unlock(&p->lock);
	*ret_done = done;
	return rc;
}

void *
pool_job(struct pool *p, size_t i)
{
	return job_at(p, p->taken + i);
}

static void
job_release(struct pool *p, size_t number)
{
	void *job = job_at(p, number);

	p->kind.release(job);
	memset(job, 0, p->kind.job_size);
}

void
pool_take(struct pool *p, size_t n)
{
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < n; i++) {
		job_release(p, p->taken + i);
		p->done[(p->taken + i) % p->kind.window] = false;
	}
	p->taken += n;
	(void)pthread_mutex_unlock(&p->lock);
}

void
pool_stop(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	for (; p->put > p->begun; p->put--)
		job_release(p, p->put - 1);
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pool_stop(p);
	for (unsigned int i = 0; i < p->thread_count; i++)
		(void)pthread_join(p->threads[i], NULL);
	if (p->jobs != NULL && p->done != NULL)
		pool_take(p, p->put - p->taken);
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_cond_destroy(&p->finished);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->jobs);
	free(p->done);
	free(p);
}
