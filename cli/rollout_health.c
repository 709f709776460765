/* SPDX-License-Identifier: ISC */
#include "cli/rollout_health.h"

#include "common/text.h"
#include "provisioner/metrics.h"
#include "rollout/decide.h"

#include <stdio.h>
#include <time.h>

struct walk {
	struct db *db;
	time_t now;
	int (*each)(const struct db_rollout *r, const struct rollout_condition *c, void *arg, struct err *e);
	void *arg;
};

const char *
rollout_stand_name(enum rollout_stand stand)
{
	static const char *const names[] = {
		[ROLLOUT_MOVES] = "moves",
		[ROLLOUT_PAUSED] = "paused",
		[ROLLOUT_UNMOVED] = "unmoved",
		[ROLLOUT_STILL] = "still",
	};

	return names[stand];
}

const char *
rollout_condition_text(const struct db_rollout *r, const struct rollout_condition *c, char ret[ROLLOUT_CONDITION_SIZE])
{
	char since[TEXT_TIME_SIZE];

	text_time(c->since, since);
	ret[0] = '\0';
	switch (c->stand) {
	case ROLLOUT_MOVES:
		break;
	case ROLLOUT_PAUSED:
		(void)snprintf(ret, ROLLOUT_CONDITION_SIZE, "the rollout %s is paused: %s", r->name, c->why);
		break;
	case ROLLOUT_UNMOVED:
		(void)snprintf(ret, ROLLOUT_CONDITION_SIZE,
		    "the rollout %s is not moved on since %s; 'phonevpn serve' does that, or 'phonevpn rollout step' from "
		    "a timer",
		    r->name, since);
		break;
	case ROLLOUT_STILL:
		(void)snprintf(ret, ROLLOUT_CONDITION_SIZE, "the rollout %s stands still since %s, waiting for %s",
		    r->name, since, c->why);
		break;
	}
	return ret;
}

json_t *
rollout_condition_json(const struct db_rollout *r, const struct rollout_condition *c)
{
	char since[TEXT_TIME_SIZE];

	text_time(c->since, since);
	return json_pack("{s:s,s:s,s:s,s:s,s:s?}", "name", r->name, "state", db_rollout_state_name(r->state), "stands",
	    rollout_stand_name(c->stand), "since", since, "why", c->why[0] != '\0' ? c->why : NULL);
}

static int
event_time(const struct db_event *event, void *arg, struct err *e)
{
	time_t *latest = arg;

	(void)e;
	if (event->when > *latest)
		*latest = event->when;
	return 0;
}

/* There was something to do all the time since. */
static bool
was_to_do(const struct plan *p, const struct db_rollout *r, const struct db_rollout_tally *t, time_t since, time_t now)
{
	struct decision then, today;

	decide(p, r, t, since, &then);
	decide(p, r, t, now, &today);
	return then.what != DECIDE_WAIT && today.what != DECIDE_WAIT;
}

/* One that runs; ret->since is known. */
static int
running_judge(struct db *db, const struct db_rollout *r, const struct plan *p, time_t now,
    struct rollout_condition *ret, struct err *e)
{
	const time_t grace = now - ROLLOUT_GRACE;
	struct db_rollout_tally t;
	struct db_rollout_pace pace;
	struct plan usual;
	struct decision d;
	time_t patience;

	if (db_rollout_tally(db, r->id, &t, e) != 0 ||
	    db_rollout_pace(db, r->id, p->deadline > 0 ? grace - (time_t)p->deadline : 0, grace, &pace, e) != 0)
		return -1;
	if (pace.latest > ret->since)
		ret->since = pace.latest;
	decide(p, r, &t, now, &d);
	(void)snprintf(ret->why, sizeof(ret->why), "%s", d.why);
	plan_default(&usual);
	patience = (time_t)(p->deadline > 0 ? p->deadline : usual.deadline);
	if (ret->since < grace && (pace.late > 0 || pace.ready > 0 || was_to_do(p, r, &t, grace, now)))
		ret->stand = ROLLOUT_UNMOVED;
	else if (d.what == DECIDE_WAIT && d.until == 0 && ret->since < grace - patience)
		ret->stand = ROLLOUT_STILL;
	return 0;
}

static int
condition_take(const struct db_rollout *r, void *arg, struct err *e)
{
	struct walk *w = arg;
	struct rollout_condition c = { .stand = ROLLOUT_MOVES, .since = r->created };
	struct plan p;

	if (r->state != DB_ROLLOUT_RUNNING && r->state != DB_ROLLOUT_PAUSED)
		return 0;
	if (plan_read(r->plan, &p, e) != 0)
		return err_prefix(e, "rollout %s", r->name);
	if (db_event_each(w->db, r->name, 1, event_time, &c.since, e) != 0)
		return -1;
	if (r->state == DB_ROLLOUT_PAUSED) {
		c.stand = ROLLOUT_PAUSED;
		(void)snprintf(c.why, sizeof(c.why), "%s", r->why);
	} else if (running_judge(w->db, r, &p, w->now, &c, e) != 0) {
		return -1;
	}
	return w->each(r, &c, w->arg, e);
}

int
rollout_condition_each(struct db *db, time_t now,
    int (*each)(const struct db_rollout *r, const struct rollout_condition *c, void *arg, struct err *e), void *arg,
    struct err *e)
{
	struct walk w = { .db = db, .now = now, .each = each, .arg = arg };

	return db_rollout_each(db, condition_take, &w, e);
}

/* ---- metrics ---- */

struct gathered {
	struct db *db;
	size_t rollouts[DB_ROLLOUT_ROLLED_BACK + 1];
	size_t phones[DB_MEMBER_ROLLED_BACK + 1]; /* of those under way */
	size_t stalled;
};

static int
rollout_count(const struct db_rollout *r, void *arg, struct err *e)
{
	struct gathered *g = arg;

	(void)e;
	g->rollouts[r->state]++;
	return 0;
}

static int
condition_count(const struct db_rollout *r, const struct rollout_condition *c, void *arg, struct err *e)
{
	struct gathered *g = arg;
	struct db_rollout_tally t;

	g->stalled += c->stand == ROLLOUT_UNMOVED || c->stand == ROLLOUT_STILL;
	if (db_rollout_tally(g->db, r->id, &t, e) != 0)
		return -1;
	for (enum db_member_state i = DB_MEMBER_WAITING; i <= DB_MEMBER_ROLLED_BACK; i++)
		g->phones[i] += t.phones[0][i];
	return 0;
}

int
rollout_metrics_render(struct db *db, struct buf *out, struct err *e)
{
	static const char rollouts[] = "phonevpn_rollouts", phones[] = "phonevpn_rollout_phones";
	struct gathered g = { .db = db };

	if (db_rollout_each(db, rollout_count, &g, e) != 0 ||
	    rollout_condition_each(db, time(NULL), condition_count, &g, e) != 0)
		return -1;
	metrics_family(out, rollouts, METRICS_GAUGE, "Rollouts by their state.");
	for (enum db_rollout_state i = DB_ROLLOUT_DRAFT; i <= DB_ROLLOUT_ROLLED_BACK; i++)
		metrics_sample(out, rollouts, "state", db_rollout_state_name(i), (double)g.rollouts[i]);
	metrics_family(out, phones, METRICS_GAUGE,
	    "Phones of the rollouts that run or are paused, by their state in them.");
	for (enum db_member_state i = DB_MEMBER_WAITING; i <= DB_MEMBER_ROLLED_BACK; i++)
		metrics_sample(out, phones, "state", db_member_state_name(i), (double)g.phones[i]);
	metrics_single(out, "phonevpn_rollouts_stalled", METRICS_GAUGE,
	    "Rollouts that run, and that nothing moves on, or that wait for longer than a phone has time.",
	    (double)g.stalled);
	return 0;
}
