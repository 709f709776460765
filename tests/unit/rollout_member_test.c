/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "rollout/member.h"

#include <string.h>

#define OFFERED_AT 1000
#define DEADLINE 600

/* A phone that came from generation 1, was offered 2 at OFFERED_AT, and is on the VPN with 1 since long before. */
static struct db_member_proof
phone(enum db_rung rung)
{
	return (struct db_member_proof){
		.member = { .state = DB_MEMBER_OFFERED, .former = 1, .target = 2, .since = OFFERED_AT },
		.rung = rung,
		.has_session = true,
		.session = { .since = 10, .has_serial = true, .number = 1 },
	};
}

/* Since then it is on the VPN with generation number; 0: with a certificate that is on none of its bundles. */
static struct db_member_proof
moved(struct db_member_proof p, int64_t number, time_t since)
{
	p.session.number = number;
	p.session.since = since;
	return p;
}

static struct db_member_proof
stands(struct db_member_proof p, enum db_member_state state, enum member_why why, time_t since)
{
	p.member.state = state;
	p.member.why = (int)why;
	p.member.since = since;
	return p;
}

#define assert_judged(p, now, state, why) judged(&(p), now, state, why, __LINE__)

static void
judged(const struct db_member_proof *p, time_t now, enum db_member_state state, enum member_why why, int line)
{
	enum member_why found_why;
	enum db_member_state found = member_judge(p, DEADLINE, now, &found_why);

	if (found != state || found_why != why)
		print_error("line %d: expected %s, %s; found %s, %s\n", line, db_member_state_name(state),
		    member_why_name(why), db_member_state_name(found), member_why_name(found_why));
	assert_int_equal(found, state);
	assert_int_equal(found_why, why);
}

/* Until its deadline a phone has time, at it not any more, and the rung that it reached tells what it did not do. */
static void
late_phone_fails_with_the_likely_reason(void **state)
{
	static const struct {
		enum db_rung rung;
		enum member_why why;
	} table[] = {
		{ 0, MEMBER_NOT_ASKED },
		{ DB_RUNG_OFFERED, MEMBER_NOT_FETCHED },
		{ DB_RUNG_FETCHED, MEMBER_NOT_CONNECTED },
		{ DB_RUNG_CONNECTED, MEMBER_NOT_SETTLED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct db_member_proof p = phone(table[i].rung);

		if (table[i].rung == DB_RUNG_CONNECTED)
			p = moved(p, 2, OFFERED_AT + 5);
		assert_judged(p, OFFERED_AT, DB_MEMBER_OFFERED, MEMBER_FINE);
		assert_judged(p, OFFERED_AT + DEADLINE - 1, DB_MEMBER_OFFERED, MEMBER_FINE);
		assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, table[i].why);
		p.has_session = table[i].rung == DB_RUNG_CONNECTED;
		assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, table[i].why);
	}
}

/* What nobody has seen is not held against it. */
static void
unwatched_phone_is_not_said_to_stay_away(void **state)
{
	struct db_member_proof p = phone(DB_RUNG_FETCHED);

	(void)state;
	p.session.has_serial = false;
	p.session.number = 0;
	assert_judged(p, OFFERED_AT + DEADLINE - 1, DB_MEMBER_OFFERED, MEMBER_FINE);
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_UNWATCHED);
	/* It is from before it was offered anything, of which it has not asked. */
	p.rung = 0;
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_ASKED);
	p.session.since = OFFERED_AT;
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_UNWATCHED);
	p.session.ended = OFFERED_AT + 9;
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_ASKED);
}

static void
without_deadline_nobody_is_late(void **state)
{
	struct db_member_proof p = phone(0);
	enum member_why why;

	(void)state;
	assert_int_equal(member_judge(&p, 0, OFFERED_AT + 100000000, &why), DB_MEMBER_OFFERED);
	assert_int_equal(why, MEMBER_FINE);
}

/* Late is better than never, and a phone that works must not be counted against a rollout. */
static void
settled_phone_is_settled_whatever_it_was(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_SETTLED), 2, OFFERED_AT + 5);

	(void)state;
	assert_judged(p, OFFERED_AT + 100, DB_MEMBER_SETTLED, MEMBER_FINE);
	assert_judged(p, OFFERED_AT + 10 * DEADLINE, DB_MEMBER_SETTLED, MEMBER_FINE);
	p = stands(p, DB_MEMBER_FAILED, MEMBER_NOT_ASKED, OFFERED_AT + DEADLINE);
	assert_judged(p, OFFERED_AT + 10 * DEADLINE, DB_MEMBER_SETTLED, MEMBER_FINE);
	/* Its session has ended: a phone may be switched off at night. */
	p.session.ended = OFFERED_AT + 700;
	assert_judged(p, OFFERED_AT + 10 * DEADLINE, DB_MEMBER_SETTLED, MEMBER_FINE);
	/* With one that was minted for it after this rollout. */
	p = moved(p, 3, OFFERED_AT + 20 * DEADLINE);
	assert_judged(p, OFFERED_AT + 30 * DEADLINE, DB_MEMBER_SETTLED, MEMBER_FINE);
}

static void
failed_phone_keeps_its_reason(void **state)
{
	struct db_member_proof p = stands(phone(DB_RUNG_FETCHED), DB_MEMBER_FAILED, MEMBER_NOT_ASKED,
	    OFFERED_AT + DEADLINE);

	(void)state;
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_ASKED);
	assert_judged(p, OFFERED_AT + 9 * DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_ASKED);
}

/* Before it has connected with the new certificate, it may come and go with the old one as it likes. */
static void
old_certificate_before_the_new_one_is_no_fall(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_FETCHED), 1, OFFERED_AT + 50);

	(void)state;
	assert_judged(p, OFFERED_AT + 100, DB_MEMBER_OFFERED, MEMBER_FINE);
}

/* What falls back is told at once, and stays told: it would be locked out when the old certificate is retired. */
static void
phone_that_falls_back_fails_and_stays_failed(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_CONNECTED), 1, OFFERED_AT + 50);

	(void)state;
	assert_judged(p, OFFERED_AT + 51, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	p = stands(p, DB_MEMBER_FAILED, MEMBER_FELL_BACK, OFFERED_AT + 51);
	assert_judged(p, OFFERED_AT + 52, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	/* Also one that had settled. */
	p = moved(stands(phone(DB_RUNG_SETTLED), DB_MEMBER_SETTLED, MEMBER_FINE, OFFERED_AT + 100), 1,
	    OFFERED_AT + 200);
	assert_judged(p, OFFERED_AT + 201, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	p = stands(p, DB_MEMBER_FAILED, MEMBER_FELL_BACK, OFFERED_AT + 201);
	assert_judged(p, OFFERED_AT + 202, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	assert_judged(p, OFFERED_AT + 9 * DEADLINE, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	/* What the server's list has told late, of a time before the engine saw it settle. */
	p = moved(stands(phone(DB_RUNG_SETTLED), DB_MEMBER_SETTLED, MEMBER_FINE, OFFERED_AT + 100), 1, OFFERED_AT + 99);
	assert_judged(p, OFFERED_AT + 201, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	/* And until it is back. */
	p = moved(stands(p, DB_MEMBER_FAILED, MEMBER_FELL_BACK, OFFERED_AT + 201), 2, OFFERED_AT + 300);
	assert_judged(p, OFFERED_AT + 301, DB_MEMBER_SETTLED, MEMBER_FINE);
}

static void
unknown_certificate_fails_and_stays_failed(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_OFFERED), 0, OFFERED_AT);

	(void)state;
	assert_judged(p, OFFERED_AT + 1, DB_MEMBER_FAILED, MEMBER_UNKNOWN);
	p = moved(stands(phone(DB_RUNG_SETTLED), DB_MEMBER_SETTLED, MEMBER_FINE, OFFERED_AT + 100), 0,
	    OFFERED_AT + 200);
	assert_judged(p, OFFERED_AT + 201, DB_MEMBER_FAILED, MEMBER_UNKNOWN);
	/* That it had settled once does not clear it, when it is looked at again. */
	p = stands(p, DB_MEMBER_FAILED, MEMBER_UNKNOWN, OFFERED_AT + 201);
	assert_judged(p, OFFERED_AT + 202, DB_MEMBER_FAILED, MEMBER_UNKNOWN);
	/* It had that before: what it is offered may be the cure. */
	p = moved(phone(0), 0, OFFERED_AT - 1);
	assert_judged(p, OFFERED_AT + 1, DB_MEMBER_OFFERED, MEMBER_FINE);
	assert_judged(p, OFFERED_AT + DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_ASKED);
}

/* It began while nobody watched: nothing is known, and nothing is made up. */
static void
session_without_certificate_tells_nothing(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_CONNECTED), 0, OFFERED_AT + 50);

	(void)state;
	p.session.has_serial = false;
	assert_judged(p, OFFERED_AT + 60, DB_MEMBER_OFFERED, MEMBER_FINE);
}

/*
 * "rollout retry" of a phone that fell back gives it another try, with all its time: it is still on the VPN with the old
 * certificate, which is why it gets one.
 */
static void
retried_phone_has_its_time_again(void **state)
{
	const time_t again = OFFERED_AT + 5000;
	enum db_rung rung;

	(void)state;
	for (rung = DB_RUNG_CONNECTED; rung <= DB_RUNG_SETTLED; rung++) {
		struct db_member_proof p = moved(phone(rung), 1, OFFERED_AT + 50);

		p = stands(p, DB_MEMBER_OFFERED, MEMBER_FINE, again);
		assert_judged(p, again + 1, DB_MEMBER_OFFERED, MEMBER_FINE);
		assert_judged(p, again + DEADLINE - 1, DB_MEMBER_OFFERED, MEMBER_FINE);
		assert_judged(p, again + DEADLINE, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
		p = moved(p, 1, again + 10);
		assert_judged(p, again + 11, DB_MEMBER_FAILED, MEMBER_FELL_BACK);
	}
}

static void
revoked_certificate_fails_whatever_else(void **state)
{
	struct db_member_proof p = moved(phone(DB_RUNG_SETTLED), 2, OFFERED_AT + 5);

	(void)state;
	p.is_revoked = true;
	assert_judged(p, OFFERED_AT + 10, DB_MEMBER_FAILED, MEMBER_REVOKED);
	p = phone(0);
	p.is_revoked = true;
	assert_judged(p, OFFERED_AT + 10, DB_MEMBER_FAILED, MEMBER_REVOKED);
}

/* Nothing could be made for it, and then it has nothing to be judged by. */
static void
phone_without_a_generation_stays_as_it_is(void **state)
{
	struct db_member_proof p = stands(phone(DB_RUNG_SETTLED), DB_MEMBER_FAILED, MEMBER_NOT_MINTED, OFFERED_AT);

	(void)state;
	p.member.target = 0;
	assert_judged(p, OFFERED_AT + 9 * DEADLINE, DB_MEMBER_FAILED, MEMBER_NOT_MINTED);
}

static void
every_reason_has_a_name_and_a_text(void **state)
{
	(void)state;
	for (enum member_why i = MEMBER_FINE; i < MEMBER_WHY_COUNT; i++) {
		assert_true(strlen(member_why_name(i)) > 0);
		assert_true(strlen(member_why_text(i)) > 0);
		for (enum member_why j = MEMBER_FINE; j < i; j++)
			assert_string_not_equal(member_why_name(i), member_why_name(j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_phone_fails_with_the_likely_reason),
		cmocka_unit_test(unwatched_phone_is_not_said_to_stay_away),
		cmocka_unit_test(without_deadline_nobody_is_late),
		cmocka_unit_test(settled_phone_is_settled_whatever_it_was),
		cmocka_unit_test(failed_phone_keeps_its_reason),
		cmocka_unit_test(old_certificate_before_the_new_one_is_no_fall),
		cmocka_unit_test(phone_that_falls_back_fails_and_stays_failed),
		cmocka_unit_test(unknown_certificate_fails_and_stays_failed),
		cmocka_unit_test(session_without_certificate_tells_nothing),
		cmocka_unit_test(retried_phone_has_its_time_again),
		cmocka_unit_test(revoked_certificate_fails_whatever_else),
		cmocka_unit_test(phone_without_a_generation_stays_as_it_is),
		cmocka_unit_test(every_reason_has_a_name_and_a_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
