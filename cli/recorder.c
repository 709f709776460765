/* SPDX-License-Identifier: ISC */
#include "cli/recorder.h"

#include "common/log.h"
#include "common/process.h"

#include <netinet/in.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 256 /* notes a transaction */
#define PAUSE_S 1 /* for a batch to gather, and for another writer to end */

/* A first login (rung 0), or a rung. */
struct note {
	time_t at;
	char mac[DB_MAC_SIZE];
	int64_t phone, number;
	int rung;
	bool enrolling;
	char address[INET6_ADDRSTRLEN];
};

struct recorder {
	struct db_location where;
	pthread_t thread;
	pthread_mutex_t writing; /* taken before lock, if both */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void *pending; /* a tree of struct note, by what each is about */
	size_t count;
	bool stop, has_warned;
};

static int
compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int order = compare_numbers(x->rung, y->rung);

	if (order == 0 && x->rung == 0)
		return strcmp(x->mac, y->mac);
	if (order == 0)
		order = compare_numbers(x->phone, y->phone);
	return order != 0 ? order : compare_numbers(x->number, y->number);
}

static void
login_of(const char *mac, struct note *n)
{
	(void)snprintf(n->mac, sizeof(n->mac), "%s", mac);
}

/* It is ours from now on; NULL is taken. */
static void
note_add(struct recorder *r, struct note *n)
{
	struct note **there;

	if (n == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	there = tsearch(n, &r->pending, compare);
	if (there != NULL && *there == n) {
		r->count++;
		(void)pthread_cond_signal(&r->changed);
		n = NULL;
	}
	(void)pthread_mutex_unlock(&r->lock);
	free(n);
}

void
recorder_note_login(struct recorder *r, const char *mac)
{
	struct note *n = calloc(1, sizeof(*n));

	if (n != NULL) {
		login_of(mac, n);
		n->at = time(NULL);
	}
	note_add(r, n);
}

void
recorder_note_rung(struct recorder *r, const struct db_step *step, const char *address, bool enrolling)
{
	struct note *n = calloc(1, sizeof(*n));

	if (n != NULL) {
		n->phone = step->phone;
		n->number = step->number;
		n->rung = (int)step->rung;
		n->at = step->at;
		n->enrolling = enrolling;
		(void)snprintf(n->address, sizeof(n->address), "%s", address);
	}
	note_add(r, n);
}

bool
recorder_has_login(struct recorder *r, const char *mac)
{
	struct note key = { .rung = 0 };
	bool has;

	login_of(mac, &key);
	(void)pthread_mutex_lock(&r->lock);
	has = tfind(&key, &r->pending, compare) != NULL;
	(void)pthread_mutex_unlock(&r->lock);
	return has;
}

void
recorder_hold(struct recorder *r)
{
	(void)pthread_mutex_lock(&r->writing);
}

void
recorder_release(struct recorder *r)
{
	(void)pthread_mutex_unlock(&r->writing);
}

/* A copy of notes, and room for them as the database takes them. */
struct batch {
	struct note *notes;
	size_t count;
	struct db_login *logins;
	struct db_step *steps;
};

static void
batch_release(struct batch *b)
{
	free(b->notes);
	free(b->logins);
	free(b->steps);
}

static void
batch_add(const void *node, VISIT visit, void *arg)
{
	struct batch *b = arg;

	if (visit == postorder || visit == leaf)
		b->notes[b->count++] = **(struct note *const *)node;
}

/* Of all that is pending, in the tree's order. False when there is none, or no memory for it. */
static bool
batch_take(struct recorder *r, struct batch *b)
{
	*b = (struct batch){ .count = 0 };
	(void)pthread_mutex_lock(&r->lock);
	if (r->count > 0) {
		b->notes = calloc(r->count, sizeof(*b->notes));
		b->logins = calloc(BATCH, sizeof(*b->logins));
		b->steps = calloc(BATCH, sizeof(*b->steps));
	}
	if (b->notes != NULL && b->logins != NULL && b->steps != NULL)
		twalk_r(r->pending, batch_add, b);
	(void)pthread_mutex_unlock(&r->lock);
	if (b->count == 0)
		batch_release(b);
	return b->count > 0;
}

/* They are on record. */
static void
pending_remove(struct recorder *r, const struct note *notes, size_t count)
{
	(void)pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < count; i++) {
		struct note **there = tfind(&notes[i], &r->pending, compare), *n;

		if (there == NULL)
			continue;
		n = *there;
		(void)tdelete(n, &r->pending, compare);
		free(n);
		r->count--;
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static void
step_of(const struct note *n, struct db_step *s)
{
	s->phone = n->phone;
	s->number = n->number;
	s->rung = (enum db_rung)n->rung;
	s->at = n->at;
	(void)snprintf(s->source, sizeof(s->source), "from %s by serve%s", n->address,
	    n->enrolling ? ", when it enrolled" : "");
}

/* Up to BATCH of them; each of the two lists is all or none, and what is told twice counts once. */
static int
notes_record(struct db *db, const struct batch *b, const struct note *notes, size_t count, struct err *e)
{
	size_t logins = 0, steps = 0;

	for (size_t i = 0; i < count; i++) {
		if (notes[i].rung == 0) {
			b->logins[logins].when = notes[i].at;
			memcpy(b->logins[logins++].mac, notes[i].mac, sizeof(notes[i].mac));
		} else {
			step_of(&notes[i], &b->steps[steps++]);
		}
	}
	if (logins > 0 && db_login_record(db, b->logins, logins, e) != 0)
		return -1;
	return steps > 0 ? db_ladder_record(db, b->steps, steps, e) : 0;
}

static int
store(struct recorder *r, const struct batch *b, const struct note *notes, size_t count, struct err *e)
{
	struct db *db;
	int rc;

	recorder_hold(r);
	db = db_open_writer(&r->where, e);
	rc = db != NULL ? notes_record(db, b, notes, count, e) : -1;
	db_close(db);
	recorder_release(r);
	if (rc == 0)
		pending_remove(r, notes, count);
	return rc;
}

static void
flush(struct recorder *r)
{
	struct err e = ERR_INIT;
	struct batch b;
	int rc = 0;

	if (!batch_take(r, &b))
		return;
	for (size_t i = 0; i < b.count && rc == 0; i += BATCH)
		rc = store(r, &b, &b.notes[i], b.count - i < BATCH ? b.count - i : BATCH, &e);
	/* Another writer at work is no trouble; it will end. */
	if (rc != 0 && e.code != ERR_CONFLICT && !r->has_warned)
		log_warn("what phones have fetched, and their first logins: %s; tried again", e.text);
	r->has_warned = rc != 0 && (r->has_warned || e.code != ERR_CONFLICT);
	batch_release(&b);
}

/* Until there is something, and then a while for more to come. False at the end. */
static bool
wait_pending(struct recorder *r)
{
	struct timespec until;
	bool go_on;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stop && r->count == 0)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PAUSE_S;
	while (!r->stop && pthread_cond_timedwait(&r->changed, &r->lock, &until) == 0)
		;
	go_on = !r->stop;
	(void)pthread_mutex_unlock(&r->lock);
	return go_on;
}

static void *
run(void *arg)
{
	struct recorder *r = arg;

	while (wait_pending(r))
		flush(r);
	flush(r);
	return NULL;
}

static void
recorder_free(struct recorder *r)
{
	tdestroy(r->pending, free);
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_mutex_destroy(&r->writing);
	free(r);
}

struct recorder *
recorder_start(const struct db_location *where, struct err *e)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int failed;

	if (r == NULL) {
		err_set(e, ERR_FAILED, "record of phones: no memory");
		return NULL;
	}
	r->where = *where;
	(void)pthread_mutex_init(&r->writing, NULL);
	(void)pthread_mutex_init(&r->lock, NULL);
	process_cond_init(&r->changed);
	failed = pthread_create(&r->thread, NULL, run, r);
	if (failed == 0)
		return r;
	recorder_free(r);
	err_errno(e, ERR_FAILED, failed, "record of phones: thread");
	return NULL;
}

void
recorder_stop(struct recorder *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_signal(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(r->thread, NULL);
	recorder_free(r);
}
