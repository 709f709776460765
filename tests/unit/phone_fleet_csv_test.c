/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/fleet_csv.h"

#include <string.h>

static int
parse(const char *text, struct fleet_list *l, struct err *e)
{
	return fleet_csv_parse(text, strlen(text), l, e);
}

static void
assert_url(const struct fleet_list *l, size_t at, const char *base, const char *expected)
{
	struct buf url = BUF_INIT(4096);
	struct err e = ERR_INIT;

	assert_ok(fleet_url_check(l, &l->phones[at], base, &url, &e), e);
	assert_string_equal(buf_string(&url), expected);
	buf_release(&url);
}

/* A file from a spreadsheet is taken as it comes, and each phone gets the login that is its own. */
static void
logins_go_into_urls(void **state)
{
	struct fleet_list l = FLEET_LIST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("\xef\xbb\xbfmodel,HTTP_PASSWORD,mac,label,http_user,config_url\r\n"
			"d65,p@ss:w\xc3\xb6rd/1,00:0F:D3:05:48:48,\"Kitchen, first\r\nfloor \"\"A\"\"\",,\r\n"
			"\r\n"
			"D80,x,000f.d305.4849,,a b,https://other.example.com/p\r\n"
			"D62,,000fd305484a,,,http://u:p@h/\r\n"
			"D60,,000fd305484b,,,",
		      &l, &e),
	    e);
	assert_int_equal(l.problem_total, 0);
	assert_int_equal(l.count, 4);
	assert_string_equal(l.phones[0].mac, "000fd3054848");
	assert_string_equal(l.phones[0].model->name, "D65");
	assert_true(l.phones[0].vpn);
	/* RFC 3986 section 2.1, by hand. */
	assert_url(&l, 0, "http://h:8080/x", "http://000fd3054848:p%40ss%3Aw%C3%B6rd%2F1@h:8080/x");
	assert_url(&l, 1, "http://h:8080/x", "https://a%20b:x@other.example.com/p");
	assert_url(&l, 2, "http://h:8080/x", "http://u:p@h/");
	assert_url(&l, 3, "http://h:8080/x", "http://h:8080/x");
	assert_int_equal(l.phones[1].line, 5);
	fleet_list_release(&l);
}

/* The vendor's page: D65 from 2_7_0 on; without a firmware the recommended one. */
static void
vpn_by_model_and_firmware(void **state)
{
	static const bool expected[] = { true, false, true, false };
	struct fleet_list l = FLEET_LIST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,firmware\n000fd3000001,D65,2.7.0\n000fd3000002,D65,2_6_6\n000fd3000003,D65,\n"
			"000fd3000004,D40,\n",
		      &l, &e),
	    e);
	assert_int_equal(l.count, 4);
	for (size_t i = 0; i < l.count; i++)
		assert_int_equal(l.phones[i].vpn, expected[i]);
	fleet_list_release(&l);
}

/* Every bad row is named with the line that it begins on, and no text repeats a password. */
static void
bad_rows_are_named(void **state)
{
	static const struct {
		unsigned long line;
		const char *part;
	} expected[] = {
		{ 2, "MAC address" },
		{ 3, "model: expected" },
		{ 6, "http_user: expected an http_password" },
		{ 7, "expected 5 fields, found 2" },
		{ 8, "found no model" },
		{ 9, "one login" },
		{ 10, "URL" },
		{ 11, "quote" },
		{ 12, "':'" },
		{ 13, "stands in line 4 already" },
	};
	struct fleet_list l = FLEET_LIST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("mac,model,http_user,http_password,config_url\n"
			"zz,D65,,,\n"
			"000fd3000001,D99,,,\n"
			"000fd3000001,D65,,\"a\nb\",\n" /* two lines, and no control character may be in a password */
			"000fd3000002,D65,u,,\n"
			"000fd3000003,D65\n"
			"000fd3000004,,,,\n"
			"000fd3000005,D65,,secret,http://u:p@h/\n"
			"000fd3000006,D65,,,ftp://h/\n"
			"000fd3000007,D\"65,,,\n"
			"000fd3000008,D65,a:b,secret,\n",
		      &l, &e),
	    e);
	assert_int_equal(l.count, 0);
	assert_int_equal(l.rows, 10);
	assert_int_equal(l.problem_count, 10);
	assert_int_equal(l.problems[2].line, 4);
	assert_non_null(strstr(l.problems[2].text, "http_password"));
	fleet_list_release(&l);
	l = (struct fleet_list)FLEET_LIST_INIT;
	assert_ok(parse("mac,model,http_user,http_password,config_url\n"
			"zz,D65,,,\n"
			"000fd3000001,D99,,,\n"
			"000fd3000001,D65,,\"a\"\"b,\",\n"
			"\n"
			"000fd3000002,D65,u,,\n"
			"000fd3000003,D65\n"
			"000fd3000004,,,,\n"
			"000fd3000005,D65,,secret,http://u:p@h/\n"
			"000fd3000006,D65,,,ftp://h/\n"
			"000fd3000007,D\"65,,,\n"
			"000fd3000008,D65,a:b,secret,\n"
			"00-0f-d3-00-00-01,D65,,,\n",
		      &l, &e),
	    e);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.problem_count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < l.problem_count; i++) {
		assert_int_equal(l.problems[i].line, expected[i].line);
		if (strstr(l.problems[i].text, expected[i].part) == NULL)
			fail_msg("line %lu: %s", l.problems[i].line, l.problems[i].text);
		assert_null(strstr(l.problems[i].text, "secret"));
	}
	fleet_list_release(&l);
}

/* A file that is no fleet is refused as a whole, with the reason. */
static void
no_fleet_at_all(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "found nothing" },
		{ "mac,firmware\n", "found no model" },
		{ "model\n", "found no mac" },
		{ "mac,model,colour\n", "found \"colour\"" },
		{ "mac,model,MAC\n", "column MAC: expected once" },
		{ "mac,mo\"del\n", "quote" },
		{ "mac,model\n000fd3000001,\"D65\n", "does not end" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fleet_list l = FLEET_LIST_INIT;

		assert_fails(parse(cases[i].text, &l, &e), e, ERR_INPUT, cases[i].part);
		fleet_list_release(&l);
	}
}

/* A file of nothing but bad rows costs no more memory for each: they are counted. */
static void
problems_are_bounded(void **state)
{
	struct fleet_list l = FLEET_LIST_INIT;
	struct buf text = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;

	(void)state;
	buf_add_string(&text, "mac,model\n");
	for (int i = 0; i < FLEET_PROBLEMS_MAX + 500; i++)
		buf_add_string(&text, "x,y\n");
	assert_ok(fleet_csv_parse(text.data, text.len, &l, &e), e);
	assert_int_equal(l.problem_count, FLEET_PROBLEMS_MAX);
	assert_int_equal(l.problem_total, FLEET_PROBLEMS_MAX + 500);
	buf_release(&text);
	fleet_list_release(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_go_into_urls),
		cmocka_unit_test(vpn_by_model_and_firmware),
		cmocka_unit_test(bad_rows_are_named),
		cmocka_unit_test(no_fleet_at_all),
		cmocka_unit_test(problems_are_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
