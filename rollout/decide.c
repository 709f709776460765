/* SPDX-License-Identifier: ISC */
#include "rollout/decide.h"

#include "common/text.h"
#include "rollout/stage.h"

#include <stdarg.h>
#include <stdio.h>

size_t
decide_wave_size(const struct db_rollout_tally *t, int wave)
{
	const size_t *n = t->phones[wave];

	return n[DB_MEMBER_WAITING] + n[DB_MEMBER_OFFERED] + n[DB_MEMBER_SETTLED] + n[DB_MEMBER_FAILED];
}

__attribute__((format(printf, 3, 4))) static void
say(struct decision *d, enum decision_what what, const char *fmt, ...)
{
	va_list ap;

	d->what = what;
	va_start(ap, fmt);
	(void)vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
}

/* How many of a wave have to settle. */
static size_t
needed(const struct plan *p, size_t size)
{
	return (size * p->success + 99) / 100;
}

static bool
has_too_many_errors(const struct plan *p, const struct db_rollout_tally *t, int wave, struct decision *ret)
{
	size_t size = decide_wave_size(t, wave), failed = t->phones[wave][DB_MEMBER_FAILED];
	char limit[PLAN_SHARE_SIZE];
	bool is_over = p->errors.is_percent ? failed * 100 > p->errors.number * size : failed > p->errors.number;

	if (!is_over || failed == 0)
		return false;
	plan_share_text(&p->errors, limit);
	say(ret, DECIDE_PAUSE, "wave %d: %zu of %zu phones failed, more than errors=%s", wave, failed, size, limit);
	return true;
}

/* Phones that wait in waves that were begun. */
static size_t
waiting(const struct db_rollout_tally *t, int wave)
{
	size_t n = 0;

	for (int i = 1; i <= wave; i++)
		n += t->phones[i][DB_MEMBER_WAITING];
	return n;
}

static void
decide_offer(const struct plan *p, const struct db_rollout *r, size_t count, time_t now, struct decision *ret)
{
	int64_t minute = now / 60;
	size_t used = r->minute == minute ? (size_t)r->in_minute : 0;
	time_t quiet = plan_quiet_end(p, now);

	if (quiet != 0) {
		char until[TEXT_TIME_SIZE];

		text_time(quiet, until);
		say(ret, DECIDE_WAIT, "quiet hours until %s", until);
		ret->until = quiet;
		return;
	}
	if (p->per_minute > 0 && used >= p->per_minute) {
		say(ret, DECIDE_WAIT, "the next minute: %lu phones a minute", p->per_minute);
		ret->until = (time_t)(minute + 1) * 60;
		return;
	}
	ret->what = DECIDE_OFFER;
	ret->count = p->per_minute > 0 && p->per_minute - used < count ? p->per_minute - used : count;
}

static void
decide_next(const struct plan *p, const struct db_rollout *r, const struct db_rollout_tally *t, time_t now,
    struct decision *ret)
{
	time_t soaked = r->good_since + (time_t)p->soak;
	char until[TEXT_TIME_SIZE];

	if (r->wave < t->waves && now >= soaked) {
		ret->what = DECIDE_NEXT;
	} else if (r->wave < t->waves) {
		text_time(soaked, until);
		say(ret, DECIDE_WAIT, "wave %d to have lasted until %s", r->wave, until);
		ret->until = soaked;
	} else if (t->phones[0][DB_MEMBER_OFFERED] > 0) {
		say(ret, DECIDE_WAIT, "%zu more to settle", t->phones[0][DB_MEMBER_OFFERED]);
	} else if (r->stage == STAGE_NONE) {
		ret->what = DECIDE_DONE;
	} else if (t->phones[0][DB_MEMBER_FAILED] > 0) {
		/* What comes next would take them off the VPN. */
		say(ret, DECIDE_PAUSE, "%zu phones failed, and would be stranded by the next stage",
		    t->phones[0][DB_MEMBER_FAILED]);
	} else {
		ret->what = DECIDE_STAGE;
	}
}

void
decide(const struct plan *p, const struct db_rollout *r, const struct db_rollout_tally *t, time_t now,
    struct decision *ret)
{
	const size_t size = r->wave > 0 ? decide_wave_size(t, r->wave) : 0,
		     settled = t->phones[r->wave][DB_MEMBER_SETTLED];
	size_t need = needed(p, size), open = waiting(t, r->wave);

	*ret = (struct decision){ .what = DECIDE_WAIT };
	for (int wave = 1; wave <= r->wave; wave++) {
		if (has_too_many_errors(p, t, wave, ret))
			return;
	}
	if (!stage_has_waves((enum stage)r->stage) && r->stage > STAGE_TRUST && open > 0) {
		/* Put in, or given another try: the admin's turn comes after theirs. */
		decide_offer(p, r, open, now, ret);
	} else if (!stage_has_waves((enum stage)r->stage) && t->phones[0][DB_MEMBER_OFFERED] > 0) {
		say(ret, DECIDE_WAIT, "%zu more to settle", t->phones[0][DB_MEMBER_OFFERED]);
	} else if (!stage_has_waves((enum stage)r->stage)) {
		say(ret, DECIDE_WAIT, "%s", stage_text((enum stage)r->stage));
	} else if (r->wave == 0) {
		ret->what = t->waves > 0 ? DECIDE_NEXT : DECIDE_DONE;
	} else if (open > 0) {
		decide_offer(p, r, open, now, ret);
	} else if (settled >= need && (r->good_since == 0 || r->good_since > now)) {
		/* Good from later on: the clock was ahead, and nothing shall wait until it is there again. */
		ret->what = DECIDE_GOOD;
	} else if (settled >= need) {
		decide_next(p, r, t, now, ret);
	} else if (r->good_since != 0) {
		ret->what = DECIDE_BAD;
	} else if (t->phones[r->wave][DB_MEMBER_OFFERED] == 0) {
		say(ret, DECIDE_PAUSE, "wave %d: %zu of %zu phones settled, fewer than success=%lu%%", r->wave, settled,
		    size, p->success);
	} else {
		say(ret, DECIDE_WAIT, "%zu more of wave %d to settle", need - settled, r->wave);
	}
}

void
decide_apply(const struct decision *d, struct db_rollout *r, time_t now)
{
	switch (d->what) {
	case DECIDE_WAIT:
	case DECIDE_OFFER:
		break;
	case DECIDE_GOOD:
		r->good_since = now;
		break;
	case DECIDE_BAD:
		r->good_since = 0;
		break;
	case DECIDE_NEXT:
		r->wave++;
		r->good_since = 0;
		break;
	case DECIDE_PAUSE:
		r->state = DB_ROLLOUT_PAUSED;
		(void)snprintf(r->why, sizeof(r->why), "%s", d->why);
		break;
	case DECIDE_STAGE:
		r->stage++;
		r->good_since = 0;
		break;
	case DECIDE_DONE:
		r->state = DB_ROLLOUT_DONE;
		break;
	}
}

void
decide_offered(struct db_rollout *r, size_t count, time_t now)
{
	int64_t minute = now / 60;

	if (r->minute != minute)
		r->in_minute = 0;
	r->minute = minute;
	r->in_minute += (int64_t)count;
}
