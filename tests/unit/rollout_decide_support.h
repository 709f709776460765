/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ROLLOUT_DECIDE_SUPPORT_H
#define TESTS_ROLLOUT_DECIDE_SUPPORT_H

#include "tests/unit/support.h"

#include "common/text.h"
#include "rollout/decide.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1768390800 /* 2026-01-14 11:40 UTC, a whole minute */
#define SOAK 3600

/* 95 of a hundred to settle, at most 5 % failed, 10 a minute. */
static inline struct plan
plan(void)
{
	struct plan p;

	plan_default(&p);
	p.success = 95;
	p.errors = (struct plan_share){ 5, true };
	p.soak = SOAK;
	p.per_minute = 10;
	return p;
}

static inline struct db_rollout
at_wave(int wave)
{
	return (struct db_rollout){ .name = "r", .state = DB_ROLLOUT_RUNNING, .wave = wave };
}

/* Three waves of 100 phones that wait. */
static inline struct db_rollout_tally
fleet(void)
{
	struct db_rollout_tally t = { .waves = 3 };

	for (int wave = 1; wave <= t.waves; wave++)
		t.phones[wave][DB_MEMBER_WAITING] = 100;
	t.phones[0][DB_MEMBER_WAITING] = 300;
	return t;
}

static inline void
move(struct db_rollout_tally *t, int wave, enum db_member_state from, enum db_member_state to, size_t count)
{
	assert_true(t->phones[wave][from] >= count);
	t->phones[wave][from] -= count;
	t->phones[wave][to] += count;
	t->phones[0][from] -= count;
	t->phones[0][to] += count;
}

/* The wave was offered whole; so many have settled, so many failed. */
static inline void
went(struct db_rollout_tally *t, int wave, size_t settled, size_t failed)
{
	move(t, wave, DB_MEMBER_WAITING, DB_MEMBER_OFFERED, t->phones[wave][DB_MEMBER_WAITING]);
	move(t, wave, DB_MEMBER_OFFERED, DB_MEMBER_SETTLED, settled);
	move(t, wave, DB_MEMBER_OFFERED, DB_MEMBER_FAILED, failed);
}

static inline struct decision
decided(const struct plan *p, const struct db_rollout *r, const struct db_rollout_tally *t, time_t now)
{
	struct decision d;

	decide(p, r, t, now, &d);
	return d;
}

#endif
