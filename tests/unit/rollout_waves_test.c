/* SPDX-License-Identifier: ISC */
#include "tests/unit/rollout_decide_support.h"

/* From wave to wave, and to the end. */

static void
next_wave_waits_for_the_soak(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 95, 0);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_GOOD);
	decide_apply(&d, &r, NOW);
	assert_int_equal(r.good_since, NOW);
	d = decided(&p, &r, &t, NOW + SOAK - 1);
	assert_int_equal(d.what, DECIDE_WAIT);
	assert_int_equal(d.until, NOW + SOAK);
	d = decided(&p, &r, &t, NOW + SOAK);
	assert_int_equal(d.what, DECIDE_NEXT);
	decide_apply(&d, &r, NOW + SOAK);
	assert_int_equal(r.wave, 2);
	assert_int_equal(r.good_since, 0);
	p.soak = 0;
	r = at_wave(1);
	r.good_since = NOW;
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_NEXT);
}

static void
soak_begins_anew_when_the_clock_was_ahead(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 95, 0);
	r.good_since = NOW + 1000000;
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_GOOD);
	decide_apply(&d, &r, NOW);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_WAIT);
	assert_int_equal(d.until, NOW + SOAK);
}

/* A phone that falls back in the soak takes the wave's success with it, and the soak begins anew. */
static void
wave_that_was_good_can_turn_bad(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 95, 3);
	r.good_since = NOW;
	move(&t, 1, DB_MEMBER_SETTLED, DB_MEMBER_FAILED, 1);
	d = decided(&p, &r, &t, NOW + SOAK);
	assert_int_equal(d.what, DECIDE_BAD);
	decide_apply(&d, &r, NOW + SOAK);
	assert_int_equal(r.good_since, 0);
	assert_int_equal(r.wave, 1);
	assert_int_equal(decided(&p, &r, &t, NOW + SOAK).what, DECIDE_WAIT);
	move(&t, 1, DB_MEMBER_OFFERED, DB_MEMBER_SETTLED, 1);
	assert_int_equal(decided(&p, &r, &t, NOW + SOAK + 5).what, DECIDE_GOOD);
}

/* The last wave has no soak, and is over when nobody is on the way any more, in the waves before neither. */
static void
last_wave_ends_when_nobody_is_on_the_way(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(3);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 97, 2);
	went(&t, 2, 100, 0);
	went(&t, 3, 96, 3);
	r.good_since = NOW;
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_WAIT);
	assert_string_equal(d.why, "2 more to settle");
	move(&t, 3, DB_MEMBER_OFFERED, DB_MEMBER_SETTLED, 1);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_WAIT);
	move(&t, 1, DB_MEMBER_OFFERED, DB_MEMBER_FAILED, 1);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_DONE);
	decide_apply(&d, &r, NOW);
	assert_int_equal(r.state, DB_ROLLOUT_DONE);
}

/* All its phones were taken out, or removed from the fleet: it ends, and does not stand. */
static void
rollout_without_phones_ends(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(0);
	struct plan p = plan();
	time_t now = NOW;
	int steps = 0;

	(void)state;
	for (int wave = 1; wave <= 3; wave++)
		move(&t, wave, DB_MEMBER_WAITING, DB_MEMBER_DROPPED, 100);
	while (r.state == DB_ROLLOUT_RUNNING) {
		struct decision d = decided(&p, &r, &t, now);

		assert_int_not_equal(d.what, DECIDE_PAUSE);
		assert_int_not_equal(d.what, DECIDE_OFFER);
		assert_true(++steps < 20);
		decide_apply(&d, &r, now);
		if (d.what == DECIDE_WAIT) {
			assert_true(d.until > now);
			now = d.until;
		}
	}
	assert_int_equal(r.state, DB_ROLLOUT_DONE);
	/* The waves that are left are fewer than those that were begun. */
	t = (struct db_rollout_tally){ .waves = 0 };
	r = at_wave(3);
	r.good_since = NOW;
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_DONE);
}

static void
pause_keeps_its_reason(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 0, 100);
	d = decided(&p, &r, &t, NOW);
	decide_apply(&d, &r, NOW);
	assert_int_equal(r.state, DB_ROLLOUT_PAUSED);
	assert_string_equal(r.why, "wave 1: 100 of 100 phones failed, more than errors=5%");
	assert_int_equal(r.wave, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_wave_waits_for_the_soak),
		cmocka_unit_test(soak_begins_anew_when_the_clock_was_ahead),
		cmocka_unit_test(wave_that_was_good_can_turn_bad),
		cmocka_unit_test(last_wave_ends_when_nobody_is_on_the_way),
		cmocka_unit_test(rollout_without_phones_ends),
		cmocka_unit_test(pause_keeps_its_reason),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
