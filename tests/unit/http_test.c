/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_support.h"

/* No phone would get its files; or each phone would get the others'. */
static void
test_digest(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);

	(void)state;
	assert_body(s, "--digest " CURL_A, "/" MAC_A ".cfg", XML_A);
	assert_body(s, "--digest " CURL_A, BUNDLE_A, BODY_A);
	assert_body(s, "--digest " CURL_A, BUNDLE_A "?v=1&x=%20", BODY_A);
	assert_body(s, "--anyauth " CURL_A, BUNDLE_A, BODY_A);
	assert_body(s, "--http1.0 --digest " CURL_A, BUNDLE_A, BODY_A);
	assert_status(s, "", "/" MAC_A ".cfg", "401");
	assert_status(s, "", BUNDLE_A, "401");
	assert_status(s, "", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--digest --user " MAC_A ":wrong", BUNDLE_A, "401");
	assert_status(s, "--digest --user " MAC_UNKNOWN ":x", BUNDLE_A, "401");
	/* The password that stands in for an unknown user's opens nothing. */
	assert_status(s, "--digest --user '" MAC_UNKNOWN ":no such user'", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--digest --user " MAC_B ":b", BUNDLE_A, "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_A ".cfg", "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_UNKNOWN ".cfg", "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_B ".cfg", "404");
	assert_status(s, "--digest " CURL_A, "/ovpn/00000000000000000000000000000000/" MAC_A ".ovpn", "404");
	assert_status(s, "--basic " CURL_A, BUNDLE_A, "401");
	assert_status(s, "--header 'Authorization: Digest nonsense'", BUNDLE_A, "400");
	assert_status(s, "--header 'Authorization: Digest a=b' --header 'Authorization: Basic dTpw'", BUNDLE_A, "400");
	assert_status(s, "--digest --user broken-login:x", BUNDLE_A, "500");
	assert_status(s, "--digest --user " MAC_BROKEN ":c", "/" MAC_BROKEN ".cfg", "500");
	http_stop(s);
}

/* A phone whose URL carries its login, percent-encoded, could not log in. */
static void
test_login_in_url(void **state)
{
	static const enum http_auth auths[] = { HTTP_AUTH_DIGEST, HTTP_AUTH_BASIC };
	struct buf out = BUF_INIT(1 << 16), user = BUF_INIT(256);

	(void)state;
	text_percent_encode(&user, MAC_A);
	buf_add_string(&user, ":");
	text_percent_encode(&user, PASSWORD_A);
	for (size_t i = 0; i < 2; i++) {
		struct http_config config = config_of(auths[i]);
		struct http_server *s = start(&config);

		buf_clear(&out);
		support_shell(&out, NULL, "curl -sS %s 'http://%s@%s%s'", i == 0 ? "--digest" : "--basic",
		    buf_string(&user), http_url(s) + strlen("http://"), BUNDLE_A);
		assert_string_equal(buf_string(&out), BODY_A);
		http_stop(s);
	}
	buf_release(&user);
	buf_release(&out);
}

/* The same for Basic. */
static void
test_basic(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_BASIC);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	assert_body(s, "--basic " CURL_A, BUNDLE_A, BODY_A);
	assert_status(s, "", BUNDLE_A, "401");
	assert_status(s, "--basic --user " MAC_A ":wrong", BUNDLE_A, "401");
	assert_status(s, "--basic --user " MAC_A ":", BUNDLE_A, "401");
	assert_status(s, "--basic --user '" MAC_UNKNOWN ":no such user'", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--basic --user " MAC_B ":b", BUNDLE_A, "404");
	assert_status(s, "--header 'Authorization: Basic ###'", BUNDLE_A, "400");
	assert_status(s, "--digest " CURL_A, BUNDLE_A, "401");
	curl(&out, "-i", s, BUNDLE_A);
	assert_non_null(strstr(buf_string(&out), "WWW-Authenticate: Basic realm=\"phones\", charset=\"UTF-8\"\r\n"));
	buf_release(&out);
	http_stop(s);
}

/* A phone on a network of its own, without a login, would get nothing. */
static void
test_none(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_NONE);
	struct http_server *s;

	(void)state;
	config.base_path = "/phones";
	config.threads = 1;
	config.digest.realm = NULL;
	s = start(&config);
	assert_body(s, "", "/phones" BUNDLE_A, BODY_A);
	assert_body(s, "", "/phones/" MAC_A ".cfg", XML_A);
	assert_status(s, "", BUNDLE_A, "404");
	assert_status(s, "", "/phones/" MAC_UNKNOWN ".cfg", "404");
	assert_status(s, "", "/phones/" MAC_BROKEN ".cfg", "500");
	http_stop(s);
}

/* Someone could learn which MACs are known, or find something beside the phones' files. */
static void
test_nothing_else(void **state)
{
	static const char *const paths[] = { "/", "/index.html", "/../etc/passwd", "/" MAC_A ".CFG",
		"/%30"
		"00fd3000001.cfg",
		"/" MAC_A, "//" MAC_A ".cfg", "/ovpn/" MD5 "/../" MAC_A ".ovpn", "/ovpn/", "/phones/" MAC_A ".cfg" };
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf known = BUF_INIT(1 << 16), unknown = BUF_INIT(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_status(s, "--path-as-is", paths[i], "404");
	support_shell(&known, NULL,
	    "{ curl -sSi '%s/%s.cfg' | sed -E 's/^Date:.*//; s/nonce=\"[0-9a-f]{64}\"/nonce/'; }", http_url(s), MAC_A);
	support_shell(&unknown, NULL,
	    "{ curl -sSi '%s/%s.cfg' | sed -E 's/^Date:.*//; s/nonce=\"[0-9a-f]{64}\"/nonce/'; }", http_url(s),
	    MAC_UNKNOWN);
	assert_string_equal(buf_string(&known), buf_string(&unknown));
	assert_non_null(strstr(buf_string(&known), "401"));
	buf_clear(&known);
	buf_clear(&unknown);
	support_shell(&known, NULL,
	    "{ curl -sSi --digest --user %s:b '%s/%s.cfg' | sed -n '/^HTTP.* 404/,$p' | grep -v ^Date; }", MAC_B,
	    http_url(s), MAC_A);
	support_shell(&unknown, NULL,
	    "{ curl -sSi --digest --user %s:b '%s/%s.cfg' | sed -n '/^HTTP.* 404/,$p' | grep -v ^Date; }", MAC_B,
	    http_url(s), MAC_UNKNOWN);
	assert_string_equal(buf_string(&known), buf_string(&unknown));
	assert_non_null(strstr(buf_string(&known), "404"));
	buf_release(&known);
	buf_release(&unknown);
	http_stop(s);
}

/* A factory-fresh phone would not get past the generic file, or the file would ask for a login that it has not. */
static void
test_generic(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);

	(void)state;
	assert_body(s, "", "/000000000000.cfg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config/>\n");
	http_stop(s);
}

/* A cache would hand out a phone's secret, or a phone would fetch again what it has. */
static void
test_headers(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_NONE);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	curl(&out, "-i", s, "/" MAC_A ".cfg");
	assert_header(&out, "HTTP/1.1 200 OK\r\n", true);
	assert_header(&out, "\r\nContent-Type: application/xml\r\n", true);
	assert_header(&out, "\r\nCache-Control: no-store\r\n", true);
	assert_header(&out, "\r\nX-Content-Type-Options: nosniff\r\n", true);
	assert_header(&out, "\r\nContent-Length: 28\r\n", true);
	assert_header(&out, "\r\nServer:", false);
	assert_header(&out, "icrohttpd", false);
	curl(&out, "-I", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 200 OK\r\n", true);
	assert_header(&out, "\r\nContent-Type: application/x-openvpn-profile\r\n", true);
	assert_header(&out, "\r\nCache-Control: private\r\n", true);
	assert_header(&out, "\r\nContent-Length: 12\r\n", true);
	assert_header(&out, "\r\nETag: \"" MD5 "\"\r\n", true);
	assert_header(&out, BODY_A, false);
	curl(&out, "-i --header 'If-None-Match: \"" MD5 "\"'", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 304 ", true);
	assert_header(&out, "\r\nETag: \"" MD5 "\"\r\n", true);
	assert_header(&out, BODY_A, false);
	assert_status(s, "--header 'If-None-Match: \"x\", W/\"" MD5 "\"'", BUNDLE_A, "304");
	assert_status(s, "--header 'If-None-Match: *'", BUNDLE_A, "304");
	assert_status(s, "--header 'If-None-Match: \"00000000000000000000000000000000\"'", BUNDLE_A, "200");
	assert_status(s, "--header 'If-None-Match: " MD5 "'", BUNDLE_A, "200");
	assert_status(s, "--header 'If-None-Match: *'", "/ovpn/" MD5 "/" MAC_B ".ovpn", "404");
	curl(&out, "-i", s, "/nothing");
	assert_header(&out, "\r\nContent-Length: 0\r\n", true);
	assert_header(&out, "\r\nX-Content-Type-Options: nosniff\r\n", true);
	buf_release(&out);
	http_stop(s);
}

/* A phone with an old cURL would not find the one algorithm that it has; a new client the better one. */
static void
test_sha256(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s;
	struct buf out = BUF_INIT(1 << 16);
	const char *md5, *sha;

	(void)state;
	config.sha256 = true;
	s = start(&config);
	curl(&out, "-i", s, BUNDLE_A);
	md5 = strstr(buf_string(&out),
	    "WWW-Authenticate: Digest realm=\"phones\", qop=\"auth\", algorithm=MD5, nonce=\"");
	sha = strstr(buf_string(&out),
	    "WWW-Authenticate: Digest realm=\"phones\", qop=\"auth\", algorithm=SHA-256, nonce=\"");
	assert_true(md5 != NULL && sha != NULL && md5 < sha);
	assert_serves(s);
	/* curl looks at the first challenge only, so sha256sum makes the other's response. */
	buf_clear(&out);
	support_shell(&out, NULL,
	    "{ set -e; sum() { printf %%s \"$1\" | sha256sum | cut -c1-64; }; path='%s'; "
	    "nonce=$(curl -sSi '%s'$path | sed -nE 's/.*SHA-256, nonce=\"([0-9a-f]+)\".*/\\1/p'); "
	    "response=$(sum \"$(sum '%s:phones:b'):$nonce:00000001:cn:auth:$(sum \"GET:$path\")\"); "
	    "curl -sS -o /dev/null -w '%%{http_code}' "
	    "--header \"Authorization: Digest username=\\\"%s\\\", realm=\\\"phones\\\", "
	    "nonce=\\\"$nonce\\\", uri=\\\"$path\\\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\\\"cn\\\", "
	    "response=\\\"$response\\\"\" '%s'$path; }",
	    "/" MAC_B ".cfg", http_url(s), MAC_B, MAC_B, http_url(s));
	assert_string_equal(buf_string(&out), "404"); /* logged in; the source has no document for B */
	buf_release(&out);
	http_stop(s);
}

/* A phone would open one connection more for each request. */
static void
test_keep_alive(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	/* 401 and 200 each, over one connection. */
	support_shell(&out, NULL,
	    "curl -sS -o /dev/null -o /dev/null -w '%%{num_connects} %%{http_code};' --digest %s '%s%s' "
	    "'%s/%s.cfg'",
	    CURL_A, http_url(s), BUNDLE_A, http_url(s), MAC_A);
	assert_string_equal(buf_string(&out), "1 200;0 200;");
	buf_release(&out);
	http_stop(s);
}

/* Phones would be refused when many come at once. */
static void
test_parallel(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	support_shell(&out, NULL,
	    "{ curl -sS --no-progress-meter --parallel --parallel-max 100 --digest %s -o /dev/null "
	    "-w '%%{http_code}\\n' "
	    "'%s%s?[1-200]' | sort | uniq -c | tr -s ' '; }",
	    CURL_A, http_url(s), BUNDLE_A);
	assert_string_equal(buf_string(&out), " 200 200\n");
	buf_release(&out);
	http_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_login_in_url),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_nothing_else),
		cmocka_unit_test(test_generic),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_parallel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
