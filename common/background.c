/* SPDX-License-Identifier: ISC */
#include "common/background.h"

#include "common/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct background {
	void (*run)(struct background *b, void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
};

static struct timespec
after(unsigned long ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return until;
}

bool
background_wait(struct background *b, unsigned long ms)
{
	struct timespec until = after(ms);
	bool stop;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->stop && ms > 0 && pthread_cond_timedwait(&b->changed, &b->lock, &until) == 0)
		;
	stop = b->stop;
	(void)pthread_mutex_unlock(&b->lock);
	return stop;
}

static void *
run(void *arg)
{
	struct background *b = arg;

	b->run(b, b->arg);
	return NULL;
}

static void
background_free(struct background *b)
{
	(void)pthread_cond_destroy(&b->changed);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

struct background *
background_start(void (*thread)(struct background *b, void *arg), void *arg, const char *what, struct err *e)
{
	struct background *b = calloc(1, sizeof(*b));
	int failed;

	if (b == NULL) {
		err_set(e, ERR_FAILED, "%s: no memory", what);
		return NULL;
	}
	b->run = thread;
	b->arg = arg;
	(void)pthread_mutex_init(&b->lock, NULL);
	process_cond_init(&b->changed);
	failed = pthread_create(&b->thread, NULL, run, b);
	if (failed == 0)
		return b;
	background_free(b);
	err_errno(e, ERR_FAILED, failed, "%s: thread", what);
	return NULL;
}

bool
background_stop(struct background *b, unsigned int seconds)
{
	struct timespec until = after(seconds * 1000UL);

	if (b == NULL)
		return true;
	(void)pthread_mutex_lock(&b->lock);
	b->stop = true;
	(void)pthread_cond_signal(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
	if (pthread_clockjoin_np(b->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	background_free(b);
	return true;
}
