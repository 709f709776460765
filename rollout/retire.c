/* SPDX-License-Identifier: ISC */
#include "rollout/retire.h"

#include "db/ladder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A generation, and how far it has come. */
struct stage {
	int64_t number;
	unsigned char serial[DB_SERIAL_SIZE];
	bool is_good; /* its certificate can be used */
	bool is_withdrawn;
	bool has[DB_RUNG_SETTLED + 1];
};

/* All that is known of one phone. */
struct history {
	const struct db_phone *phone;
	time_t now;
	struct stage *stages; /* oldest first */
	size_t count, size;
	bool has_session;
	struct db_session session;
	const struct stage *newest, *settled; /* good ones, or NULL */
	int (*each)(const struct retire_item *item, void *arg, struct err *e);
	void *arg;
};

const char *
retire_wait_name(enum retire_wait wait)
{
	static const char *const names[] = {
		[RETIRE_READY] = "ready",
		[RETIRE_OFFER] = "to be offered its successor",
		[RETIRE_FETCH] = "to fetch its successor",
		[RETIRE_CONNECT] = "to connect with its successor, which it has fetched",
		[RETIRE_SETTLE] = "to stay connected with its successor for long enough",
		[RETIRE_FELL_BACK] = "to come back to its successor: it was last seen with another certificate",
		[RETIRE_UNWATCHED] = "to connect anew: with which certificate it is connected, nobody has seen",
		[RETIRE_ROLLED_BACK] = "to be offered its successor again",
	};

	return names[wait];
}

static int
stage_add(const struct db_generation *g, void *arg, struct err *e)
{
	struct history *h = arg;

	if (h->count == h->size) {
		size_t size = h->size == 0 ? 8 : h->size * 2;
		struct stage *stages = reallocarray(h->stages, size, sizeof(*stages));

		if (stages == NULL)
			return err_set(e, ERR_FAILED, "phone %s: no memory for its generations", h->phone->mac);
		h->stages = stages;
		h->size = size;
	}
	h->stages[h->count] = (struct stage){
		.number = g->number, .is_good = g->revoked == 0 && g->not_after > h->now, .is_withdrawn = g->withdrawn
	};
	memcpy(h->stages[h->count++].serial, g->serial, DB_SERIAL_SIZE);
	return 0;
}

static int
step_add(const struct db_step *s, void *arg, struct err *e)
{
	struct history *h = arg;

	(void)e;
	for (size_t i = 0; i < h->count; i++) {
		if (h->stages[i].number == s->number)
			h->stages[i].has[s->rung] = true;
	}
	return 0;
}

static int
history_read(struct db *db, struct history *h, struct err *e)
{
	struct err why = ERR_INIT;

	if (db_generation_each(db, h->phone->id, stage_add, h, e) != 0 ||
	    db_ladder_each(db, h->phone->id, step_add, h, e) != 0)
		return -1;
	h->has_session = db_session_get(db, h->phone->id, &h->session, &why) == 0;
	if (!h->has_session && why.code != ERR_NOT_FOUND) {
		*e = why;
		return -1;
	}
	for (size_t i = 0; i < h->count; i++) {
		if (!h->stages[i].is_good)
			continue;
		h->newest = &h->stages[i];
		/* A phone goes back from what was taken back; that it had settled with it proves nothing any more. */
		if (h->stages[i].has[DB_RUNG_SETTLED] && !h->stages[i].is_withdrawn)
			h->settled = &h->stages[i];
	}
	return 0;
}

/* The newest generation that has this certificate; 0 for an imported one that is on no bundle. */
static int64_t
last_use(const struct history *h, const unsigned char serial[DB_SERIAL_SIZE])
{
	int64_t number = 0;

	for (size_t i = 0; i < h->count; i++) {
		if (memcmp(h->stages[i].serial, serial, DB_SERIAL_SIZE) == 0)
			number = h->stages[i].number;
	}
	return number;
}

static bool
is_superseded_by(const struct stage *s, int64_t use, const unsigned char serial[DB_SERIAL_SIZE])
{
	return s != NULL && use < s->number && memcmp(s->serial, serial, DB_SERIAL_SIZE) != 0;
}

/* The phone has settled with its successor: is there a sign that it is not there any more? */
static enum retire_wait
wait_after(const struct history *h)
{
	if (h->phone->offered < h->settled->number)
		return RETIRE_ROLLED_BACK;
	if (!h->has_session)
		return RETIRE_READY;
	if (!h->session.has_serial)
		return RETIRE_UNWATCHED;
	return h->session.number < h->settled->number ? RETIRE_FELL_BACK : RETIRE_READY;
}

static enum retire_wait
wait_before(const struct history *h)
{
	const struct stage *s = h->newest;

	if (h->phone->offered < s->number)
		return s->is_withdrawn ? RETIRE_ROLLED_BACK : RETIRE_OFFER;
	if (s->has[DB_RUNG_CONNECTED])
		return RETIRE_SETTLE;
	return s->has[DB_RUNG_FETCHED] ? RETIRE_CONNECT : RETIRE_FETCH;
}

static int
certificate_judge(const struct db_certificate *c, void *arg, struct err *e)
{
	const struct history *h = arg;
	struct retire_item item = { .phone = h->phone, .certificate = *c };
	int64_t use = last_use(h, c->serial);

	if (c->revoked != 0 || c->server || c->dropped)
		return 0;
	if (is_superseded_by(h->settled, use, c->serial)) {
		item.successor = h->settled->number;
		item.wait = wait_after(h);
	} else if (is_superseded_by(h->newest, use, c->serial)) {
		item.successor = h->newest->number;
		item.wait = wait_before(h);
	} else {
		return 0;
	}
	return h->each(&item, h->arg, e);
}

int
retire_each(struct db *db, const struct db_phone *p,
    int (*each)(const struct retire_item *item, void *arg, struct err *e), void *arg, struct err *e)
{
	const struct db_certificate_filter filter = { .name = p->mac };
	struct history h = { .phone = p, .now = time(NULL), .each = each, .arg = arg };
	int rc = history_read(db, &h, e);

	/* What has one certificate has none that is superseded. */
	if (rc == 0 && h.newest != NULL)
		rc = db_certificate_each(db, &filter, certificate_judge, &h, e);
	free(h.stages);
	return rc;
}
