/* SPDX-License-Identifier: ISC */
#include "cli/login_recorder.h"

#include "common/log.h"
#include "common/process.h"

#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 256 /* logins a transaction */
#define PAUSE_S 1 /* for a batch to gather, and for another writer to end */

struct login_recorder {
	struct db_location where;
	pthread_t thread;
	pthread_mutex_t writing; /* taken before lock, if both */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void *pending; /* a tree of struct db_login, by MAC */
	size_t count;
	bool stop, has_warned;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct db_login *)a)->mac, ((const struct db_login *)b)->mac);
}

static void
key_of(const char *mac, struct db_login *key)
{
	(void)snprintf(key->mac, sizeof(key->mac), "%s", mac);
}

void
login_recorder_note(struct login_recorder *r, const char *mac)
{
	struct db_login *login = calloc(1, sizeof(*login)), **there;

	if (login == NULL)
		return;
	key_of(mac, login);
	login->when = time(NULL);
	(void)pthread_mutex_lock(&r->lock);
	there = tsearch(login, &r->pending, compare);
	if (there != NULL && *there == login) {
		r->count++;
		(void)pthread_cond_signal(&r->changed);
		login = NULL;
	}
	(void)pthread_mutex_unlock(&r->lock);
	free(login);
}

bool
login_recorder_has(struct login_recorder *r, const char *mac)
{
	struct db_login key = { .when = 0 };
	bool has;

	key_of(mac, &key);
	(void)pthread_mutex_lock(&r->lock);
	has = tfind(&key, &r->pending, compare) != NULL;
	(void)pthread_mutex_unlock(&r->lock);
	return has;
}

void
login_recorder_hold(struct login_recorder *r)
{
	(void)pthread_mutex_lock(&r->writing);
}

void
login_recorder_release(struct login_recorder *r)
{
	(void)pthread_mutex_unlock(&r->writing);
}

struct list {
	struct db_login *logins;
	size_t count;
};

static void
list_add(const void *node, VISIT visit, void *arg)
{
	struct list *list = arg;

	if (visit == postorder || visit == leaf)
		list->logins[list->count++] = **(struct db_login *const *)node;
}

/* A copy of all that is pending, in memory that the caller frees. NULL for none. */
static struct db_login *
pending_copy(struct login_recorder *r, size_t *ret_count)
{
	struct list list = { .count = 0 };

	(void)pthread_mutex_lock(&r->lock);
	if (r->count > 0)
		list.logins = calloc(r->count, sizeof(*list.logins));
	if (list.logins != NULL)
		twalk_r(r->pending, list_add, &list);
	(void)pthread_mutex_unlock(&r->lock);
	*ret_count = list.count;
	return list.logins;
}

/* They are on record. */
static void
pending_remove(struct login_recorder *r, const struct db_login *logins, size_t count)
{
	(void)pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < count; i++) {
		struct db_login **there = tfind(&logins[i], &r->pending, compare), *login;

		if (there == NULL)
			continue;
		login = *there;
		(void)tdelete(login, &r->pending, compare);
		free(login);
		r->count--;
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static int
store(struct login_recorder *r, const struct db_login *logins, size_t count, struct err *e)
{
	struct db *db;
	int rc;

	login_recorder_hold(r);
	db = db_open_writer(&r->where, e);
	rc = db != NULL ? db_login_record(db, logins, count, e) : -1;
	db_close(db);
	login_recorder_release(r);
	if (rc == 0)
		pending_remove(r, logins, count);
	return rc;
}

static void
flush(struct login_recorder *r)
{
	struct err e = ERR_INIT;
	size_t count = 0;
	struct db_login *logins = pending_copy(r, &count);
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i += BATCH)
		rc = store(r, &logins[i], count - i < BATCH ? count - i : BATCH, &e);
	/* Another writer at work is no trouble; it will end. */
	if (rc != 0 && e.code != ERR_CONFLICT && !r->has_warned)
		log_warn("phones' first logins: %s; tried again", e.text);
	r->has_warned = rc != 0 && (r->has_warned || e.code != ERR_CONFLICT);
	free(logins);
}

/* Until there is something, and then a while for more to come. False at the end. */
static bool
wait_pending(struct login_recorder *r)
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
	struct login_recorder *r = arg;

	while (wait_pending(r))
		flush(r);
	flush(r);
	return NULL;
}

static void
recorder_free(struct login_recorder *r)
{
	tdestroy(r->pending, free);
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_mutex_destroy(&r->writing);
	free(r);
}

struct login_recorder *
login_recorder_start(const struct db_location *where, struct err *e)
{
	struct login_recorder *r = calloc(1, sizeof(*r));
	int failed;

	if (r == NULL) {
		err_set(e, ERR_FAILED, "phones' first logins: no memory");
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
	err_errno(e, ERR_FAILED, failed, "phones' first logins: thread");
	return NULL;
}

void
login_recorder_stop(struct login_recorder *r)
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
