/* SPDX-License-Identifier: ISC */
#include "cli/crl_keeper.h"

#include "cli/crl_publish.h"
#include "cli/crl_renew.h"
#include "common/background.h"
#include "common/log.h"
#include "db/authority.h"

#include <stdlib.h>
#include <time.h>

#define LOOK_MS 5000
#define AGAIN_S 3600 /* also when nothing has changed here: somebody may have changed the folder */
#define STOP_S 5

struct crl_keeper {
	const struct db_location *where;
	struct background *thread;
	bool has_warned;
	uint64_t published; /* sum of the CRLs' numbers, each of which only grows */
	time_t next;        /* when to publish in any case */
};

static int
numbers_sum(struct db *db, uint64_t *ret, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;

	if (db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	*ret = count;
	for (size_t i = 0; i < count; i++)
		*ret += all[i].crl_number;
	db_authority_free(all, count);
	return 0;
}

static int
renew(const struct crl_keeper *k, struct err *e)
{
	struct db *db = db_open_writer(k->where, e);
	int rc = db != NULL ? crl_renew_due(db, false, e) : -1;

	db_close(db);
	if (rc == 0)
		log_info("a CRL was renewed, as half of its life was over");
	return rc;
}

static int
publish(struct crl_keeper *k, struct db *db, struct err *e)
{
	struct settings s;
	uint64_t sum = 0;

	if (settings_load(db, &s, e) != 0 || numbers_sum(db, &sum, e) != 0)
		return -1;
	if (s.value[SET_SERVER_DIR][0] == '\0' || (sum == k->published && time(NULL) < k->next))
		return 0;
	if (crl_publish(db, &s, e) != 0)
		return -1;
	k->published = sum;
	k->next = time(NULL) + AGAIN_S;
	return 0;
}

static void
look(struct crl_keeper *k)
{
	struct err e = ERR_INIT;
	struct db *db = db_open(k->where, &e);
	bool is_due = false;
	int rc = db != NULL ? crl_is_due(db, false, &is_due, &e) : -1;

	if (rc == 0 && is_due)
		rc = renew(k, &e);
	if (rc == 0)
		rc = publish(k, db, &e);
	db_close(db);
	/* Another writer at work is no trouble; it will end. */
	if (rc != 0 && e.code != ERR_CONFLICT && !k->has_warned)
		log_warn("CRL: %s; tried again", e.text);
	k->has_warned = rc != 0 && (k->has_warned || e.code != ERR_CONFLICT);
}

static void
run(struct background *b, void *arg)
{
	struct crl_keeper *k = arg;

	while (!background_wait(b, LOOK_MS))
		look(k);
}

struct crl_keeper *
crl_keeper_start(const struct db_location *where, struct err *e)
{
	struct crl_keeper *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		err_set(e, ERR_FAILED, "CRL: no memory");
		return NULL;
	}
	k->where = where;
	k->thread = background_start(run, k, "CRL", e);
	if (k->thread == NULL) {
		free(k);
		return NULL;
	}
	return k;
}

bool
crl_keeper_stop(struct crl_keeper *k)
{
	if (k == NULL)
		return true;
	if (!background_stop(k->thread, STOP_S))
		return false;
	free(k);
	return true;
}
