/* SPDX-License-Identifier: ISC */
#include "cli/rollout_engine.h"

#include "cli/mint_means.h"
#include "cli/render.h"
#include "cli/rollout_guard.h"
#include "common/log.h"
#include "rollout/engine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct host {
	const struct db_location *where;
	struct db *db;
	struct mint_means means; /* opened when something has to be made */
	bool has_means;
	struct rollout_progress *progress;
};

/* ---- what the engine asks for ---- */

static void
item_fail(struct engine_item *item, enum member_why why, const char *detail)
{
	item->why = why;
	(void)snprintf(item->detail, sizeof(item->detail), "%s", detail);
}

/* What the rollout does to a phone; MINT_TURNED_DOWN with the item failed. */
static enum mint_action
action_of(const struct host *h, const struct plan *plan, const struct db_phone *p, struct engine_item *item)
{
	struct mint_wish wish = h->means.wish;
	struct err why = ERR_INIT;
	enum mint_action action;

	wish.renew = plan->what == PLAN_RENEW;
	wish.rekey = plan->what == PLAN_REKEY;
	action = mint_plan(p, &wish, false, &why);
	if (action == MINT_TURNED_DOWN)
		item_fail(item, MEMBER_NOT_MINTED, why.text);
	/* "retry --new": with the certificate that it has it might be the very file, which it would not fetch again. */
	if (item->member.former != 0 && action != MINT_TURNED_DOWN && action != MINT_KEY)
		return MINT_CERTIFICATE;
	/* One that an interrupted run of "mint" has left is not this rollout's. */
	return action == MINT_OFFER ? MINT_PROFILE : action;
}

static int
item_put(struct host *h, struct mint_maker *maker, const struct plan *plan, struct engine_item *item, struct err *e)
{
	enum mint_action action;
	struct db_phone p;

	if (db_phone_get(h->db, item->member.mac, &p, e) != 0)
		return -1;
	action = action_of(h, plan, &p, item);
	if (action == MINT_TURNED_DOWN)
		return 0;
	/* Somebody has given it all that it was to get. */
	if (action == MINT_NOTHING)
		return db_member_target(h->db, maker->rollout, p.id, p.newest, e);
	return mint_maker_put(maker, &p, action, e);
}

static int
items_put(struct host *h, struct mint_maker *maker, const struct plan *plan, struct engine_item *items, size_t count,
    struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].member.target == 0 && items[i].why == MEMBER_FINE &&
		    item_put(h, maker, plan, &items[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
items_make(struct host *h, int64_t rollout, const struct plan *plan, struct engine_item *items, size_t count,
    struct err *e)
{
	struct mint_maker maker;
	int rc;

	mint_means_maker(&h->means, h->where, count, &maker);
	maker.rollout = rollout;
	rc = mint_maker_start(&maker, e);
	if (rc == 0)
		rc = items_put(h, &maker, plan, items, count, e);
	if (rc == 0)
		rc = mint_maker_finish(&maker, e);
	mint_maker_release(&maker);
	return rc;
}

/* It is the phone's own state that keeps it from being made, and no disk or memory. */
static bool
is_of_phone(const struct err *e)
{
	return e->code == ERR_INTEGRITY || e->code == ERR_NOT_FOUND || e->code == ERR_INPUT;
}

static bool
has_to_be_made(const struct engine_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].member.target == 0)
			return true;
	}
	return false;
}

static int
make(void *arg, const struct db_rollout *r, const struct plan *plan, struct engine_item *items, size_t count,
    struct err *e)
{
	struct host *h = arg;
	struct err why = ERR_INIT;

	if (!has_to_be_made(items, count))
		return 0;
	if (!h->has_means && mint_means_open(h->db, NULL, &h->means, e) != 0)
		return -1;
	h->has_means = true;
	if (items_make(h, r->id, plan, items, count, &why) == 0)
		return 0;
	/* Which of them it was shows one by one; the others are not kept from it. */
	for (size_t i = 0; i < count && is_of_phone(&why); i++) {
		struct err mine = ERR_INIT;

		/* It may have been stored before another one failed. */
		if (db_member_get(h->db, r->id, items[i].member.phone, &items[i].member, e) != 0)
			return -1;
		if (items_make(h, r->id, plan, &items[i], 1, &mine) == 0)
			continue;
		if (!is_of_phone(&mine))
			why = mine;
		else
			item_fail(&items[i], MEMBER_NOT_MINTED, mine.text);
	}
	if (is_of_phone(&why))
		return 0;
	return err_set(e, why.code, "%s", why.text);
}

/* As it comes back to the VPN, or does not, when it is offered its generation now. */
static int
item_guard(struct rollout_guard *g, struct db *db, const struct plan *plan, time_t now, const struct buf *bundle,
    struct engine_item *item, struct err *e)
{
	const struct guard_kind *kind;
	struct guard_phone p = { .offered = now,
		.settled = now + (time_t)(plan->deadline > 0 ? plan->deadline : plan->soak) };
	struct db_candidate c;

	if (db_candidate_get(db, item->member.mac, &c, e) != 0 || (kind = rollout_guard_kind(g, &c, bundle, e)) == NULL)
		return -1;
	p.not_after = c.offered_end;
	p.is_revoked = c.is_seen_revoked;
	if (rollout_guard_judge(g, kind, &p, item->detail) != GUARD_FINE)
		item->why = MEMBER_HELD_BACK;
	return 0;
}

static int
look(void *arg, const struct db_rollout *r, const struct plan *plan, struct engine_item *items, size_t count,
    struct err *e)
{
	struct host *h = arg;
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	time_t now = time(NULL);
	struct rollout_guard *guard = rollout_guard_open(h->db, NULL, plan, now, e);
	int rc = guard != NULL ? 0 : -1;

	(void)r;
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct engine_item *item = &items[i];
		struct err mine = ERR_INIT;

		if (item->why != MEMBER_FINE)
			continue;
		buf_clear(&bundle);
		if (render_bundle(h->db, item->member.mac, item->member.target, NULL, &bundle, NULL, &mine) != 0)
			item_fail(item, MEMBER_NOT_MINTED, mine.text);
		else if (!item->member.forced)
			rc = item_guard(guard, h->db, plan, now, &bundle, item, e);
	}
	rollout_guard_free(guard);
	buf_release(&bundle);
	return rc;
}

static void
tell(void *arg, const struct db_rollout *r, bool is_bad, const char *text)
{
	(void)arg;
	if (is_bad)
		log_warn("rollout %s: %s", r->name, text);
	else
		log_info("rollout %s: %s", r->name, text);
}

/* ---- all rollouts ---- */

static bool
is_open(const struct db_rollout *r)
{
	return r->state == DB_ROLLOUT_RUNNING || r->state == DB_ROLLOUT_PAUSED;
}

static int
open_find(const struct db_rollout *r, void *arg, struct err *e)
{
	bool *found = arg;

	(void)e;
	*found = *found || is_open(r);
	return 0;
}

int
rollout_engine_is_needed(struct db *db, bool *ret, struct err *e)
{
	*ret = false;
	return db_rollout_each(db, open_find, ret, e);
}

static int
rollout_step(const struct db_rollout *found, void *arg, struct err *e)
{
	struct host *h = arg;
	const struct engine engine = { .db = h->db, .make = make, .look = look, .tell = tell, .arg = h };
	struct db_rollout r = *found;
	struct engine_progress p;

	if (!is_open(&r))
		return 0;
	if (engine_step(&engine, &r, time(NULL), &p, e) != 0)
		return -1;
	h->progress->has_more = h->progress->has_more || p.has_more;
	if (p.until != 0 && (h->progress->until == 0 || p.until < h->progress->until))
		h->progress->until = p.until;
	h->progress->open += r.state == DB_ROLLOUT_RUNNING;
	h->progress->offered += p.offered;
	h->progress->settled += p.settled;
	h->progress->failed += p.failed;
	return 0;
}

int
rollout_engine_step(const struct db_location *where, struct rollout_progress *ret, struct err *e)
{
	struct host h = { .where = where, .progress = ret };
	int rc = -1;

	*ret = (struct rollout_progress){ .has_more = false };
	h.db = db_open_writer(where, e);
	if (h.db != NULL)
		rc = db_rollout_each(h.db, rollout_step, &h, e);
	mint_means_release(&h.means);
	db_close(h.db);
	return rc;
}
