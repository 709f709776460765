/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "rollout/guard.h"

#include <string.h>

/* A plan that would strand phones is refused, and one that would not is let go: at the second. */

#define NOW 1800000000 /* 2027-01-15T08:00:00Z, by date(1) */
#define HOUR 3600

static const struct guard_kind fine = { .fails = NULL };

static enum guard_reason
judge_end(time_t end, time_t renewed_from, char detail[GUARD_DETAIL_SIZE])
{
	const struct guard_end ends[] = { { .reason = GUARD_CA_ENDS, .name = "the CA \"A\"", .end = NOW + 100 * HOUR },
		{ .reason = GUARD_CRL_ENDS, .name = "the CRL", .end = end, .renewed_from = renewed_from } };
	const struct guard_facts facts = { .ends = ends, .end_count = 2, .now = NOW };
	const struct guard_phone p = { .offered = NOW + HOUR, .settled = NOW + 2 * HOUR };

	return guard_judge(&facts, &fine, &p, detail);
}

static void
what_all_depend_on_has_to_last(void **state)
{
	char detail[GUARD_DETAIL_SIZE];

	(void)state;
	assert_int_equal(judge_end(NOW + 2 * HOUR + 1, 0, detail), GUARD_FINE);
	assert_string_equal(detail, "");
	assert_int_equal(judge_end(NOW + 2 * HOUR, 0, detail), GUARD_CRL_ENDS);
	assert_string_equal(detail,
	    "the CRL ends at 2027-01-15T10:00:00Z, and the phone may take until 2027-01-15T10:00:00Z");
	assert_int_equal(judge_end(NOW, 0, detail), GUARD_CRL_ENDS);
	assert_string_equal(detail, "the CRL ended at 2027-01-15T08:00:00Z");
	/* Somebody renews it, up to the time at which nobody has; and not one that has ended. */
	assert_int_equal(judge_end(NOW + HOUR, NOW + 1, detail), GUARD_FINE);
	assert_int_equal(judge_end(NOW + HOUR, NOW, detail), GUARD_CRL_ENDS);
	assert_int_equal(judge_end(NOW, NOW + 1, detail), GUARD_CRL_ENDS);
}

static void
revoked_one_does_not_come_back(void **state)
{
	const struct guard_facts facts = { .now = NOW };
	const struct guard_phone p = { .is_revoked = true };
	char detail[GUARD_DETAIL_SIZE];

	(void)state;
	assert_int_equal(guard_judge(&facts, &fine, &p, detail), GUARD_REVOKED);
	assert_non_null(strstr(detail, "is revoked"));
}

/* Whether the old bundle still works matters only to who has no other way to the new one. */
static void
way_to_the_xml_counts(void **state)
{
	const struct guard_facts outside = { .now = NOW }, inside = { .now = NOW, .xml_host = "10.8.0.1" };
	const struct guard_kind breaks = { .breaks = "the server moves" }, fails = { .fails = "no", .breaks = "moves" };
	struct guard_phone p = { .offered = NOW + HOUR, .not_after = NOW + 2 * HOUR };
	char detail[GUARD_DETAIL_SIZE];

	(void)state;
	assert_int_equal(guard_judge(&outside, &breaks, &p, detail), GUARD_FINE);
	assert_int_equal(guard_judge(&inside, &breaks, &p, detail), GUARD_CUT_OFF);
	assert_string_equal(detail, "its XML is at 10.8.0.1, inside the VPN, and the server moves");
	assert_int_equal(guard_judge(&outside, &fails, &p, detail), GUARD_CHECK);
	assert_int_equal(guard_judge(&inside, &fine, &p, detail), GUARD_FINE);
	p.not_after = p.offered;
	assert_int_equal(guard_judge(&inside, &fine, &p, detail), GUARD_LATE);
	assert_int_equal(guard_judge(&outside, &fine, &p, detail), GUARD_FINE);
	/* It is off the VPN as it is, and nothing that is done now takes it away. */
	p.not_after = NOW;
	assert_int_equal(guard_judge(&inside, &fine, &p, detail), GUARD_FINE);
	p.not_after = 0;
	assert_int_equal(guard_judge(&inside, &fine, &p, detail), GUARD_FINE);
}

/* 5, 250 and 100 phones, 100 a minute: by hand. */
static void
times_of_waves_add_up(void **state)
{
	const size_t sizes[] = { 5, 250, 100 };
	struct plan p = { .per_minute = 100, .soak = HOUR, .deadline = 10 * HOUR };

	(void)state;
	assert_int_equal(guard_wave_offered(&p, sizes, 0), 0);
	assert_int_equal(guard_wave_offered(&p, sizes, 1), HOUR + 120);
	assert_int_equal(guard_wave_offered(&p, sizes, 2), 2 * HOUR + 120);
	assert_int_equal(guard_wave_over(&p, sizes, 0), 10 * HOUR);
	assert_int_equal(guard_wave_over(&p, sizes, 2), 32 * HOUR + 120);
	p.per_minute = 0;
	p.deadline = 0;
	assert_int_equal(guard_wave_over(&p, sizes, 2), 2 * HOUR);
}

static void
each_reason_has_its_words(void **state)
{
	(void)state;
	for (enum guard_reason i = GUARD_CA_ENDS; i < GUARD_REASON_COUNT; i++) {
		assert_non_null(guard_reason_name(i));
		assert_true(strlen(guard_reason_remedy(i)) > 10);
		for (enum guard_reason j = GUARD_FINE; j < i; j++)
			assert_string_not_equal(guard_reason_name(i), guard_reason_name(j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_depend_on_has_to_last),
		cmocka_unit_test(revoked_one_does_not_come_back),
		cmocka_unit_test(way_to_the_xml_counts),
		cmocka_unit_test(times_of_waves_add_up),
		cmocka_unit_test(each_reason_has_its_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
