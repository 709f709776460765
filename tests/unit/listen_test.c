/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/listen.h"

#include <string.h>
#include <unistd.h>

static void
test_forms(void **state)
{
	static const char *const good[] = { "127.0.0.1:0", "0.0.0.0:8080", "[::1]:65535", "[::]:0" };
	static const char *const bad[] = { "", ":", ":80", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80", "[]:80",
		"localhost:80", "1.2.3.4.5:80", " 127.0.0.1:80", "127.0.0.1 :80",
		"[00000000000000000000000000000000000000000000000000::1]:80" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_ok(listen_check(good[i], &e), e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(listen_check(bad[i], &e), e, ERR_INPUT, "expected ADDRESS:PORT");
}

/* The URL that is printed is one that a client can use: with the port that the kernel picked. */
static void
test_open(void **state)
{
	char url[LISTEN_URL_SIZE], again[LISTEN_URL_SIZE];
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	fd = listen_open("127.0.0.1:0", false, url, &e);
	assert_ok(fd < 0, e);
	assert_int_equal(strncmp(url, "http://127.0.0.1:", 17), 0);
	assert_string_not_equal(url, "http://127.0.0.1:0");
	assert_fails(listen_open(url + 7, true, again, &e) < 0, e, ERR_CONFLICT, "already in use");
	(void)close(fd);
	fd = listen_open(url + 7, true, again, &e);
	assert_ok(fd < 0, e);
	assert_int_equal(strncmp(again, "https://127.0.0.1:", 18), 0);
	(void)close(fd);
	assert_fails(listen_open("192.0.2.1:0", false, url, &e) < 0, e, ERR_INPUT, "an address of this machine");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
