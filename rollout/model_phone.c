/* SPDX-License-Identifier: ISC */
#include "rollout/model_phone.h"

#include "rollout/random.h"

#define OLD 1
#define NEW 2

static const struct model_next nothing = { MODEL_NONE, 0 };

enum kind {
	KIND_GOOD,
	KIND_NEVER_ASKS,
	KIND_NEVER_FETCHES,
	KIND_DISCARDS,
	KIND_FLAPS,
	KIND_FALLS_BACK,
};

static enum kind
kind_draw(const struct simulate_model *m, uint64_t *chance)
{
	const unsigned long shares[] = {
		[KIND_NEVER_ASKS] = m->never_asks,
		[KIND_NEVER_FETCHES] = m->never_fetches,
		[KIND_DISCARDS] = m->discards,
		[KIND_FLAPS] = m->flaps,
		[KIND_FALLS_BACK] = m->falls_back,
	};
	uint64_t drawn = random_below(chance, RANDOM_ALL);

	for (enum kind kind = KIND_NEVER_ASKS; kind <= KIND_FALLS_BACK; kind++) {
		if (drawn < shares[kind])
			return kind;
		drawn -= shares[kind];
	}
	return KIND_GOOD;
}

void
model_phone_init(struct model_phone *p, const struct simulate_model *m, const struct simulate_member *member,
    uint64_t chance)
{
	*p = (struct model_phone){ .chance = chance, .member = *member };
	p->kind = (uint8_t)kind_draw(m, &p->chance);
	p->phase = (uint32_t)random_below(&p->chance, m->asks_every);
	p->has_new = member->rung >= DB_RUNG_CONNECTED;
	p->session = p->has_new ? member->since : 0;
}

/* From half to three halves. */
static time_t
spread(struct model_phone *p, unsigned long seconds)
{
	return (time_t)(seconds - seconds / 2 + random_below(&p->chance, seconds + 1));
}

static time_t
next_restart(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	if (m->asks_at_random)
		return now + (time_t)random_wait(&p->chance, m->asks_every);
	return now + (time_t)(m->asks_every - ((unsigned long)now + m->asks_every - p->phase) % m->asks_every);
}

static struct model_next
restart(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	const bool is_off = random_share(&p->chance, m->off);

	if (is_off)
		return (struct model_next){ MODEL_ASK, now + (time_t)random_wait(&p->chance, m->off_for) };
	if (m->notify)
		return (struct model_next){ MODEL_ASK, now + spread(p, m->restarts_in) };
	return (struct model_next){ MODEL_ASK, next_restart(p, m, now) };
}

struct model_next
model_phone_offered(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	if (p->member.rung >= DB_RUNG_CONNECTED)
		return (struct model_next){ MODEL_SETTLE, now + (time_t)m->settles_in };
	if (p->member.rung == DB_RUNG_FETCHED)
		return (struct model_next){ MODEL_CONNECT, now + spread(p, m->connects_in) };
	return p->kind == KIND_NEVER_ASKS ? nothing : restart(p, m, now);
}

static struct model_next
ask(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	if (random_share(&p->chance, m->server_errors))
		return (struct model_next){ MODEL_ASK, next_restart(p, m, now) };
	p->member.rung = DB_RUNG_OFFERED;
	if (p->kind == KIND_NEVER_FETCHES)
		return nothing;
	return (struct model_next){ MODEL_FETCH, now + 1 };
}

static struct model_next
fetch(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	if (random_share(&p->chance, m->server_errors))
		return (struct model_next){ MODEL_ASK, next_restart(p, m, now) };
	p->member.rung = DB_RUNG_FETCHED;
	if (p->kind == KIND_DISCARDS)
		return nothing;
	return (struct model_next){ MODEL_CONNECT, now + spread(p, m->connects_in) };
}

static struct model_next
attach(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	time_t falls = 1 + (time_t)random_below(&p->chance, SIMULATE_FALL_WITHIN);

	p->member.rung = DB_RUNG_CONNECTED;
	p->has_new = true;
	p->session = now;
	if (p->kind == KIND_FLAPS)
		return nothing;
	if (p->kind == KIND_FALLS_BACK && falls <= (time_t)m->settles_in)
		return (struct model_next){ MODEL_FALL, now + falls };
	return (struct model_next){ MODEL_SETTLE, now + (time_t)m->settles_in };
}

static struct model_next
settle(struct model_phone *p, const struct simulate_model *m, time_t now)
{
	p->member.rung = DB_RUNG_SETTLED;
	if (p->kind != KIND_FALLS_BACK || m->settles_in >= SIMULATE_FALL_WITHIN)
		return nothing;
	return (struct model_next){ MODEL_FALL,
		now + 1 + (time_t)random_below(&p->chance, SIMULATE_FALL_WITHIN - m->settles_in) };
}

struct model_next
model_phone_act(struct model_phone *p, const struct simulate_model *m, enum model_event what, time_t now)
{
	switch (what) {
	case MODEL_ASK:
		return ask(p, m, now);
	case MODEL_FETCH:
		return fetch(p, m, now);
	case MODEL_CONNECT:
		return attach(p, m, now);
	case MODEL_SETTLE:
		return settle(p, m, now);
	case MODEL_FALL:
		p->has_new = false;
		p->session = now;
		break;
	case MODEL_NONE:
	case MODEL_DEADLINE:
		break;
	}
	return nothing;
}

void
model_phone_proof(const struct model_phone *p, struct db_member_proof *ret)
{
	*ret = (struct db_member_proof){
		.member = {
			.wave = p->member.wave,
			.state = (enum db_member_state)p->member.state,
			.why = p->member.why,
			.former = OLD,
			.target = NEW,
			.since = p->member.since,
		},
		.rung = (enum db_rung)p->member.rung,
		.has_session = true,
		.session = { .since = p->session, .has_serial = true, .number = p->has_new ? NEW : OLD },
	};
}
