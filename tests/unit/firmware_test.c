/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "dseries/firmware.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct firmware
parsed(const char *s)
{
	struct err e = ERR_INIT;
	struct firmware f;

	assert_ok(firmware_parse(s, &f, &e), e);
	return f;
}

static void
assert_format(const char *s, const char *expected)
{
	struct firmware f = parsed(s);
	char out[FIRMWARE_SIZE];

	firmware_format(&f, out);
	assert_string_equal(out, expected);
}

/* The version on the phone's screen, with dots, would be taken for another than the vendor's. */
static void
written_in_the_vendors_form(void **state)
{
	(void)state;
	assert_format("2_7_0", "2_7_0");
	assert_format("2.7.0", "2_7_0");
	assert_format("2.7", "2_7_0");
	assert_format("2_7_0_0", "2_7_0");
	assert_format("2_7_0_0_0", "2_7_0");
	assert_format("2_2_1_1", "2_2_1_1");
	assert_format("1_4_0_0_57389", "1_4_0_0_57389");
	assert_format("1.1.0.0.48178", "1_1_0_0_48178");
	assert_format("0_0", "0_0_0");
	assert_format("99999_99999_99999_99999_99999", "99999_99999_99999_99999_99999");
}

/* A phone would be turned down, or let in, because 2_10 counts as older than 2_9. "sort -V" is of another opinion. */
static void
order_is_that_of_numbers(void **state)
{
	static const char *const versions[] = { "2_7_0", "2_10_0", "2_9_27", "1_9_0", "2_2_1_1", "2_2_1", "2_6_6",
		"2_6_6_1", "1_4_0_0_57389", "1_4_0_0_6389", "2_3_9", "10_0_0", "2_2_1_8", "2_6_5", "2_11_0_3" };
	struct buf sorted = BUF_INIT(4096);
	char *rest, *line;

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++)
		buf_addf(&sorted, "%s%s", i == 0 ? "" : " ", versions[i]);
	rest = strdup(buf_string(&sorted));
	assert_non_null(rest);
	buf_clear(&sorted);
	support_shell(&sorted, NULL, "printf '%%s\\n' %s | sort -V", rest);
	free(rest);
	rest = (char *)sorted.data;
	for (struct firmware before = { { 0 } }; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		struct firmware f = parsed(line);

		assert_true(firmware_compare(&before, &f) < 0);
		assert_true(firmware_compare(&f, &before) > 0);
		before = f;
	}
	buf_release(&sorted);
}

/* The same firmware, named differently, would be updated for ever. */
static void
absent_parts_are_zero(void **state)
{
	struct firmware a = parsed("2_7"), b = parsed("2.7.0"), c = parsed("2_7_0_0_0");

	(void)state;
	assert_int_equal(firmware_compare(&a, &b), 0);
	assert_int_equal(firmware_compare(&b, &c), 0);
}

/* A slip in the fleet's list would count as a version that somebody meant. */
static void
other_text_is_refused(void **state)
{
	static const char *const bad[] = { "", "2", "2_", "_2", "2_7_", "2__7", "2_7.0", "2.7_0", "2-7-0",
		"2_7_0_0_0_0", "2_7_0a", "v2_7_0", " 2_7_0", "2_7_0 ", "2_7_0\n", "2_-7", "2_+7", "2_7_100000",
		"99999999999999999999_1", "2_0x7", "latest", ".", "_", "2_7_0_0_0_" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct firmware f = { { 1, 2, 3, 4, 5 } };

		assert_fails(firmware_parse(bad[i], &f, &e), e, ERR_INPUT, "firmware: expected two to five numbers");
		assert_int_equal(f.part[0], 1);
		assert_int_equal(f.part[4], 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_in_the_vendors_form),
		cmocka_unit_test(order_is_that_of_numbers),
		cmocka_unit_test(absent_parts_are_zero),
		cmocka_unit_test(other_text_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
