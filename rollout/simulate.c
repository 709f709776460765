/* SPDX-License-Identifier: ISC */
#include "rollout/simulate.h"

#include "rollout/decide.h"
#include "rollout/event_queue.h"
#include "rollout/model_phone.h"
#include "rollout/random.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP 60 /* seconds between the engine's looks */

struct simulation {
	const struct plan *plan;
	const struct simulate_model *model;
	struct db_rollout rollout;
	struct model_phone *phones;
	size_t count;
	size_t next; /* all before this one have been offered theirs, or never will be */
	struct event_queue queue;
	uint32_t *dirty;
	size_t dirty_count;
	time_t start;
	time_t second; /* to which the counts belong */
	size_t requests, sessions;
	struct simulate_result *result;
};

void
simulate_default(struct simulate_model *m)
{
	*m = (struct simulate_model){
		.asks_every = SIMULATE_ASKS_EVERY,
		.restarts_in = SIMULATE_RESTARTS_IN,
		.connects_in = SIMULATE_CONNECTS_IN,
		.settles_in = SIMULATE_SETTLES_IN,
		.off_for = SIMULATE_OFF_FOR,
		.off = SIMULATE_OFF,
	};
}

/* ---- what phones do ---- */

static void
put(struct simulation *s, size_t phone, const struct model_next *next)
{
	if (next->what != MODEL_NONE)
		event_queue_put(&s->queue,
		    (struct event){ .at = next->at, .phone = (uint32_t)phone, .what = (uint32_t)next->what });
}

static void
peak_count(struct simulate_peak *peak, size_t *in_second)
{
	peak->total++;
	if (++*in_second > peak->most)
		peak->most = *in_second;
}

static void
load_count(struct simulation *s, const struct event *event)
{
	if (event->at != s->second) {
		s->requests = s->sessions = 0;
		s->second = event->at;
	}
	if (event->what == MODEL_ASK || event->what == MODEL_FETCH)
		peak_count(&s->result->requests, &s->requests);
	if (event->what == MODEL_CONNECT)
		peak_count(&s->result->sessions, &s->sessions);
}

static void
events_run(struct simulation *s, time_t now)
{
	const struct event *first;

	while ((first = event_queue_next(&s->queue)) != NULL && first->at <= now) {
		const struct event event = event_queue_take(&s->queue);
		struct model_phone *p = &s->phones[event.phone];
		struct model_next next;

		load_count(s, &event);
		next = model_phone_act(p, s->model, (enum model_event)event.what, event.at);
		put(s, event.phone, &next);
		if (!p->is_dirty)
			s->dirty[s->dirty_count++] = event.phone;
		p->is_dirty = true;
	}
}

/* ---- what the engine does ---- */

static void
member_move(struct simulation *s, struct model_phone *p, enum db_member_state state, enum member_why why, time_t now)
{
	struct simulate_member *m = &p->member;
	struct db_rollout_tally *t = &s->result->tally;

	t->phones[m->wave][m->state]--;
	t->phones[0][m->state]--;
	t->phones[m->wave][state]++;
	t->phones[0][state]++;
	m->state = (unsigned char)state;
	m->why = (unsigned char)why;
	m->since = now;
}

/* Of no other phone than those to which something happened, the deadline too, would the judgement be another one. */
static void
phones_judge(struct simulation *s, time_t now)
{
	struct db_member_proof proof;
	enum db_member_state state;
	enum member_why why;

	for (size_t i = 0; i < s->dirty_count; i++) {
		struct model_phone *p = &s->phones[s->dirty[i]];

		p->is_dirty = false;
		model_phone_proof(p, &proof);
		state = member_judge(&proof, s->plan->deadline, now, &why);
		if (state != p->member.state || why != p->member.why)
			member_move(s, p, state, why, now);
	}
	s->dirty_count = 0;
}

/* Its generation has been offered to it, since member.since. */
static void
phone_go(struct simulation *s, size_t i, time_t now)
{
	struct model_phone *p = &s->phones[i];
	const struct model_next next = model_phone_offered(p, s->model, now);
	const struct model_next late = { MODEL_DEADLINE, p->member.since + (time_t)s->plan->deadline };

	put(s, i, &next);
	if (s->plan->deadline > 0)
		put(s, i, &late);
}

static void
phones_offer(struct simulation *s, size_t count, time_t now)
{
	const size_t *n = s->result->tally.phones[0];
	struct simulate_peak *offers = &s->result->offers;

	for (size_t left = count; left > 0 && s->next < s->count && n[DB_MEMBER_WAITING] > 0; s->next++) {
		struct model_phone *p = &s->phones[s->next];

		if (p->member.state != DB_MEMBER_WAITING)
			continue;
		member_move(s, p, DB_MEMBER_OFFERED, MEMBER_FINE, now);
		phone_go(s, s->next, now);
		if (s->result->tally.phones[p->member.wave][DB_MEMBER_WAITING] == 0)
			s->result->waves[p->member.wave].offered = now - s->start;
		left--;
	}
	decide_offered(&s->rollout, count, now);
	offers->total += count;
	if ((size_t)s->rollout.in_minute > offers->most)
		offers->most = (size_t)s->rollout.in_minute;
}

static void
decision_note(struct simulation *s, const struct decision *d, time_t now)
{
	struct simulate_wave *w = &s->result->waves[s->rollout.wave];

	if (d->what == DECIDE_NEXT)
		w->began = now - s->start;
	if (d->what == DECIDE_GOOD)
		w->succeeded = now - s->start;
	if (d->what == DECIDE_BAD)
		w->succeeded = -1;
}

/* True until the rollout is over; *ret_until as a decision's. */
static bool
engine_run(struct simulation *s, time_t now, time_t *ret_until)
{
	struct simulate_result *result = s->result;
	struct decision d;

	phones_judge(s, now);
	do {
		decide(s->plan, &s->rollout, &result->tally, now, &d);
		decide_apply(&d, &s->rollout, now);
		decision_note(s, &d, now);
		if (d.what == DECIDE_OFFER)
			phones_offer(s, d.count, now);
	} while (s->rollout.state == DB_ROLLOUT_RUNNING && d.what != DECIDE_WAIT);
	*ret_until = d.until;
	(void)snprintf(result->why, sizeof(result->why), "%s", d.why);
	return s->rollout.state == DB_ROLLOUT_RUNNING;
}

/* The engine's next look at which something may have changed; 0: there is none. */
static time_t
next_look(const struct simulation *s, time_t now, time_t until)
{
	const struct event *first = event_queue_next(&s->queue);
	time_t next = until;

	if (first != NULL && (next == 0 || first->at < next))
		next = first->at;
	if (next == 0)
		return 0;
	return next <= now ? now + STEP : now + (next - now + STEP - 1) / STEP * STEP;
}

static void
run(struct simulation *s)
{
	time_t now = s->start, until;

	while (engine_run(s, now, &until)) {
		time_t next = next_look(s, now, until);

		if (next == 0 || next - s->start > SIMULATE_LONGEST) {
			s->result->end = SIMULATE_STANDS;
			break;
		}
		now = next;
		events_run(s, now);
	}
	if (s->rollout.state != DB_ROLLOUT_RUNNING)
		s->result->end = s->rollout.state == DB_ROLLOUT_DONE ? SIMULATE_DONE : SIMULATE_PAUSED;
	s->result->took = now - s->start;
	s->result->wave = s->rollout.wave;
}

/* ---- the whole ---- */

static void
result_init(struct simulate_result *ret, int begun)
{
	*ret = (struct simulate_result){ .end = SIMULATE_STANDS };
	for (int i = 0; i <= DB_WAVES_MAX; i++)
		ret->waves[i] = (struct simulate_wave){ .began = i <= begun ? 0 : -1, .offered = -1, .succeeded = -1 };
}

static void
phones_init(struct simulation *s, const struct simulate_member *members, uint64_t seed)
{
	struct db_rollout_tally *t = &s->result->tally;

	for (size_t i = 0; i < s->count; i++) {
		const struct simulate_member *m = &members[i];

		model_phone_init(&s->phones[i], s->model, m, random_next(&seed));
		t->phones[m->wave][m->state]++;
		t->phones[0][m->state]++;
		if (m->wave > t->waves)
			t->waves = m->wave;
		if (m->state == DB_MEMBER_OFFERED)
			phone_go(s, i, s->start);
	}
}

static void
result_finish(struct simulation *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct simulate_member *m = &s->phones[i].member;

		if (m->state == DB_MEMBER_FAILED)
			s->result->failed[m->why]++;
	}
}

int
simulate(const struct plan *p, const struct db_rollout *r, const struct simulate_member *members, size_t count,
    const struct simulate_model *m, uint64_t seed, time_t start, struct simulate_result *ret, struct err *e)
{
	struct simulation s = { .plan = p, .model = m, .rollout = *r, .count = count, .start = start, .result = ret };
	int rc = -1;

	result_init(ret, r->wave);
	s.rollout.state = DB_ROLLOUT_RUNNING;
	s.phones = calloc(count + 1, sizeof(*s.phones));
	s.dirty = calloc(count + 1, sizeof(*s.dirty));
	/* What it does next, and its deadline. */
	s.queue.events = calloc(2 * count + 1, sizeof(*s.queue.events));
	if (s.phones == NULL || s.dirty == NULL || s.queue.events == NULL) {
		(void)err_set(e, ERR_FAILED, "simulation of %zu phones: no memory", count);
	} else {
		phones_init(&s, members, seed);
		run(&s);
		result_finish(&s);
		rc = 0;
	}
	free(s.phones);
	free(s.dirty);
	free(s.queue.events);
	return rc;
}
