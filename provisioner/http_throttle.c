/* SPDX-License-Identifier: ISC */
#include "provisioner/http_throttle.h"

#include "common/process.h"
#include "provisioner/http_internal.h"
#include "provisioner/metrics.h"

#include <stdlib.h>
#include <time.h>

#define TICK_NS 50000000 /* how late a turn may be told */

_Static_assert(THROTTLE_WAIT_SECONDS < HTTP_ANSWER_SECONDS, "who waits for a turn would run out of time");

struct http_throttle {
	struct throttle *debts;
	size_t max;
	pthread_t watch;
	pthread_mutex_t lock;
	pthread_cond_t change; /* somebody waits, or the end */
	struct http_request *waiting;
	size_t count;
	bool ending, ended;
	atomic_ulong delayed;
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Those whose turn has come go on; at the end all do. Under the lock. */
static void
resume_due(struct http_throttle *t)
{
	uint64_t now = now_ms();
	struct http_request **at = &t->waiting, *q;

	while ((q = *at) != NULL) {
		if (q->turn > now && !t->ending) {
			at = &q->next_waiting;
			continue;
		}
		*at = q->next_waiting;
		t->count--;
		/* From here on it is its own thread's again. */
		MHD_resume_connection(q->connection);
	}
}

static void *
watch(void *arg)
{
	struct http_throttle *t = arg;
	struct timespec until;

	(void)pthread_mutex_lock(&t->lock);
	while (!t->ending) {
		if (t->waiting == NULL) {
			(void)pthread_cond_wait(&t->change, &t->lock);
			continue;
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		while (!t->ending && pthread_cond_timedwait(&t->change, &t->lock, &until) == 0)
			;
		resume_due(t);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void
throttle_release(struct http_throttle *t)
{
	(void)pthread_cond_destroy(&t->change);
	(void)pthread_mutex_destroy(&t->lock);
	throttle_free(t->debts);
	free(t);
}

struct http_throttle *
http_throttle_new(size_t max, struct err *e)
{
	struct http_throttle *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL) {
		(void)err_set(e, ERR_FAILED, "HTTP server: no memory is left to start it");
		return NULL;
	}
	t->max = max;
	(void)pthread_mutex_init(&t->lock, NULL);
	process_cond_init(&t->change);
	t->debts = throttle_new(e);
	if (t->debts == NULL) {
		throttle_release(t);
		return NULL;
	}
	rc = pthread_create(&t->watch, NULL, watch, t);
	if (rc == 0)
		return t;
	(void)err_errno(e, ERR_FAILED, rc, "HTTP server: no thread can be started");
	throttle_release(t);
	return NULL;
}

void
http_throttle_end(struct http_throttle *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->ending = true;
	resume_due(t);
	(void)pthread_cond_signal(&t->change);
	(void)pthread_mutex_unlock(&t->lock);
	if (!t->ended)
		(void)pthread_join(t->watch, NULL);
	t->ended = true;
}

void
http_throttle_free(struct http_throttle *t)
{
	if (t == NULL)
		return;
	http_throttle_end(t);
	throttle_release(t);
}

/* Suspend its connection. The watch resumes it under the same lock, so never before it is suspended. */
static enum http_turn
wait_for_turn(struct http_throttle *t, struct http_request *q, unsigned int ms)
{
	enum http_turn turn = HTTP_TURN_LATER;

	(void)pthread_mutex_lock(&t->lock);
	if (t->ending) {
		turn = HTTP_TURN_NOW;
	} else if (t->count >= t->max) {
		turn = HTTP_TURN_FULL;
	} else {
		q->turn = now_ms() + ms;
		q->next_waiting = t->waiting;
		if (t->waiting == NULL)
			(void)pthread_cond_signal(&t->change);
		t->waiting = q;
		t->count++;
		http_limit_answer(q->limited, 0);
		MHD_suspend_connection(q->connection);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return turn;
}

enum http_turn
http_throttle_enter(struct http_request *q, const char *user)
{
	struct http_throttle *t = q->server->throttle;
	enum http_turn turn = HTTP_TURN_NOW;
	unsigned int ms;

	q->throttled.address = q->address;
	q->throttled.address_len = q->address_len;
	q->throttled.user = user;
	switch (throttle_enter(t->debts, &q->throttled, now_ms(), &ms)) {
	case THROTTLE_NOW:
		return HTTP_TURN_NOW;
	case THROTTLE_WAIT:
		turn = wait_for_turn(t, q, ms);
		break;
	case THROTTLE_FULL:
		turn = HTTP_TURN_FULL;
		break;
	}
	if (turn == HTTP_TURN_LATER)
		atomic_fetch_add_explicit(&t->delayed, 1, memory_order_relaxed);
	else
		throttle_leave(t->debts, &q->throttled, now_ms(), false);
	return turn;
}

void
http_throttle_leave(struct http_request *q)
{
	bool wrong = q->login == HTTP_LOGIN_WRONG || q->login == HTTP_LOGIN_UNKNOWN;

	throttle_leave(q->server->throttle->debts, &q->throttled, now_ms(), wrong);
}

void
http_throttle_render(struct http_throttle *t, struct buf *out)
{
	size_t count;

	(void)pthread_mutex_lock(&t->lock);
	count = t->count;
	(void)pthread_mutex_unlock(&t->lock);
	metrics_single(out, "phonevpn_http_logins_delayed_total", METRICS_COUNTER,
	    "Logins that had to wait for their turn, as address and user had sent many wrong passwords.",
	    (double)atomic_load_explicit(&t->delayed, memory_order_relaxed));
	metrics_single(out, "phonevpn_http_logins_waiting", METRICS_GAUGE, "Logins that wait for their turn now.",
	    (double)count);
}
