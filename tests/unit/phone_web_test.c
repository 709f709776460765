/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/html.h"
#include "phone/upload.h"
#include "phone/web_guard.h"
#include "phone/web_page.h"
#include "phone/web_route.h"

#include <stdio.h>
#include <string.h>

static void
assert_html(const char *text, const char *expected)
{
	struct buf out = BUF_INIT(1024);

	html_text(&out, text);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* Text from a file name or an error must stay text in the admin's browser. */
static void
test_escaping(void **state)
{
	(void)state;
	assert_html("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
	assert_html("\" onmouseover=\"x", "&quot; onmouseover=&quot;x");
	assert_html("&amp;", "&amp;amp;");
	assert_html("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\n\t~", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\n\t~");
	/* RFC 3629: a lone byte, an overlong form, a surrogate, above U+10FFFF, one that is cut; a C0 and a C1 control. */
	assert_html("\x80 \xc0\xaf \xed\xa0\x80", "\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
						  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_html("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_html("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_html("\x1b[31m\x7f\xc2\x85", "\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_login(void **state)
{
	(void)state;
	assert_true(guard_login("admin", "789", ""));
	assert_true(guard_login("admin", "4711", "4711"));
	assert_false(guard_login("admin", "789", "4711"));
	assert_false(guard_login("admin", "", ""));
	assert_false(guard_login("admin", "7890", ""));
	assert_false(guard_login("Admin", "789", ""));
	assert_false(guard_login("", "789", ""));
}

/* HMAC-SHA256 as the openssl program makes it. */
static void
test_token(void **state)
{
	static const unsigned char key[GUARD_KEY_SIZE] = "0123456789abcdef0123456789abcdef";
	char token[GUARD_TOKEN_SIZE], expected[GUARD_TOKEN_SIZE + 1];
	struct buf out = BUF_INIT(256);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(guard_token(key, "000fd3054848", token, &e), e);
	support_shell(&out, NULL, "{ printf 000fd3054848 | openssl dgst -sha256 -hmac %.32s -r | cut -d' ' -f1; }",
	    key);
	(void)snprintf(expected, sizeof(expected), "%s\n", token);
	assert_string_equal(buf_string(&out), expected);
	assert_true(guard_token_is(token, token));
	assert_false(guard_token_is("", token));
	token[0] ^= 1;
	expected[GUARD_TOKEN_SIZE - 1] = '\0';
	assert_false(guard_token_is(expected, token));
	buf_release(&out);
}

static void
test_host(void **state)
{
	static const char *const good[] = { "192.0.2.7", "192.0.2.7:8080", "[2001:db8::7]", "[::1]:80", "localhost",
		"LOCALHOST:8080" };
	static const char *const bad[] = { "", "evil.example", "192.0.2.7.evil.example", "evil.example:80", "[::1]x",
		"[::1", "::1", "192.0.2", "localhost.evil.example", "[192.0.2.7]",
		"00000000000000000000000000000000000000000000000000000000" };

	(void)state;
	assert_true(guard_host(NULL));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(guard_host(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(guard_host(bad[i]));
}

/* A form that another site sends through the admin's browser is told by what the browser says of it. */
static void
test_origin(void **state)
{
	static const char host[] = "192.0.2.7:8080";

	(void)state;
	assert_true(guard_origin(host, NULL, NULL));
	assert_true(guard_origin(host, "http://192.0.2.7:8080", "same-origin"));
	assert_true(guard_origin(host, NULL, "none"));
	assert_false(guard_origin(host, "http://192.0.2.7", NULL));
	assert_false(guard_origin(host, "https://192.0.2.7:8080", NULL));
	assert_false(guard_origin(host, "http://evil.example", NULL));
	assert_false(guard_origin(host, "null", NULL));
	assert_false(guard_origin(host, "", NULL));
	assert_false(guard_origin(NULL, "http://192.0.2.7:8080", NULL));
	assert_false(guard_origin(host, NULL, "cross-site"));
	assert_false(guard_origin(host, "http://192.0.2.7:8080", "same-site"));
}

static void
test_routes(void **state)
{
	const struct web_route *r = web_route_find("/vpn");

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->place, WEB_VPN);
	assert_true(web_route_takes(r, "GET") && web_route_takes(r, "HEAD") && web_route_takes(r, "POST"));
	assert_false(web_route_takes(r, "PUT") || web_route_takes(r, "get") || web_route_takes(r, ""));
	r = web_route_find("/cgi-bin/ptsr");
	assert_non_null(r);
	assert_false(web_route_takes(r, "POST"));
	assert_null(web_route_find(""));
	assert_null(web_route_find("/VPN"));
	assert_null(web_route_find("/vpn/"));
	assert_null(web_route_find("/cgi-bin/"));
}

static void
assert_place(const char *path, const char *model, const char *firmware, const char *why)
{
	struct err e = ERR_INIT;
	struct phone p;

	assert_ok(phone_in_memory("000fd3054848", model, firmware, &p, &e), e);
	if (why == NULL)
		assert_ok(web_route_check_phone(web_route_find(path), &p, &e), e);
	else
		assert_fails(web_route_check_phone(web_route_find(path), &p, &e), e, ERR_NOT_FOUND, why);
	phone_close(&p);
}

/* "D6x phones beginning with firmware 2.7.0 have a built-in web handler". */
static void
test_models(void **state)
{
	(void)state;
	assert_place("/vpn", "D60", "2_7_0", NULL);
	assert_place("/vpn", "D62", "2_9_27", NULL);
	assert_place("/vpn", "D65", "2_7_0", NULL);
	assert_place("/vpn", "D65", "2_6_6", "from firmware 2_7_0");
	assert_place("/vpn", "D80", "1_9_0", "not known");
	assert_place("/vpn", "D70", "2_9_26", "has no OpenVPN");
	assert_place("/cgi-bin/ptsr", "D80", "1_9_0", NULL);
	assert_place("/cgi-bin/ptsr", "D40", "2_9_26", "has no OpenVPN");
	assert_place("/vpn.css", "D40", "2_9_26", NULL);
}

/* A notice is named in the URL, and somebody else can make a link of it. */
static void
test_notices(void **state)
{
	(void)state;
	for (unsigned int n = WEB_NOTICE_NONE + 1; n < WEB_NOTICE_COUNT; n++)
		assert_int_equal(web_notice_parse(web_notice_name((enum web_notice)n)), n);
	assert_int_equal(web_notice_parse(NULL), WEB_NOTICE_NONE);
	assert_int_equal(web_notice_parse(""), WEB_NOTICE_NONE);
	assert_int_equal(web_notice_parse("<b>"), WEB_NOTICE_NONE);
}

/* The page is well-formed, and every state of the phone has words: colour alone says nothing to the blind. */
static void
test_page(void **state)
{
	struct buf out = BUF_INIT(WEB_PAGE_MAX), said = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct phone p;

	(void)state;
	assert_ok(phone_in_memory("000fd3054848", "D65", "2_9_27", &p, &e), e);
	for (unsigned int i = 0; i < 3; i++) {
		struct status s = { .phone = &p,
			.shield = (enum shield)i,
			.tunnel = { .state = (enum tunnel_state)i, .detail = "<RECONNECTING>", .server = "<server>" } };

		buf_clear(&out);
		web_page_render(&(struct web_page){ .status = &s,
				    .token = "token",
				    .notice = (enum web_notice)i,
				    .problem = i == 2 ? "<problem>" : NULL,
				    .file_problem = i == 2 ? "<file>" : NULL },
		    &out);
		assert_ok(buf_check(&out, "page", &e), e);
		assert_null(strstr(buf_string(&out), "<RECONNECTING>"));
		assert_null(strstr(buf_string(&out), "<server>"));
		assert_null(strstr(buf_string(&out), "<problem>"));
		assert_null(strstr(buf_string(&out), "<file>"));
		assert_non_null(strstr(buf_string(&out), i == SHIELD_NONE   ? "None: the VPN is disabled"
							 : i == SHIELD_BLUE ? "Blue: the VPN is up"
									    : "Red: the VPN is not up"));
		support_shell(&said, &out,
		    "{ xmllint --html --noout - 2>&1 | grep -v -e svg -e path -e main -e header "
		    "-e footer -e section | grep error || true; }");
		assert_string_equal(buf_string(&said), "");
	}
	buf_release(&out);
	buf_release(&said);
	phone_close(&p);
}

/* Refused before anything is touched. */
static void
test_upload(void **state)
{
	struct buf file = BUF_INIT(STORE_BUNDLE_MAX);
	struct err e = ERR_INIT;
	struct phone p;

	(void)state;
	assert_ok(phone_in_memory("000fd3054848", "D65", "2_9_27", &p, &e), e);
	assert_fails(upload_check(&p, &file, 0, &e), e, ERR_INTEGRITY, "empty");
	buf_add_string(&file, "data-ciphers AES-256-GCM\n");
	assert_fails(upload_check(&p, &file, 0, &e), e, ERR_INTEGRITY, "data-ciphers");
	while (!file.broken)
		buf_add_string(&file, "# as long as it gets ...........................................\n");
	assert_fails(upload_check(&p, &file, 0, &e), e, ERR_INTEGRITY, "at most");
	buf_release(&file);
	phone_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_upload),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
