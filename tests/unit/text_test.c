/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A value would be cut to fit, and then be another one. */
static void
copy_is_whole_or_refused(void **state)
{
	char field[4] = "abc", *made = text_format("%s-%d", "D", 65);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(text_copy(field, sizeof(field), "xyz", "label", &e), e);
	assert_string_equal(field, "xyz");
	assert_ok(text_copy(field, sizeof(field), "", "label", &e), e);
	assert_string_equal(field, "");
	assert_fails(text_copy(field, sizeof(field), "wxyz", "label", &e), e, ERR_INPUT,
	    "label: expected at most 3 bytes, found 4");
	assert_string_equal(field, "");
	assert_string_equal(made, "D-65");
	free(made);
}

/* A typing error in a port, a number of days or of threads would count as some other number. */
static void
numbers_are_strict(void **state)
{
	static const char *const bad[] = { "", " 5", "5 ", "+5", "-5", "5x", "0x5", "5.0", "5e0", "five", "0", "11",
		"18446744073709551621", "99999999999999999999999", "\n5", "5\n", "\xd9\xa5" };
	unsigned long n = 77;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_fails(text_number(bad[i], 1, 10, "days", &n, &e), e, ERR_INPUT,
		    "days: expected a number from 1 to 10, found \"");
		assert_int_equal(n, 77);
	}
	assert_ok(text_number("1", 1, 10, "days", &n, &e), e);
	assert_int_equal(n, 1);
	assert_ok(text_number("10", 1, 10, "days", &n, &e), e);
	assert_int_equal(n, 10);
	assert_ok(text_number("0", 0, 10, "days", &n, &e), e);
	assert_int_equal(n, 0);
	assert_ok(text_number("18446744073709551615", 0, ~0ul, "days", &n, &e), e);
	assert_true(n == ~0ul);
}

/* An md5 or a serial would differ from what other programs print; od prints the same bytes. */
static void
hex(void **state)
{
	struct buf all = BUF_INIT(256), seen = BUF_INIT(1024);
	unsigned char bytes[256], back[256];
	char out[513];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	buf_add(&all, bytes, sizeof(bytes));
	support_shell(&seen, &all, "{ od -An -v -tx1 | tr -d ' \\n'; }");
	text_hex(bytes, sizeof(bytes), out);
	assert_string_equal(out, buf_string(&seen));
	assert_true(text_unhex(out, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(text_unhex("aBcDeF", back, 3));
	assert_memory_equal(back, "\xab\xcd\xef", 3);
	assert_false(text_unhex("abcd", back, 3));
	assert_false(text_unhex("abcdefa", back, 3));
	assert_false(text_unhex("abcdeg", back, 3));
	assert_false(text_unhex(" abcde", back, 3));
	assert_true(text_unhex("", back, 0));
	text_hex(bytes, 0, out);
	assert_string_equal(out, "");
	assert_true(text_is_hex("0123456789abcdef", 16));
	assert_false(text_is_hex("0123456789abcdeF", 16));
	assert_false(text_is_hex("0123456789abcdef", 15));
	assert_false(text_is_hex("0123456789abcde", 16));
	assert_true(text_is_hex("", 0));
	buf_release(&all);
	buf_release(&seen);
}

/* A certificate would begin or end on another day than the admin said; date agrees. */
static void
times(void **state)
{
	static const char *const days[] = { "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2024-12-31T12:00:01Z",
		"2038-01-19T03:14:08Z", "2100-02-28T01:02:03Z", "9999-12-31T23:59:59Z" };
	struct buf seen = BUF_INIT(256);
	char out[TEXT_TIME_SIZE];
	struct err e = ERR_INIT;
	time_t when;

	(void)state;
	for (size_t i = 0; i < COUNT(days); i++) {
		assert_ok(text_time_parse(days[i], "not-before", &when, &e), e);
		support_shell(&seen, NULL, "date -u -d %s +%%s", days[i]);
		assert_int_equal(when, strtoll(buf_string(&seen), NULL, 10));
		buf_clear(&seen);
		text_time(when, out);
		assert_string_equal(out, days[i]);
	}
	assert_ok(text_time_parse("2024-02-29", "not-before", &when, &e), e);
	text_time(when, out);
	assert_string_equal(out, "2024-02-29T00:00:00Z");
	buf_release(&seen);
}

/* 30 February would become March, and half a date the whole of one. */
static void
times_that_are_none(void **state)
{
	static const char *const bad[] = { "", "yesterday", "2024", "2024-02", "2024-02-30", "2023-02-29", "2024-13-01",
		"2024-00-10", "2024-01-00", "2024-01-32", "24-01-01", "2024-1-1", "2024/01/01", "01-01-2024",
		"2024-01-01T", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z", "2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00Zx", " 2024-01-01",
		"2024-01-01 ", "1700000000" };
	struct err e = ERR_INIT;
	time_t when = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_fails(text_time_parse(bad[i], "not-before", &when, &e), e, ERR_INPUT,
		    "not-before: expected YYYY-MM-DD");
		assert_int_equal(when, 77);
	}
}

/* A password with such characters would make a URL that means something else (RFC 3986 section 2.3). */
static void
percent_encoding(void **state)
{
	struct buf text = BUF_INIT(1024), out = BUF_INIT(4096), seen = BUF_INIT(4096);

	(void)state;
	for (int c = 1; c < 127; c++)
		buf_addf(&text, "%c", c);
	buf_add_string(&text, "\x7f \xc3\xbc \xe2\x82\xac \xf0\x9f\x93\x9e");
	support_shell(&seen, &text, "perl -0777 -pe 's/([^A-Za-z0-9._~-])/\"%%\" . uc unpack(\"H2\", $1)/ge'");
	text_percent_encode(&out, buf_string(&text));
	assert_string_equal(buf_string(&out), buf_string(&seen));
	buf_clear(&seen);
	assert_true(text_percent_decode(&seen, buf_string(&out), out.len));
	assert_string_equal(buf_string(&seen), buf_string(&text));
	buf_release(&text);
	buf_release(&out);
	buf_release(&seen);
}

/* A request's path would be read past its end, or end at a NUL that it smuggled in. */
static void
percent_decoding(void **state)
{
	static const char *const bad[] = { "%", "a%", "%4", "a%4", "%4g", "%g4", "%%41", "%00", "a%00b", "%-1", "% 1" };
	struct buf out = BUF_INIT(256);

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_clear(&out);
		assert_false(text_percent_decode(&out, bad[i], strlen(bad[i])));
	}
	buf_clear(&out);
	assert_true(text_percent_decode(&out, "%41%2f%2F+%7e%ff", 16));
	assert_string_equal(buf_string(&out), "A//+~\xff");
	buf_clear(&out);
	/* The length counts, not what is behind. */
	assert_false(text_percent_decode(&out, "%41", 2));
	buf_clear(&out);
	assert_true(text_percent_decode(&out, "abc", 2));
	assert_string_equal(buf_string(&out), "ab");
	buf_release(&out);
}

/* Sequences that RFC 3629 forbids, and control characters (C0, DEL, C1). */
static const char *const unclean[] = { "\x01", "\n", "\r", "\t", "\033[2J", "\x7f", "\xc2\x80", "\xc2\x9f", "\x80",
	"\xbf", "\xc3", "\xc3x", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x93", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
	"\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
	"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff" };

/* A label would break the phone's document, or play with an admin's terminal. */
static void
clean_text(void **state)
{
	static const char *const clean[] = { "", "K\xc3\xbc\x63he", " ~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	char shown[16];

	(void)state;
	for (size_t i = 0; i < COUNT(clean); i++) {
		assert_true(text_is_clean(clean[i], strlen(clean[i])));
		assert_string_equal(text_printable(clean[i], shown, sizeof(shown)), clean[i]);
	}
	for (size_t i = 0; i < COUNT(unclean); i++) {
		assert_false(text_is_clean(unclean[i], strlen(unclean[i])));
		(void)text_printable(unclean[i], shown, sizeof(shown));
		assert_int_equal(shown[0], '?');
		assert_true(text_is_clean(shown, strlen(shown)));
	}
	assert_false(text_is_clean("a\0b", 3));
	assert_true(text_is_clean("a\n", 1));
}

/* A long name would run out of its message, or be cut in the middle of a letter. */
static void
printable_fits(void **state)
{
	static const char umlauts[] = "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc";
	char shown[16];

	(void)state;
	assert_string_equal(text_printable("0123456789ab", shown, 16), "0123456789ab");
	assert_string_equal(text_printable("0123456789abcdef", shown, 16), "0123456789ab...");
	assert_string_equal(text_printable("a\nb\033c", shown, 16), "a?b?c");
	assert_string_equal(text_printable("0123", shown, 4), "...");
	assert_string_equal(text_printable("0", shown, 4), "0");
	assert_string_equal(text_printable("0", shown, 1), "");
	for (size_t size = 1; size <= 16; size++) {
		size_t len = strlen(text_printable(umlauts, shown, size));

		assert_true(len < size);
		assert_true(text_is_clean(shown, len));
		assert_true(len == strlen(umlauts) || size < 4 || strcmp(shown + len - 3, "...") == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_is_whole_or_refused),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(hex),
		cmocka_unit_test(times),
		cmocka_unit_test(times_that_are_none),
		cmocka_unit_test(percent_encoding),
		cmocka_unit_test(percent_decoding),
		cmocka_unit_test(clean_text),
		cmocka_unit_test(printable_fits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
