/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_support.h"

/* Send part of a request, and go. */
static void
abandon(const struct http_server *s, const void *request, size_t len)
{
	int fd = connect_to(s);

	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	(void)close(fd);
}

/* Anyone on the network could stop the server, or make it keep what they send. */
static void
test_malformed(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	static const char binary[] = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"; /* a TLS hello, cut short */
	struct buf answer = BUF_INIT(1 << 16);

	(void)state;
	assert_raw(s, "GET /\r\n\r\n", "400");
	assert_raw(s, "GET / FTP/1.1\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nno colon\r\nConnection: close\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/9.9\r\n\r\n", "505");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", "413");
	/* A line without a blank is no request: the library closes without an answer. */
	raw(s, "nonsense\r\n\r\n", 12, &answer);
	assert_int_equal(answer.len, 0);
	abandon(s, binary, sizeof(binary) - 1);
	abandon(s, "GET / HTTP/1.1\r\nHos", 19);
	abandon(s, "", 0);
	buf_release(&answer);
	assert_serves(s);
	http_stop(s);
}

/* The same by sheer size. */
static void
test_too_long(void **state)
{
	static const struct {
		const char *before, *behind;
		size_t len;
		const char *status;
	} cases[] = {
		{ "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 100000, "414" },
		{ "GET /", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 2000, "404" },
		{ "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 2100, "414" },
		{ "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 5000, "414" },
		{ "", " / HTTP/1.1\r\nHost: x\r\n\r\n", 100000, "414" },
		{ "", " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "405" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", "\r\n\r\n", 100000, "431" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", "\r\n\r\n", 2600, "431" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ", "\r\n\r\n", 2400, "404" },
		{ "GET /" MAC_A ".cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Digest ", "\r\n\r\n",
		    2300, "400" },
	};
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf request = BUF_INIT(1 << 18);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&request);
		buf_add_string(&request, cases[i].before);
		for (size_t n = 0; n < cases[i].len; n++)
			buf_add(&request, "A", 1);
		buf_add_string(&request, cases[i].behind);
		assert_raw(s, buf_string(&request), cases[i].status);
	}
	buf_clear(&request);
	buf_add_string(&request, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 5000; i++)
		buf_addf(&request, "X-%d: y\r\n", i);
	buf_add_string(&request, "\r\n");
	assert_raw(s, buf_string(&request), "431");
	/* 2 KB in several fields pass. */
	buf_clear(&request);
	buf_add_string(&request, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
	while (request.len < 2000)
		buf_addf(&request, "X-Field: %0200d\r\n", 0);
	buf_add_string(&request, "\r\n");
	assert_raw(s, buf_string(&request), "404");
	buf_release(&request);
	assert_serves(s);
	http_stop(s);
}

/* A body would be taken, kept in memory, or read as the next request. */
static void
test_methods_and_bodies(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	curl(&out, "-i -X DELETE", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 405 ", true);
	assert_header(&out, "\r\nAllow: GET, HEAD\r\n", true);
	assert_status(s, "-X POST", BUNDLE_A, "405");
	assert_status(s, "-X OPTIONS", "/", "405");
	assert_status(s, "-X get", BUNDLE_A, "405");
	assert_status(s, "-X POST --data x=y", BUNDLE_A, "405");
	assert_status(s, "-X GET --data x=y", BUNDLE_A, "413");
	assert_status(s, "-X PUT --header 'Transfer-Encoding: chunked' --data x=y", BUNDLE_A, "405");
	assert_raw(s,
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\n\r\n"
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\n\r\n",
	    "413");
	assert_raw(s,
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\n\r\n",
	    "413");
	assert_raw(s, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n",
	    "405");
	assert_raw(s, "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	    "200");
	assert_serves(s);
	buf_release(&out);
	http_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_methods_and_bodies),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
