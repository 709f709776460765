/* SPDX-License-Identifier: ISC */
#include "rollout/engine.h"

#include "common/text.h"
#include "rollout/decide.h"
#include "rollout/stage.h"

#include <stdio.h>
#include <stdlib.h>

#define CHANGES 256       /* a transaction */
#define CHANGED_MAX 20000 /* phones a step, which others wait for */

struct step {
	const struct engine *engine;
	struct db_rollout *rollout;
	struct plan plan;
	time_t now;
	struct engine_progress *progress;
	struct db_member_change changes[CHANGES];
	size_t change_count, changed;
	struct engine_item items[ENGINE_BATCH];
	size_t item_count, item_limit;
};

/* ---- how far the phones have come ---- */

static int
changes_store(struct step *s, struct err *e)
{
	size_t count = s->change_count;

	s->change_count = 0;
	return count == 0 ? 0 : db_member_change(s->engine->db, s->rollout, s->changes, count, s->now, e);
}

static int
change_add(struct step *s, const struct db_member_change *c, struct err *e)
{
	s->changes[s->change_count++] = *c;
	return s->change_count < CHANGES ? 0 : changes_store(s, e);
}

static void
tell_failed(const struct step *s, const struct db_member *m, const char *why)
{
	char text[ENGINE_DETAIL_SIZE + 64];

	(void)snprintf(text, sizeof(text), "phone %s: %s", m->mac, why);
	s->engine->tell(s->engine->arg, s->rollout, true, text);
}

static int
proof_judge(const struct db_member_proof *p, void *arg, struct err *e)
{
	struct step *s = arg;
	struct db_member_change change = { .phone = p->member.phone };
	enum member_why why;

	/* The rest is for the next step. */
	if (s->changed == CHANGED_MAX)
		return -1;
	change.state = member_judge(p, s->plan.deadline, s->now, &why);
	change.why = (int)why;
	if (change.state == p->member.state && change.why == p->member.why)
		return 0;
	change.detail = change.state == DB_MEMBER_FAILED ? member_why_text(why)
	                                                 : "it stays connected with its new certificate";
	if (change.state == DB_MEMBER_FAILED) {
		s->progress->failed++;
		tell_failed(s, &p->member, change.detail);
	} else if (change.state == DB_MEMBER_SETTLED) {
		s->progress->settled++;
	}
	s->changed++;
	return change_add(s, &change, e);
}

/* ---- offering ---- */

/* Stops the walk when enough are gathered. */
static int
item_add(const struct db_member *m, void *arg, struct err *e)
{
	struct step *s = arg;

	(void)e;
	if (m->wave > s->rollout->wave || s->item_count == s->item_limit)
		return -1;
	s->items[s->item_count++] = (struct engine_item){ .member = *m };
	return 0;
}

static int
items_gather(struct step *s, size_t limit, struct err *e)
{
	const struct db_member_filter filter = { .rollout = s->rollout->id, .state = DB_MEMBER_WAITING };
	struct err why = ERR_INIT;

	s->item_count = 0;
	s->item_limit = limit < ENGINE_BATCH ? limit : ENGINE_BATCH;
	if (db_member_each(s->engine->db, &filter, item_add, s, &why) == 0 || why.code == ERR_NONE)
		return 0;
	*e = why;
	return -1;
}

/* What was made is in the database; what was made long ago may be revoked. */
static int
items_refresh(struct step *s, struct err *e)
{
	for (size_t i = 0; i < s->item_count; i++) {
		struct db_member *m = &s->items[i].member;

		if (db_member_get(s->engine->db, s->rollout->id, m->phone, m, e) != 0)
			return -1;
		if (m->is_revoked && s->items[i].why == MEMBER_FINE) {
			s->items[i].why = MEMBER_REVOKED;
			(void)snprintf(s->items[i].detail, sizeof(s->items[i].detail), "%s",
			    member_why_text(MEMBER_REVOKED));
		}
	}
	return 0;
}

static int
items_fail(struct step *s, struct err *e)
{
	for (size_t i = 0; i < s->item_count; i++) {
		const struct engine_item *item = &s->items[i];
		const struct db_member_change change = { .phone = item->member.phone,
			.state = DB_MEMBER_FAILED,
			.why = (int)item->why,
			.detail = item->detail };

		if (item->why == MEMBER_FINE)
			continue;
		s->progress->failed++;
		tell_failed(s, &item->member, item->detail);
		if (change_add(s, &change, e) != 0)
			return -1;
	}
	return changes_store(s, e);
}

static int
items_offer(struct step *s, struct err *e)
{
	struct db_rollout *r = s->rollout;
	int64_t phones[ENGINE_BATCH];
	size_t count = 0;

	for (size_t i = 0; i < s->item_count; i++) {
		if (s->items[i].why == MEMBER_FINE)
			phones[count++] = s->items[i].member.phone;
	}
	if (count == 0)
		return 0;
	decide_offered(r, count, s->now);
	if (db_member_offer(s->engine->db, r, phones, count, s->now, e) != 0)
		return -1;
	s->progress->offered = count;
	return 0;
}

static int
offer(struct step *s, size_t limit, struct err *e)
{
	const struct engine *g = s->engine;

	if (items_gather(s, limit, e) != 0)
		return -1;
	if (s->item_count == 0)
		return 0;
	if (g->make(g->arg, s->rollout, &s->plan, s->items, s->item_count, e) != 0 || items_refresh(s, e) != 0 ||
	    g->look(g->arg, s->rollout, &s->plan, s->items, s->item_count, e) != 0)
		return -1;
	return items_fail(s, e) == 0 ? items_offer(s, e) : -1;
}

/* ---- the rollout itself ---- */

static int
store(struct step *s, const char *action, const char *detail, struct err *e)
{
	if (db_rollout_set(s->engine->db, s->rollout, action, detail, e) != 0)
		return -1;
	s->engine->tell(s->engine->arg, s->rollout, false, detail);
	return 0;
}

static int
hold(struct step *s, const char *why, struct err *e)
{
	struct db_rollout *r = s->rollout;
	char text[DB_ROLLOUT_WHY_SIZE + 16];

	if (db_rollout_set(s->engine->db, r, "rollout.pause", why, e) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "paused: %s", why);
	s->engine->tell(s->engine->arg, r, true, text);
	return 0;
}

static int
act(struct step *s, const struct decision *d, const struct db_rollout_tally *t, struct err *e)
{
	struct db_rollout *r = s->rollout;
	const size_t *all = t->phones[0];
	char text[128];

	s->progress->has_more = d->what != DECIDE_WAIT && d->what != DECIDE_PAUSE && d->what != DECIDE_DONE;
	s->progress->until = d->until;
	decide_apply(d, r, s->now);
	switch (d->what) {
	case DECIDE_WAIT:
		return 0;
	case DECIDE_OFFER:
		return offer(s, d->count, e);
	case DECIDE_GOOD:
		(void)snprintf(text, sizeof(text), "wave %d has succeeded", r->wave);
		return store(s, "rollout.wave-good", text, e);
	case DECIDE_BAD:
		(void)snprintf(text, sizeof(text), "wave %d has not succeeded any more", r->wave);
		return store(s, "rollout.wave-bad", text, e);
	case DECIDE_NEXT:
		(void)snprintf(text, sizeof(text), "wave %d of %d begins, phones: %zu", r->wave, t->waves,
		    decide_wave_size(t, r->wave));
		return store(s, "rollout.wave", text, e);
	case DECIDE_STAGE:
		(void)snprintf(text, sizeof(text), "stage %d of %d, %s, begins", r->stage, STAGE_LAST,
		    stage_name((enum stage)r->stage));
		return store(s, "rollout.stage", text, e);
	case DECIDE_PAUSE:
		return hold(s, d->why, e);
	case DECIDE_DONE:
		break;
	}
	(void)snprintf(text, sizeof(text), "done; settled %zu, failed %zu, taken out %zu", all[DB_MEMBER_SETTLED],
	    all[DB_MEMBER_FAILED], all[DB_MEMBER_DROPPED]);
	return store(s, "rollout.done", text, e);
}

static int
phones_judge(struct step *s, struct err *e)
{
	struct err why = ERR_INIT;

	if (db_member_proof_each(s->engine->db, s->rollout->id, proof_judge, s, &why) != 0 && why.code != ERR_NONE) {
		*e = why;
		return -1;
	}
	s->progress->has_more = s->changed == CHANGED_MAX;
	return changes_store(s, e);
}

static int
step_run(struct step *s, struct err *e)
{
	struct db *db = s->engine->db;
	struct db_rollout_tally tally;
	struct decision d;

	if (phones_judge(s, e) != 0)
		return -1;
	if (s->progress->has_more)
		return 0;
	if (s->rollout->state != DB_ROLLOUT_RUNNING)
		return 0;
	if (db_rollout_tally(db, s->rollout->id, &tally, e) != 0)
		return -1;
	decide(&s->plan, s->rollout, &tally, s->now, &d);
	return act(s, &d, &tally, e);
}

int
engine_step(const struct engine *g, struct db_rollout *r, time_t now, struct engine_progress *ret, struct err *e)
{
	struct step *s = calloc(1, sizeof(*s));
	int rc;

	*ret = (struct engine_progress){ .has_more = false };
	if (s == NULL)
		return err_set(e, ERR_FAILED, "rollout %s: no memory", r->name);
	s->engine = g;
	s->rollout = r;
	s->now = now;
	s->progress = ret;
	rc = plan_read(r->plan, &s->plan, e);
	s->plan.what = stage_what((enum stage)r->stage, s->plan.what);
	if (rc == 0)
		rc = step_run(s, e);
	free(s);
	return rc == 0 ? 0 : err_prefix(e, "rollout %s", r->name);
}
