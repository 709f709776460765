/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Work in threads comes back whole, in order, and as often as it went in, or a phone gets another one's certificate. */

#define WINDOW 8
#define FOREVER_MS 60000

struct common {
	atomic_uint opened, closed, run, released;
	unsigned int fail_from; /* threads that cannot begin, from this one on */
	pthread_mutex_t gate;   /* held by the test to keep the threads from going on */
};

struct job {
	struct common *common;
	unsigned int number, result;
};

static void *
open_worker(const void *arg, struct err *e)
{
	struct common *c = (struct common *)(uintptr_t)arg;

	if (atomic_fetch_add(&c->opened, 1) < c->fail_from)
		return c;
	err_set(e, ERR_NOT_FOUND, "no state here");
	return NULL;
}

static void
close_worker(void *worker)
{
	struct common *c = worker;

	atomic_fetch_add(&c->closed, 1);
}

static void
run(void *worker, void *arg)
{
	struct common *c = worker;
	struct job *job = arg;

	(void)pthread_mutex_lock(&c->gate);
	(void)pthread_mutex_unlock(&c->gate);
	job->result = job->number * 2;
	atomic_fetch_add(&c->run, 1);
}

static void
release(void *arg)
{
	const struct job *job = arg;

	atomic_fetch_add(&job->common->released, 1);
}

static const struct pool_kind kind = {
	.what = "test",
	.job_size = sizeof(struct job),
	.window = WINDOW,
	.open = open_worker,
	.close = close_worker,
	.run = run,
	.release = release,
};

static struct pool *
start(struct common *c, unsigned int threads)
{
	struct err e = ERR_INIT;
	struct pool *p = pool_start(&kind, c, threads, &e);

	assert_ok(p == NULL, e);
	return p;
}

static bool
put(struct pool *p, struct common *c, unsigned int number)
{
	struct job *job = pool_room(p);

	if (job == NULL)
		return false;
	assert_int_equal(job->number, 0);
	assert_int_equal(job->result, 0);
	*job = (struct job){ .common = c, .number = number };
	pool_put(p);
	return true;
}

static size_t
wait_for(struct pool *p, size_t n, unsigned int milliseconds)
{
	struct err e = ERR_INIT;
	size_t done = 0;

	assert_ok(pool_wait(p, n, milliseconds, &done, &e), e);
	assert_true(done <= n);
	return done;
}

static void
test_jobs_come_back_in_order(void **state)
{
	struct common c = { .fail_from = 1000, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct pool *p = start(&c, 4);
	unsigned int put_in = 0, taken = 0;

	(void)state;
	while (taken < 5000) {
		size_t done;

		while (put_in < 5000 && put(p, &c, put_in + 1))
			put_in++;
		done = wait_for(p, 1 + taken % WINDOW < pool_held(p) ? 1 + taken % WINDOW : pool_held(p), FOREVER_MS);
		for (size_t i = 0; i < done; i++) {
			const struct job *job = pool_job(p, i);

			assert_int_equal(job->number, taken + i + 1);
			assert_int_equal(job->result, 2 * job->number);
		}
		pool_take(p, done);
		taken += (unsigned int)done;
	}
	assert_int_equal(pool_held(p), 0);
	pool_free(p);
	assert_int_equal(c.run, 5000);
	assert_int_equal(c.released, 5000);
	assert_int_equal(c.opened, 4);
	assert_int_equal(c.closed, 4);
}

/* Memory does not grow with the fleet. */
static void
test_window_is_the_limit(void **state)
{
	struct common c = { .fail_from = 1000, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct pool *p;
	unsigned int n = 0;

	(void)state;
	(void)pthread_mutex_lock(&c.gate);
	p = start(&c, 2);
	while (put(p, &c, n + 1))
		n++;
	assert_int_equal(n, WINDOW);
	assert_int_equal(wait_for(p, 1, 20), 0);
	(void)pthread_mutex_unlock(&c.gate);
	assert_int_equal(wait_for(p, WINDOW, FOREVER_MS), WINDOW);
	assert_null(pool_room(p));
	pool_take(p, 3);
	assert_non_null(pool_room(p));
	assert_int_equal(pool_held(p), WINDOW - 3);
	pool_free(p);
	assert_int_equal(c.released, WINDOW);
}

/* Ctrl-C: what is under way is finished, the rest is forgotten, and all of it is freed. */
static void
test_stop_ends_what_is_under_way(void **state)
{
	struct common c = { .fail_from = 1000, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct pool *p;
	size_t held;

	(void)state;
	(void)pthread_mutex_lock(&c.gate);
	p = start(&c, 1);
	for (unsigned int i = 0; i < WINDOW; i++)
		assert_true(put(p, &c, i + 1));
	pool_stop(p);
	held = pool_held(p);
	assert_true(held <= 1);
	(void)pthread_mutex_unlock(&c.gate);
	assert_int_equal(wait_for(p, held, FOREVER_MS), held);
	pool_take(p, held);
	assert_int_equal(pool_held(p), 0);
	pool_free(p);
	assert_int_equal(c.run, held);
	assert_int_equal(c.released, WINDOW);
}

/* The state cannot be opened by any thread: the command says why, and does not wait for ever. */
static void
test_no_thread_can_begin(void **state)
{
	struct common c = { .fail_from = 0, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct pool *p = start(&c, 2);
	struct err e = ERR_INIT;
	size_t done;

	(void)state;
	assert_true(put(p, &c, 1));
	assert_fails(pool_wait(p, 1, FOREVER_MS, &done, &e), e, ERR_NOT_FOUND, "no state here");
	assert_int_equal(done, 0);
	pool_free(p);
	assert_int_equal(c.released, 1);
	assert_int_equal(c.closed, 0);
}

/* One that can is enough. */
static void
test_one_thread_can_begin(void **state)
{
	struct common c = { .fail_from = 1, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct pool *p = start(&c, 3);

	(void)state;
	for (unsigned int i = 0; i < WINDOW; i++)
		assert_true(put(p, &c, i + 1));
	assert_int_equal(wait_for(p, WINDOW, FOREVER_MS), WINDOW);
	pool_free(p);
	assert_int_equal(c.closed, 1);
}

static void
test_nothing_put_in(void **state)
{
	struct common c = { .fail_from = 1000, .gate = PTHREAD_MUTEX_INITIALIZER };

	(void)state;
	pool_free(start(&c, 2));
	pool_free(NULL);
	assert_int_equal(c.released, 0);
	assert_int_equal(c.opened, c.closed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs_come_back_in_order),
		cmocka_unit_test(test_window_is_the_limit),
		cmocka_unit_test(test_stop_ends_what_is_under_way),
		cmocka_unit_test(test_no_thread_can_begin),
		cmocka_unit_test(test_one_thread_can_begin),
		cmocka_unit_test(test_nothing_put_in),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
