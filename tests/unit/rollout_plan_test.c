/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "rollout/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- waves ---- */

struct cut {
	const char *waves;
	size_t count, canaries, waves_expected, sizes[6];
};

/*
 * A wave that is larger than was asked for risks more phones than the admin wanted to. Sizes by hand: percent are of all
 * phones, part of a phone counts as one, what is left over is one wave more.
 */
static void
waves_are_cut_as_asked(void **state)
{
	static const struct cut cuts[] = {
		{ "5,10%", 100, 0, 3, { 5, 10, 85 } },
		{ "5,10%", 101, 0, 3, { 5, 11, 85 } }, /* 10.1 */
		{ "5,10%", 9, 0, 3, { 5, 1, 3 } },     /* 0.9 */
		{ "5,10%", 6, 0, 2, { 5, 1 } },        /* 0.6, and nothing is left */
		{ "5,10%", 5, 0, 1, { 5 } },
		{ "5,10%", 3, 0, 1, { 3 } },
		{ "1", 1, 0, 1, { 1 } },
		{ "100%", 7, 0, 1, { 7 } },
		{ "33%,33%,33%", 10, 0, 3, { 4, 4, 2 } }, /* 3.3 twice: the third gets what there is */
		{ "50%,50%", 5, 0, 2, { 3, 2 } },         /* 2.5 */
		{ "1%", 100000, 0, 2, { 1000, 99000 } },
		{ "5,10%", 100, 2, 4, { 2, 5, 10, 83 } },
		{ "5,10%", 7, 7, 1, { 7 } },
		{ "5,10%", 8, 7, 2, { 7, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		const struct cut *c = &cuts[i];
		size_t sizes[DB_WAVES_MAX] = { 0 };
		struct err e = ERR_INIT;
		struct plan p;

		plan_default(&p);
		assert_ok(plan_waves_parse(c->waves, &p, &e), e);
		assert_int_equal(plan_waves(&p, c->count, c->canaries, sizes), c->waves_expected);
		for (size_t wave = 0; wave < c->waves_expected; wave++)
			assert_int_equal(sizes[wave], c->sizes[wave]);
	}
}

/* Canaries and what is left over are waves as well: with all that may be asked for, there is room for both. */
static void
most_waves_fit(void **state)
{
	size_t sizes[DB_WAVES_MAX], sum = 0, count;
	char text[2 * DB_WAVES_MAX] = "1";
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	for (size_t i = 1; i < DB_WAVES_MAX - 2; i++)
		memcpy(text + 2 * i - 1, ",1", sizeof(",1"));
	plan_default(&p);
	assert_ok(plan_waves_parse(text, &p, &e), e);
	count = plan_waves(&p, 1000, 3, sizes);
	assert_int_equal(count, DB_WAVES_MAX);
	for (size_t i = 0; i < count; i++)
		sum += sizes[i];
	assert_int_equal(sum, 1000);
	assert_int_equal(sizes[DB_WAVES_MAX - 1], 1000 - 3 - (DB_WAVES_MAX - 2));
	memcpy(text + 2 * (DB_WAVES_MAX - 2) - 1, ",1", sizeof(",1"));
	assert_fails(plan_waves_parse(text, &p, &e), e, ERR_USAGE, "at most 62");
}

/* A slip in a plan is told of, and not rolled out. */
static void
bad_waves_are_refused(void **state)
{
	static const char *const bad[] = { "", "0", "0%", "101%", "5,", ",5", "5,,5", "-1", "5 ", "1.5", "5%%", "x",
		"10000001", "99999999999999999999" };
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	plan_default(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(plan_waves_parse(bad[i], &p, &e), e, ERR_USAGE, "waves");
}

static void
share_counts_parts_of_a_phone(void **state)
{
	const struct plan_share third = { 33, true }, five = { 5, false };

	(void)state;
	assert_int_equal(plan_share_of(&third, 10, true), 4);
	assert_int_equal(plan_share_of(&third, 10, false), 3);
	assert_int_equal(plan_share_of(&third, 100, true), 33);
	assert_int_equal(plan_share_of(&third, 0, true), 0);
	assert_int_equal(plan_share_of(&five, 3, true), 3);
	assert_int_equal(plan_share_of(&five, 300, false), 5);
}

/* ---- quiet hours ---- */

#define BERLIN "Europe/Berlin"

static void
zone_set(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

struct quiet {
	const char *hours, *now, *end; /* UTC; end NULL: in none */
};

static void
quiet_check(const struct quiet *q)
{
	struct err e = ERR_INIT;
	time_t now = 0, end = 0;
	struct plan p;

	plan_default(&p);
	assert_ok(plan_quiet_parse(q->hours, &p, &e), e);
	assert_ok(text_time_parse(q->now, "now", &now, &e), e);
	if (q->end != NULL)
		assert_ok(text_time_parse(q->end, "end", &end, &e), e);
	if (plan_quiet_end(&p, now) != end)
		print_error("%s at %s: expected %lld, found %lld\n", q->hours, q->now, (long long)end,
		    (long long)plan_quiet_end(&p, now));
	assert_int_equal(plan_quiet_end(&p, now), end);
}

/* A phone that restarts in the middle of a call is what quiet hours are against. In winter Berlin is UTC + 1. */
static void
quiet_hours_hold_to_the_second(void **state)
{
	static const struct quiet table[] = {
		{ "08:00-18:00", "2026-01-14T06:59:59Z", NULL },
		{ "08:00-18:00", "2026-01-14T07:00:00Z", "2026-01-14T17:00:00Z" },
		{ "08:00-18:00", "2026-01-14T07:00:59Z", "2026-01-14T17:00:00Z" },
		{ "08:00-18:00", "2026-01-14T16:59:59Z", "2026-01-14T17:00:00Z" },
		{ "08:00-18:00", "2026-01-14T17:00:00Z", NULL },
		{ "00:00-23:59", "2026-01-14T22:58:00Z", "2026-01-14T22:59:00Z" },
		{ "08:00-24:00", "2026-01-14T22:59:59Z", "2026-01-14T23:00:00Z" },
		{ "08:00-24:00", "2026-01-14T23:00:00Z", NULL },
	};

	(void)state;
	zone_set(BERLIN);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		quiet_check(&table[i]);
}

static void
quiet_hours_cross_midnight(void **state)
{
	static const struct quiet table[] = {
		{ "22:00-06:00", "2026-01-14T20:59:59Z", NULL },
		{ "22:00-06:00", "2026-01-14T21:00:00Z", "2026-01-15T05:00:00Z" },
		{ "22:00-06:00", "2026-01-14T23:30:00Z", "2026-01-15T05:00:00Z" },
		{ "22:00-06:00", "2026-01-15T04:59:59Z", "2026-01-15T05:00:00Z" },
		{ "22:00-06:00", "2026-01-15T05:00:00Z", NULL },
		{ "22:00-00:00", "2026-12-31T21:30:00Z", "2026-12-31T23:00:00Z" },
		/* The last night of a leap year's February. */
		{ "22:00-06:00", "2028-02-28T22:00:00Z", "2028-02-29T05:00:00Z" },
	};

	(void)state;
	zone_set(BERLIN);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		quiet_check(&table[i]);
}

/*
 * In Berlin 2026-03-29 has no hour from 02:00 to 03:00, which begins at 01:00 UTC, and 2026-10-25 has that hour twice, from
 * 00:00 and from 01:00 UTC (Directive 2000/84/EC). The end is one that is still to come, whatever was asked before.
 */
static void
quiet_hours_hold_where_the_clock_is_moved(void **state)
{
	static const struct quiet table[] = {
		{ "22:00-06:00", "2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z" },
		{ "22:00-06:00", "2026-03-29T00:30:00Z", "2026-03-29T04:00:00Z" },
		{ "22:00-06:00", "2026-03-29T01:00:00Z", "2026-03-29T04:00:00Z" },
		{ "22:00-06:00", "2026-03-29T04:00:00Z", NULL },
		/* They end in the hour that there is not. */
		{ "22:00-02:30", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z" },
		{ "22:00-02:30", "2026-03-29T01:00:00Z", NULL },
		/* They begin in it. */
		{ "02:30-05:00", "2026-03-29T00:59:00Z", NULL },
		{ "02:30-05:00", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z" },
		/* They are in it altogether. */
		{ "02:10-02:50", "2026-03-29T00:59:59Z", NULL },
		{ "02:10-02:50", "2026-03-29T01:00:00Z", NULL },

		{ "22:00-06:00", "2026-10-24T21:00:00Z", "2026-10-25T05:00:00Z" },
		{ "22:00-06:00", "2026-10-25T04:59:00Z", "2026-10-25T05:00:00Z" },
		{ "22:00-06:00", "2026-10-25T05:00:00Z", NULL },
		/* They end in the hour that there is twice, and so twice. */
		{ "22:00-02:30", "2026-07-14T21:00:00Z", "2026-07-15T00:30:00Z" },
		{ "22:00-02:30", "2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z" },
		{ "22:00-02:30", "2026-10-25T00:45:00Z", NULL },
		{ "22:00-02:30", "2026-07-14T21:00:00Z", "2026-07-15T00:30:00Z" },
		{ "22:00-02:30", "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z" },
		{ "22:00-02:30", "2026-10-25T01:30:00Z", NULL },
	};

	(void)state;
	zone_set(BERLIN);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		quiet_check(&table[i]);
}

static void
no_quiet_hours_are_never(void **state)
{
	struct plan p;

	(void)state;
	zone_set(BERLIN);
	plan_default(&p);
	assert_int_equal(plan_quiet_end(&p, 1768388400), 0);
}

static void
bad_quiet_hours_are_refused(void **state)
{
	static const char *const bad[] = { "", "8-18", "08:00", "08:00-", "08:00-08:00", "00:00-24:00", "24:00-06:00",
		"08:60-18:00", "08:00-18:60", "08:00-24:01", "08:00-25:00", "-1:00-02:00", "08:00-18:00 ",
		" 08:00-18:00", "+8:00-18:00", "08:00--9:00", "8:0-9:0" };
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	plan_default(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(plan_quiet_parse(bad[i], &p, &e), e, ERR_USAGE, "quiet");
	assert_false(p.has_quiet);
}

/* ---- as it is stored ---- */

static void
plan_is_read_as_it_was_written(void **state)
{
	char text[DB_ROLLOUT_PLAN_SIZE], again[DB_ROLLOUT_PLAN_SIZE];
	struct err e = ERR_INIT;
	struct plan p, q;

	(void)state;
	plan_default(&p);
	p.what = PLAN_REKEY;
	p.success = 80;
	p.soak = 7;
	p.per_minute = 0;
	p.deadline = 86400;
	memcpy(p.ca, "abc", sizeof("abc"));
	assert_ok(plan_waves_parse("3,25%,7", &p, &e), e);
	assert_ok(plan_share_parse("2%", "errors", &p.errors, &e), e);
	assert_ok(plan_quiet_parse("22:15-06:05", &p, &e), e);
	assert_ok(plan_write(&p, text, &e), e);
	assert_ok(plan_read(text, &q, &e), e);
	assert_ok(plan_write(&q, again, &e), e);
	assert_string_equal(again, text);
	assert_int_equal(q.what, PLAN_REKEY);
	assert_int_equal(q.wave_count, 3);
	assert_int_equal(q.waves[1].number, 25);
	assert_true(q.waves[1].is_percent);
	assert_false(q.waves[2].is_percent);
	assert_int_equal(q.success, 80);
	assert_int_equal(q.errors.number, 2);
	assert_int_equal(q.soak, 7);
	assert_int_equal(q.per_minute, 0);
	assert_int_equal(q.deadline, 86400);
	assert_int_equal(q.quiet_from, 22 * 60 + 15);
	assert_int_equal(q.quiet_until, 6 * 60 + 5);
	assert_string_equal(q.ca, "abc");
}

/* The database is a file: what somebody has put there does no harm. */
static void
plan_that_is_none_is_refused(void **state)
{
	static const char good[] = "{\"what\":\"renew\",\"waves\":[\"5\"],\"success\":95,\"errors\":\"5%\",\"soak\":1,"
				   "\"per_minute\":1,\"deadline\":1}";
	static const char *const bad[] = { "", "{}", "[]", "{\"what\":\"renew\"}", "plan" };
	static const char *const changes[][2] = { { "renew", "burns" }, { "[\"5\"]", "[5]" }, { "[\"5\"]", "\"5\"" },
		{ "5%", "500%" }, { ":95", ":101" }, { ":95", ":-1" }, { "soak\":1", "soak\":-1" } };
	char text[512];
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	assert_ok(plan_read(good, &p, &e), e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(plan_read(bad[i], &p, &e), e, ERR_INTEGRITY, "plan");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *at = strstr(good, changes[i][0]);

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, changes[i][1],
		    at + strlen(changes[i][0]));
		assert_fails(plan_read(text, &p, &e), e, ERR_INTEGRITY, "plan");
	}
}

/* More waves than there is room for, with canaries and the rest. */
static void
plan_of_too_many_waves_is_refused(void **state)
{
	struct buf text = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	buf_add_string(&text, "{\"what\":\"renew\",\"waves\":[\"1\"");
	for (int i = 1; i < DB_WAVES_MAX - 1; i++)
		buf_add_string(&text, ",\"1\"");
	buf_add_string(&text, "],\"success\":95,\"errors\":\"5%\",\"soak\":1,\"per_minute\":1,\"deadline\":1}");
	assert_fails(plan_read(buf_string(&text), &p, &e), e, ERR_INTEGRITY, "plan");
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waves_are_cut_as_asked),
		cmocka_unit_test(most_waves_fit),
		cmocka_unit_test(bad_waves_are_refused),
		cmocka_unit_test(share_counts_parts_of_a_phone),
		cmocka_unit_test(quiet_hours_hold_to_the_second),
		cmocka_unit_test(quiet_hours_cross_midnight),
		cmocka_unit_test(quiet_hours_hold_where_the_clock_is_moved),
		cmocka_unit_test(no_quiet_hours_are_never),
		cmocka_unit_test(bad_quiet_hours_are_refused),
		cmocka_unit_test(plan_is_read_as_it_was_written),
		cmocka_unit_test(plan_that_is_none_is_refused),
		cmocka_unit_test(plan_of_too_many_waves_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
