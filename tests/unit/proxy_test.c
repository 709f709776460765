/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>

static struct in6_addr
address(const char *s)
{
	struct in6_addr a;
	char mapped[64];

	if (inet_pton(AF_INET6, s, &a) == 1)
		return a;
	(void)snprintf(mapped, sizeof(mapped), "::ffff:%s", s);
	assert_int_equal(inet_pton(AF_INET6, mapped, &a), 1);
	return a;
}

static bool
trusted(const char *list, const char *who)
{
	struct proxy_trust t;
	struct err e = ERR_INIT;
	struct in6_addr a = address(who);

	assert_ok(proxy_trust_parse(list, &t, &e), e);
	return proxy_is_trusted(&t, &a);
}

/* A stranger's word about who he is would be believed. */
static void
test_trust(void **state)
{
	(void)state;
	assert_true(trusted("127.0.0.1", "127.0.0.1"));
	assert_false(trusted("127.0.0.1", "127.0.0.2"));
	assert_true(trusted("192.0.2.1,10.1.0.0/16", "10.1.255.255"));
	assert_false(trusted("192.0.2.1,10.1.0.0/16", "10.2.0.0"));
	assert_true(trusted("10.0.0.128/25", "10.0.0.200"));
	assert_false(trusted("10.0.0.128/25", "10.0.0.127"));
	assert_true(trusted("fd00::/8,2001:db8::1", "fdff::1"));
	assert_true(trusted("fd00::/8,2001:db8::1", "2001:db8::1"));
	assert_false(trusted("fd00::/8", "fe00::1"));
	assert_false(trusted("::1", "127.0.0.1"));
}

static void
test_bad_trust(void **state)
{
	static const char *const bad[] = { "", ",", "10.0.0.0/0", "10.0.0.0/33", "::/0", "::1/129", "localhost",
		"10.0.0.0/", "10.0.0.1,", "10.0.0.1, 10.0.0.2", "[::1]", "10.0.0.1:80",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001" };
	struct proxy_trust t;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(proxy_trust_parse(bad[i], &t, &e), e, ERR_USAGE,
		    "trusted-proxy: expected addresses and networks");
}

/* A phone would be taken for its proxy, or for what it, or somebody else, makes up. */
static void
test_client(void **state)
{
	static const struct {
		const char *from, *header, *client;
	} table[] = {
		{ "127.0.0.1", "198.51.100.7", "198.51.100.7" },
		{ "127.0.0.1", "192.0.2.9, 198.51.100.7", "198.51.100.7" }, /* made up by the client */
		{ "127.0.0.1", "192.0.2.9,198.51.100.7 ,\t10.1.2.3", "198.51.100.7" },
		{ "198.51.100.8", "192.0.2.9", "198.51.100.8" }, /* no proxy of ours */
		{ "127.0.0.1", "10.1.2.3, 10.1.2.4", "10.1.2.3" },
		{ "127.0.0.1", "", "127.0.0.1" },
		{ "127.0.0.1", "unknown", "127.0.0.1" },
		{ "127.0.0.1", "192.0.2.9, unknown, 10.1.2.3", "10.1.2.3" },
		{ "127.0.0.1", "192.0.2.9,", "127.0.0.1" },
		{ "127.0.0.1", "2001:db8::7", "2001:db8::7" },
		{ "127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7" },
		{ "127.0.0.1", "198.51.100.7:4711", "198.51.100.7" },
		{ "fd00::1", "198.51.100.7", "198.51.100.7" },
		{ "127.0.0.1", "198.51.100.7.example.com", "127.0.0.1" },
	};
	struct proxy_trust t;
	struct err e = ERR_INIT;
	char found[INET6_ADDRSTRLEN], expected[INET6_ADDRSTRLEN];

	(void)state;
	assert_ok(proxy_trust_parse("127.0.0.1,10.1.0.0/16,fd00::1", &t, &e), e);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct in6_addr client = address(table[i].from), right = address(table[i].client);

		proxy_client(&t, table[i].header, &client);
		assert_string_equal(inet_ntop(AF_INET6, &client, found, sizeof(found)),
		    inet_ntop(AF_INET6, &right, expected, sizeof(expected)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_bad_trust),
		cmocka_unit_test(test_client),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
