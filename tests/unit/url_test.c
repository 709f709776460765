/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/url.h"

#include <string.h>

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define MAC "000fd3054848"

/* An admin could not give a base that phones can use. */
static void
test_good_bases(void **state)
{
	static const char *const bases[] = { "http://h", "https://pbx.example.com", "https://pbx.example.com/",
		"http://192.0.2.1:8080/phones", "http://192.0.2.1:1/a/b/", "http://[2001:db8::1]:8080/x",
		"http://[::1]", "http://h/%41~x", "http://h_x:65535" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		assert_ok(url_check_base(bases[i], &e), e);
}

/* A base that no phone can use would be written into every phone's settings. */
static void
test_bad_bases(void **state)
{
	static const char *const bases[] = { "", "h", "//h", "http:", "http://", "http:///x", "http:h", "ftp://h",
		"HTTP://h/", "http://h x/", " http://h", "http://h/ ", "http://h\n", "http://h/a\tb", "http://h:0/",
		"http://h:/", "http://h:65536", "http://h:80x", "http://h:-1", "http://h?x", "http://h/?", "http://h#",
		"http://h/#a", "http://@h/", "http://[::1", "http://[zz]/", "http://[1.2.3.4]/", "http://[]/",
		"http://h%41/", "http://h;x/", "http://h/%4", "http://h/%zz", "http://h/./x", "http://h/../x",
		"http://h/x/..", "http://h//", "http://h/a//b", "http://\xc3\xbc/", "http://h/\xc3\xbc", "http://h/\"",
		"http://h/<", "http://h\\x" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		assert_fails(url_check_base(bases[i], &e), e, ERR_INPUT, "base URL: expected");
}

/* A password that someone put into the base would be shown in an error or a log. */
static void
test_no_secret_in_errors(void **state)
{
	static const char *const bases[] = { "http://user:hunter2@h/", "ftp://user:hunter2@h/",
		"http://u:hunter2@h:0/ ", "http://h/?token=hunter2" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		assert_int_equal(url_check_base(bases[i], &e), -1);
		assert_null(strstr(e.text, "hunter2"));
	}
}

/* A huge base would overrun the limits of what reads it. */
static void
test_long_base(void **state)
{
	char base[1100];
	struct err e = ERR_INIT;

	(void)state;
	memset(base, 'a', sizeof(base));
	memcpy(base, "http://h/", strlen("http://h/"));
	base[1024] = '\0';
	assert_ok(url_check_base(base, &e), e);
	base[1024] = 'a';
	base[1025] = '\0';
	assert_fails(url_check_base(base, &e), e, ERR_INPUT, "found 1025");
}

static void
assert_bundle(const char *base, const char *user, const char *password, const char *expected)
{
	struct buf out = BUF_INIT(2048);
	struct err e = ERR_INIT;

	assert_ok(url_bundle(base, user, password, MD5, MAC, &out, &e), e);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* The phone would ask for another file, or with another login, than the server has. Expected: RFC 3986 by hand. */
static void
test_bundle(void **state)
{
	(void)state;
	assert_bundle("http://h", NULL, NULL, "http://h/ovpn/" MD5 "/" MAC ".ovpn");
	assert_bundle("http://h/", NULL, NULL, "http://h/ovpn/" MD5 "/" MAC ".ovpn");
	assert_bundle("https://h:8443/phones/", MAC, "s3cret",
	    "https://" MAC ":s3cret@h:8443/phones/ovpn/" MD5 "/" MAC ".ovpn");
	assert_bundle("http://[::1]:8080", "u@x:y", "a/b?c#d&e\"'% \xc3\xbc",
	    "http://u%40x%3Ay:a%2Fb%3Fc%23d%26e%22%27%25%20%C3%BC@[::1]:8080/ovpn/" MD5 "/" MAC ".ovpn");
	assert_bundle("http://h", "u", NULL, "http://u:@h/ovpn/" MD5 "/" MAC ".ovpn");
}

/* A wrong md5 or MAC would go out as a URL that nothing answers. */
static void
test_bundle_refused(void **state)
{
	struct buf out = BUF_INIT(2048), small = BUF_INIT(10);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(url_bundle("ftp://h", NULL, NULL, MD5, MAC, &out, &e), e, ERR_INPUT, "http://");
	assert_fails(url_bundle("http://h", NULL, NULL, "D41D8CD98F00B204E9800998ECF8427E", MAC, &out, &e), e,
	    ERR_INPUT, "lower-case hex");
	assert_fails(url_bundle("http://h", NULL, NULL, MD5, "00:0f:d3:05:48:48", &out, &e), e, ERR_INPUT,
	    "lower-case hex");
	assert_fails(url_bundle("http://h", NULL, NULL, "", MAC, &out, &e), e, ERR_INPUT, "lower-case hex");
	assert_int_equal(out.len, 0);
	assert_fails(url_bundle("http://h", NULL, NULL, MD5, MAC, &small, &e), e, ERR_FAILED, "at most 10");
	buf_release(&out);
	buf_release(&small);
}

/* The server would look for the phones' files under another path than the one that it told them. */
static void
test_base_path(void **state)
{
	static const char *const cases[][2] = { { "http://h", "" }, { "http://h/", "" }, { "http://h:80", "" },
		{ "http://h/phones", "/phones" }, { "http://h/phones/", "/phones" }, { "http://[::1]:1/a/b", "/a/b" },
		{ "http://h/a%20b/", "/a%20b" } };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT(64);

		assert_ok(url_base_path(cases[i][0], &out, &e), e);
		assert_string_equal(buf_string(&out), cases[i][1]);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_bases),
		cmocka_unit_test(test_bad_bases),
		cmocka_unit_test(test_no_secret_in_errors),
		cmocka_unit_test(test_long_base),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_bundle_refused),
		cmocka_unit_test(test_base_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
