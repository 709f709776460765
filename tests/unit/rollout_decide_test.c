/* SPDX-License-Identifier: ISC */
#include "tests/unit/rollout_decide_support.h"

static void
started_rollout_begins_its_first_wave(void **state)
{
	const struct db_rollout_tally t = fleet(), none = { .waves = 0 };
	const struct db_rollout r = at_wave(0);
	const struct plan p = plan();

	(void)state;
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_NEXT);
	assert_int_equal(decided(&p, &r, &none, NOW).what, DECIDE_DONE);
}

/* ---- how many a minute ---- */

/* More than the budget at once is what the HTTP server, or the phones' uplink, was to be spared. */
static void
minute_has_its_budget(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d = decided(&p, &r, &t, NOW);

	(void)state;
	assert_int_equal(d.what, DECIDE_OFFER);
	assert_int_equal(d.count, 10);
	decide_offered(&r, 4, NOW + 1);
	assert_int_equal(decided(&p, &r, &t, NOW + 1).count, 6);
	decide_offered(&r, 6, NOW + 59);
	d = decided(&p, &r, &t, NOW + 59);
	assert_int_equal(d.what, DECIDE_WAIT);
	assert_int_equal(d.until, NOW + 60);
	d = decided(&p, &r, &t, NOW + 60);
	assert_int_equal(d.what, DECIDE_OFFER);
	assert_int_equal(d.count, 10);
	decide_offered(&r, 3, NOW + 60);
	assert_int_equal(r.in_minute, 3);
	/* 10, and then one less than there are. */
	t.phones[1][DB_MEMBER_WAITING] = 7;
	assert_int_equal(decided(&p, &r, &t, NOW + 61).count, 7);
	t.phones[1][DB_MEMBER_WAITING] = 6;
	assert_int_equal(decided(&p, &r, &t, NOW + 61).count, 6);
	p.per_minute = 0;
	t.phones[1][DB_MEMBER_WAITING] = 100;
	assert_int_equal(decided(&p, &r, &t, NOW + 61).count, 100);
	/* The budget was lowered meanwhile. */
	p.per_minute = 2;
	assert_int_equal(decided(&p, &r, &t, NOW + 61).what, DECIDE_WAIT);
}

/* Phones of later waves keep waiting; those that were given another try in earlier ones do not. */
static void
only_waves_that_were_begun_are_offered(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(2);
	struct plan p = plan();

	(void)state;
	p.per_minute = 0;
	went(&t, 1, 98, 2);
	assert_int_equal(decided(&p, &r, &t, NOW).count, 100);
	move(&t, 1, DB_MEMBER_FAILED, DB_MEMBER_WAITING, 2);
	assert_int_equal(decided(&p, &r, &t, NOW).count, 102);
}

static void
nothing_is_offered_in_quiet_hours(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct err e = ERR_INIT;
	struct plan p = plan();
	struct decision d;

	(void)state;
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	assert_ok(plan_quiet_parse("11:00-12:00", &p, &e), e);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_WAIT);
	assert_int_equal(d.until, NOW + 20 * 60);
	assert_non_null(strstr(d.why, "2026-01-14T12:00:00Z"));
	assert_int_equal(decided(&p, &r, &t, NOW + 20 * 60).what, DECIDE_OFFER);
	/* But what goes wrong in them stops it all the same. */
	went(&t, 1, 0, 6);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_PAUSE);
}

/* ---- thresholds ---- */

struct limit {
	struct plan_share errors;
	size_t size, failed;
	bool pauses;
};

/* As many as may fail are no reason to stop; one more is. */
static void
errors_pause_only_over_the_limit(void **state)
{
	static const struct limit table[] = {
		{ { 5, true }, 100, 5, false },
		{ { 5, true }, 100, 6, true },
		{ { 5, true }, 99, 4, false }, /* 4.04 % */
		{ { 5, true }, 99, 5, true },  /* 5.05 % */
		{ { 5, true }, 5, 0, false },
		{ { 5, true }, 5, 1, true }, /* 20 % */
		{ { 20, true }, 5, 1, false },
		{ { 0, true }, 100000, 0, false },
		{ { 0, true }, 100000, 1, true },
		{ { 100, true }, 3, 3, false },
		{ { 2, false }, 5, 2, false },
		{ { 2, false }, 5, 3, true },
		{ { 2, false }, 100000, 3, true },
		{ { 0, false }, 5, 0, false },
		{ { 0, false }, 5, 1, true },
	};
	const struct db_rollout r = at_wave(1);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct db_rollout_tally t = { .waves = 1 };
		struct plan p = plan();
		struct decision d;

		p.errors = table[i].errors;
		t.phones[1][DB_MEMBER_OFFERED] = t.phones[0][DB_MEMBER_OFFERED] = table[i].size - table[i].failed;
		t.phones[1][DB_MEMBER_FAILED] = t.phones[0][DB_MEMBER_FAILED] = table[i].failed;
		p.success = 0;
		d = decided(&p, &r, &t, NOW);
		assert_int_equal(d.what == DECIDE_PAUSE, table[i].pauses);
	}
}

/* In an earlier wave as well: its phones may fall back while the next one is under way. */
static void
errors_of_earlier_waves_count_and_of_later_ones_do_not(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(2);
	struct plan p = plan();
	struct decision d;

	(void)state;
	went(&t, 1, 94, 6);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_PAUSE);
	assert_string_equal(d.why, "wave 1: 6 of 100 phones failed, more than errors=5%");
	t = fleet();
	move(&t, 3, DB_MEMBER_WAITING, DB_MEMBER_FAILED, 50);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_OFFER);
}

/* Phones that were taken out do not count at all. */
static void
phones_taken_out_do_not_count(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();

	(void)state;
	went(&t, 1, 95, 5);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_GOOD);
	move(&t, 1, DB_MEMBER_SETTLED, DB_MEMBER_DROPPED, 1);
	assert_int_equal(decide_wave_size(&t, 1), 99);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_PAUSE); /* 5 of 99 */
	move(&t, 1, DB_MEMBER_FAILED, DB_MEMBER_DROPPED, 1);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_GOOD); /* 94 of 98, 4 failed */
}

struct need {
	unsigned long success;
	size_t size, needed;
};

/* A part of a phone that has to settle is a whole one. */
static void
success_is_reached_by_the_last_phone_that_is_needed(void **state)
{
	static const struct need table[] = {
		{ 95, 100, 95 }, { 95, 5, 5 },                    /* 4.75 */
		{ 95, 20, 19 }, { 95, 21, 20 },                   /* 19.95 */
		{ 95, 1, 1 }, { 50, 5, 3 },                       /* 2.5 */
		{ 1, 1, 1 },                                      /* 0.01 */
		{ 100, 7, 7 }, { 0, 7, 0 }, { 95, 99999, 95000 }, /* 94999.05 */
	};
	const struct db_rollout r = at_wave(1);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct db_rollout_tally t = { .waves = 2 };
		struct plan p = plan();

		p.success = table[i].success;
		t.phones[1][DB_MEMBER_OFFERED] = t.phones[0][DB_MEMBER_OFFERED] = table[i].size;
		move(&t, 1, DB_MEMBER_OFFERED, DB_MEMBER_SETTLED, table[i].needed);
		assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_GOOD);
		if (table[i].needed == 0)
			continue;
		move(&t, 1, DB_MEMBER_SETTLED, DB_MEMBER_OFFERED, 1);
		assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_WAIT);
		assert_int_equal(decided(&p, &r, &t, NOW).until, 0);
	}
}

/* It cannot succeed any more, and says so instead of waiting for ever. */
static void
too_few_that_settled_pause_when_no_other_may(void **state)
{
	struct db_rollout_tally t = fleet();
	struct db_rollout r = at_wave(1);
	struct plan p = plan();
	struct decision d;

	(void)state;
	p.errors.number = 50;
	went(&t, 1, 94, 5);
	assert_int_equal(decided(&p, &r, &t, NOW).what, DECIDE_WAIT);
	move(&t, 1, DB_MEMBER_OFFERED, DB_MEMBER_FAILED, 1);
	d = decided(&p, &r, &t, NOW);
	assert_int_equal(d.what, DECIDE_PAUSE);
	assert_string_equal(d.why, "wave 1: 94 of 100 phones settled, fewer than success=95%");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(started_rollout_begins_its_first_wave),
		cmocka_unit_test(minute_has_its_budget),
		cmocka_unit_test(only_waves_that_were_begun_are_offered),
		cmocka_unit_test(nothing_is_offered_in_quiet_hours),
		cmocka_unit_test(errors_pause_only_over_the_limit),
		cmocka_unit_test(errors_of_earlier_waves_count_and_of_later_ones_do_not),
		cmocka_unit_test(phones_taken_out_do_not_count),
		cmocka_unit_test(success_is_reached_by_the_last_phone_that_is_needed),
		cmocka_unit_test(too_few_that_settled_pause_when_no_other_may),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
