/* SPDX-License-Identifier: ISC */
#include "cli/keypool_filler.h"

#include "cli/keypool_worker.h"
#include "common/background.h"
#include "common/log.h"

#include <stdlib.h>

#define BATCH 16       /* keys a transaction */
#define PAUSE_MS 30000 /* before each look */
#define WAIT_MS 200    /* how long the end may go unseen */
#define STOP_S 1

struct keypool_filler {
	const struct db_location *where;
	struct background *thread;
	bool has_warned;
};

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
fill_batch(struct keypool_filler *f, struct background *b, const struct keygen *keygen, struct pool *pool, size_t count,
    struct err *e)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++)
		pool_put(pool);
	while (done < count && !background_wait(b, 0)) {
		if (pool_wait(pool, count, WAIT_MS, &done, e) != 0)
			return -1;
	}
	return done > 0 ? store(f, keygen, pool, done, e) : 0;
}

/* Until none is missing, or they are wanted of another kind: what the settings say may change meanwhile. */
static int
fill(struct keypool_filler *f, struct background *b, struct err *e)
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
		rc = fill_batch(f, b, &common.keygen, pool, missing < BATCH ? missing : BATCH, e);
		if (rc == 0)
			rc = look(f, &wanted, &missing, e);
	} while (rc == 0 && missing > 0 && wanted.how == common.keygen.how && !background_wait(b, 0));
	pool_free(pool);
	return rc;
}

static void
run(struct background *b, void *arg)
{
	struct keypool_filler *f = arg;

	while (!background_wait(b, PAUSE_MS)) {
		struct err e = ERR_INIT;
		int rc = fill(f, b, &e);

		/* Another writer at work is no trouble; it will end. */
		if (rc != 0 && e.code != ERR_CONFLICT && !f->has_warned)
			log_warn("key pool: %s; its keys are made when they are needed", e.text);
		f->has_warned = rc != 0 && (f->has_warned || e.code != ERR_CONFLICT);
	}
}

struct keypool_filler *
keypool_filler_start(const struct db_location *where, struct err *e)
{
	struct keypool_filler *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		err_set(e, ERR_FAILED, "key pool: no memory");
		return NULL;
	}
	f->where = where;
	f->thread = background_start(run, f, "key pool", e);
	if (f->thread == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

bool
keypool_filler_stop(struct keypool_filler *f)
{
	if (f == NULL)
		return true;
	if (!background_stop(f->thread, STOP_S))
		return false;
	free(f);
	return true;
}
