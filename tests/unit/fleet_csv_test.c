/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "cli/fleet_csv.h"

#include <string.h>

static int
parse(const char *text, struct fleet *f, struct err *e)
{
	return fleet_parse(text, strlen(text), f, e);
}

/* A file from a spreadsheet is taken as it comes: BOM, CRLF, quoted commas, a line break in a cell, blank lines. */
static void
spreadsheet_is_taken(void **state)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("\xef\xbb\xbfmodel,label,mac\r\n"
			"d65,\"Kitchen, first\r\nfloor \"\"A\"\"\",00:0F:D3:05:48:48\r\n"
			"\r\n"
			"D80,,000f.d305.4849\r\n",
		      &f, &e),
	    e);
	assert_int_equal(f.problem_count, 0);
	assert_int_equal(f.row_count, 2);
	assert_string_equal(f.rows[0].draft.phone.mac, "000fd3054848");
	assert_string_equal(f.rows[0].draft.phone.model, "D65");
	assert_string_equal(f.rows[0].draft.phone.label, "Kitchen, first floor \"A\"");
	assert_int_equal(f.rows[0].line, 2);
	assert_string_equal(f.rows[1].draft.phone.mac, "000fd3054849");
	assert_int_equal(f.rows[1].line, 5);
	fleet_release(&f);
}

/* No last newline: the last phone must not be lost. */
static void
last_row_without_newline(void **state)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model\n000fd3000001,D60\n000fd3000002,D62", &f, &e), e);
	assert_int_equal(f.row_count, 2);
	assert_string_equal(f.rows[1].draft.phone.model, "D62");
	fleet_release(&f);
}

/* Every bad row is named with its own line, also behind a cell that spans lines. */
static void
bad_rows_are_named(void **state)
{
	static const struct {
		unsigned long line;
		const char *part;
	} expected[] = {
		{ 2, "MAC address: expected 12 hex digits" },
		{ 4, "model: expected one of D40, D45, D50, D60, D62, D65, D70, D80, found \"D99\"" },
		{ 7, "firmware" },
		{ 8, "expected 4 fields, found 2" },
		{ 9, "stands in line 3 already" },
		{ 10, "MAC address: expected 12 hex digits" },
	};
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,firmware,label\n"
			"000fd30000zz,D60,2_7_0,a\n"
			"000fd3000001,D60,2_7_0,b\n"
			"000fd3000002,D99,2_7_0,c\n"
			"000fd3000003,D62,2_7_0,\"two\n"
			"lines\"\n"
			"000fd3000004,D62,two,d\n"
			"000fd3000005,D62\n"
			"00-0f-d3-00-00-01,D65,2_7_0,e\n"
			" ,D65,2_7_0,f\n",
		      &f, &e),
	    e);
	assert_int_equal(f.total, 8);
	assert_int_equal(f.problem_count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < f.problem_count; i++) {
		assert_int_equal(f.problems[i].line, expected[i].line);
		if (strstr(f.problems[i].text, expected[i].part) == NULL)
			fail_msg("line %lu: %s", f.problems[i].line, f.problems[i].text);
	}
	fleet_release(&f);
}

/* A stray quote costs its own row, and hides no other bad one. */
static void
stray_quote(void **state)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,label\nzz,D65,x\n000fd3000001,D65,a\"b\nyy,D65,\"x\"y\n000fd3000002,D65,z\n", &f,
		      &e),
	    e);
	assert_int_equal(f.problem_count, 3);
	assert_int_equal(f.problems[0].line, 2);
	assert_int_equal(f.problems[1].line, 3);
	assert_int_equal(f.problems[2].line, 4);
	assert_non_null(strstr(f.problems[1].text, "a quote stands where none may stand"));
	assert_int_equal(f.row_count, 1);
	assert_int_equal(f.total, 4);
	fleet_release(&f);
}

/* Two phones with one login could fetch each other's keys. */
static void
users_that_occur_twice(void **state)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,http_user\n000fd3000001,D65,bob\n000fd3000002,D65,bob\n000fd3000003,D65,\n"
			"000fd3000004,D65,000fd3000003\n",
		      &f, &e),
	    e);
	assert_int_equal(f.problem_count, 2);
	assert_int_equal(f.problems[0].line, 3);
	assert_string_equal(f.problems[0].text, "http_user: bob stands in line 2 already");
	assert_int_equal(f.problems[1].line, 5);
	fleet_release(&f);
}

/* A file that is no fleet is refused as a whole, with the reason. */
static void
no_fleet_is_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{ "", "expected a row of column names, found nothing" },
		{ "000fd3000001,D60\n", "expected a row of column names" },
		{ "mac,modell\n", "\"modell\"" },
		{ "mac,label\n", "found no model" },
		{ "model\n", "found no mac" },
		{ "mac,model,mac\n", "expected once, found twice" },
		{ "mac,model,\"a\"b\n", "line 1: a quote" },
		{ "mac,model\n000fd3000001,\"D60\n", "line 2: a quoted field begins and does not end" },
		{ "<?xml version=\"1.0\"?><config/>\n", "line 1" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fleet f = FLEET_INIT;

		assert_fails(parse(bad[i].text, &f, &e), e, ERR_INPUT, bad[i].part);
		fleet_release(&f);
	}
}

/* A NUL byte or control characters must not reach the phone's XML. */
static void
control_characters(void **state)
{
	static const char text[] = "mac,model,label\n000fd3000001,D60,a\0b\n000fd3000002,D60,\x1b[31m\n"
				   "000fd3000003,D60,\xff\n";
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fleet_parse(text, sizeof(text) - 1, &f, &e), e);
	assert_int_equal(f.row_count, 0);
	assert_int_equal(f.problem_count, 3);
	assert_string_equal(f.problems[0].text, "expected text, found a NUL byte");
	fleet_release(&f);
}

/* More columns than there can be, and NUL bytes for names: a file from a stranger must not write over the stack. */
static void
hostile_header(void **state)
{
	struct buf text = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	for (int nul = 0; nul < 2; nul++) {
		struct fleet f = FLEET_INIT;

		buf_clear(&text);
		for (int i = 0; i < 600; i++)
			buf_add(&text, nul ? "\0," : "x,", 2);
		buf_add_string(&text, "label,model\n000fd3000001,D60\n");
		assert_fails(fleet_parse(text.data, text.len, &f, &e), e, ERR_INPUT, "line 1: expected");
		fleet_release(&f);
	}
	buf_release(&text);
}

/* A password never shows in a message about it. */
static void
secrets_stay_hidden(void **state)
{
	struct fleet f = FLEET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,secret\n000fd3000001,D60,hunter2\x01\n", &f, &e), e);
	assert_int_equal(f.problem_count, 1);
	assert_null(strstr(f.problems[0].text, "hunter2"));
	fleet_release(&f);
}

/* Two phones cannot go on with one certificate; and a file for 'phone import' has no such column. */
static void
certificates_of_phones(void **state)
{
	static const char text[] = "mac,model,certificate\n000fd3000001,D65,reception\n000fd3000002,D65,\n"
				   "000fd3000003,D65,\n000fd3000004,D65,reception\n000fd3000005,D65,a\x1b[2J\n";
	struct fleet f = { .certificates = true };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse(text, &f, &e), e);
	assert_int_equal(f.row_count, 4);
	assert_string_equal(f.rows[0].certificate, "reception");
	assert_string_equal(f.rows[1].certificate, "");
	assert_int_equal(f.problem_count, 2);
	assert_int_equal(f.problems[0].line, 5);
	assert_string_equal(f.problems[0].text, "certificate: reception stands in line 2 already");
	assert_int_equal(f.problems[1].line, 6);
	fleet_release(&f);
	assert_fails(parse(text, &f, &e), e, ERR_INPUT, "found \"certificate\"");
	fleet_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spreadsheet_is_taken),
		cmocka_unit_test(last_row_without_newline),
		cmocka_unit_test(bad_rows_are_named),
		cmocka_unit_test(stray_quote),
		cmocka_unit_test(users_that_occur_twice),
		cmocka_unit_test(no_fleet_is_refused),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(hostile_header),
		cmocka_unit_test(secrets_stay_hidden),
		cmocka_unit_test(certificates_of_phones),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
