/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/fetch.h"

#include <string.h>

/* The file that a phone asks for is <mac>.cfg below the base, with the login as the admin wrote it. */
static void
test_config_url(void **state)
{
	static const struct {
		const char *base, *url;
	} good[] = {
		{ "http://192.0.2.1", "http://192.0.2.1/000fd3054848.cfg" },
		{ "http://192.0.2.1/", "http://192.0.2.1/000fd3054848.cfg" },
		{ "https://u:p%40s@h.example:8443/a/b", "https://u:p%40s@h.example:8443/a/b/000fd3054848.cfg" },
		{ "http://[2001:db8::1]:80/a/", "http://[2001:db8::1]:80/a/000fd3054848.cfg" },
	};
	static const char *const bad[] = { "", "192.0.2.1", "ftp://192.0.2.1/", "file:///etc/", "http://",
		"http://h/?a=b", "http://h/#a", "http://h:99999/", "http://u:s3cret@h/ /", "http://u:s3cret%00@h/" };
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT(1024);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		buf_clear(&out);
		assert_ok(fetch_config_url(good[i].base, "000fd3054848", &out, &e), e);
		assert_string_equal(buf_string(&out), good[i].url);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&out);
		assert_fails(fetch_config_url(bad[i], "000fd3054848", &out, &e), e, ERR_INPUT, "URL: expected");
		assert_null(strstr(e.text, "s3cret"));
	}
	buf_clear(&out);
	fetch_show_url("https://user:s3cret@h.example:8443/a/b.ovpn?token=s3cret#x", &out);
	assert_string_equal(buf_string(&out), "https://h.example:8443/a/b.ovpn");
	buf_release(&out);
}

static void
test_auth_names(void **state)
{
	enum fetch_auth auth = FETCH_AUTH_NONE;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fetch_auth_parse("digest", &auth, &e), e);
	assert_int_equal(auth, FETCH_AUTH_DIGEST);
	assert_fails(fetch_auth_parse("ntlm", &auth, &e), e, ERR_USAGE, "none, basic, digest or any");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_url),
		cmocka_unit_test(test_auth_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
