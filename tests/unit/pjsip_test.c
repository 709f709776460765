/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "pbx/pjsip.h"
#include "pbx/value.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Spellings worked out by hand from Asterisk's main/config.c; a running 22.10.1 has read the same ones. */
static const struct {
	const char *value, *file, *row;
} spellings[] = {
	{ "s3cret", "s3cret", "s3cret" },
	{ "a;b", "a\\;b", "a^3Bb" },
	{ ";;", "\\;\\;", "^3B^3B" },
	{ "a;--b", "a\\;--b", "a^3B--b" },
	{ "a\\;b", "a\\\\;b", "a\\^3Bb" },
	{ "end\\", "end\\", "end\\" },
	{ "^3B", "^3B", "^5E3B" },
	{ "a^", "a^", "a^5E" },
	{ "#[a]=>b", "#[a]=>b", "#[a]=>b" },
	{ "a  b", "a  b", "a  b" },
	{ "p\xc3\xa4ss", "p\xc3\xa4ss", "p\xc3\xa4ss" },
};

/* The phone's password and the PBX's would differ, and the phone never register. */
static void
odd_values_are_spelled_out(void **state)
{
	struct buf file = BUF_INIT(256), row = BUF_INIT(256);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		buf_clear(&file);
		buf_clear(&row);
		assert_ok(value_file(spellings[i].value, "secret", &file, &e), e);
		assert_string_equal(buf_string(&file), spellings[i].file);
		assert_ok(value_row(spellings[i].value, 80, "secret", &row, &e), e);
		assert_string_equal(buf_string(&row), spellings[i].row);
		assert_int_equal(value_is_escaped(spellings[i].value),
		    strcmp(spellings[i].value, spellings[i].row) != 0);
	}
	buf_release(&file);
	buf_release(&row);
}

/* Asterisk would take another value than was meant, and say nothing. */
static void
what_cannot_be_said_is_refused(void **state)
{
	static const struct {
		const char *value, *rule;
	} bad[] = {
		{ "", "secret: expected some text" },
		{ " pa55", "no blank at either end" },
		{ "pa55 ", "no blank at either end" },
		{ "pa55\n[x]", "without control characters" },
		{ "pa55\r", "without control characters" },
		{ "pa55\t", "without control characters" },
		{ "pa55\xff", "expected UTF-8" },
	};
	struct buf out = BUF_INIT(256);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(value_file(bad[i].value, "secret", &out, &e), -1);
		assert_null(strstr(e.text, "pa55"));
		assert_fails(-1, e, ERR_INPUT, bad[i].rule);
		assert_fails(value_row(bad[i].value, 80, "secret", &out, &e), e, ERR_INPUT, bad[i].rule);
	}
	assert_fails(value_file(">pa55", "secret", &out, &e), e, ERR_INPUT, "secret: expected no '>' in front");
	assert_ok(value_row(">pa55", 80, "secret", &out, &e), e);
	buf_release(&out);
}

/* PostgreSQL would refuse the row, and with it the fleet; it counts characters, and those as they are stored. */
static void
columns_have_an_end(void **state)
{
	struct buf out = BUF_INIT(256);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(value_row("1234", 4, "secret", &out, &e), e);
	assert_ok(value_row("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4, "secret", &out, &e), e);
	assert_fails(value_row("12345", 4, "secret", &out, &e), e, ERR_INPUT, "at most 4 characters");
	assert_ok(value_row("1;", 4, "secret", &out, &e), e);
	assert_fails(value_row("12;", 4, "secret", &out, &e), e, ERR_INPUT, "found 5");
	buf_release(&out);
}

/* ast_escape_quoted()'s form: a quote in a label would end the name. */
static void
callers_names_are_quoted(void **state)
{
	struct buf out = BUF_INIT(256);

	(void)state;
	value_callerid("A \"B\" \\ <9>", "203", &out);
	assert_string_equal(buf_string(&out), "\"A \\\"B\\\" \\\\ <9>\" <203>");
	buf_clear(&out);
	value_callerid("", "203", &out);
	assert_string_equal(buf_string(&out), "<203>");
	buf_release(&out);
}

/* A quote in a password would be SQL; a backslash would be lost, or not, by a setting of the server. */
static void
sql_strings_are_strings(void **state)
{
	static const struct {
		const char *value, *plain, *escapes;
	} strings[] = {
		{ "a", "'a'", "'a'" },
		{ "a'b", "'a''b'", "'a''b'" },
		{ "a\\b", "'a\\b'", "E'a\\\\b'" },
		{ "\\'", "'\\'''", "E'\\\\'''" },
	};
	struct buf out = BUF_INIT(256);

	(void)state;
	for (size_t i = 0; i < COUNT(strings); i++) {
		buf_clear(&out);
		value_sql(strings[i].value, false, &out);
		assert_string_equal(buf_string(&out), strings[i].plain);
		buf_clear(&out);
		value_sql(strings[i].value, true, &out);
		assert_string_equal(buf_string(&out), strings[i].escapes);
	}
	buf_release(&out);
}

/* What stands between brackets has no escapes: a name from a database that somebody edited must not become a section. */
static void
names_are_names(void **state)
{
	static const char *const bad[] = { "", "2 03", "203]", "203\n", "a,b", "203;", "'" };
	const struct pjsip_params params = { .form = PJSIP_FILE, .vpn_network = "10.8.0.0/16" };
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct pjsip_phone phone = { .extension = bad[i], .label = "", .secret = "s3cret" };

		assert_fails(pjsip_add(&params, &phone, &out, &e), e, ERR_INPUT, "extension: expected letters, digits");
	}
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_values_are_spelled_out),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(columns_have_an_end),
		cmocka_unit_test(callers_names_are_quoted),
		cmocka_unit_test(sql_strings_are_strings),
		cmocka_unit_test(names_are_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
