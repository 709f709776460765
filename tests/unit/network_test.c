/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/network.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct network
parse(const char *s)
{
	struct network n;
	struct err e = ERR_INIT;

	assert_ok(network_parse(s, &n, &e), e);
	return n;
}

/* Mask and division, by hand: all ones but the last 32 - prefix bits; a sixteenth for the pool, from 2 to 256. */
static void
networks(void **state)
{
	static const struct {
		const char *network, *mask, *first, *last, *pool_first, *pool_last;
	} good[] = {
		{ "10.0.0.0/16", "255.255.0.0", "10.0.0.2", "10.0.254.254", "10.0.254.255", "10.0.255.254" },
		{ "172.16.8.0/24", "255.255.255.0", "172.16.8.2", "172.16.8.238", "172.16.8.239", "172.16.8.254" },
		{ "10.8.128.0/17", "255.255.128.0", "10.8.128.2", "10.8.254.254", "10.8.254.255", "10.8.255.254" },
		{ "192.0.2.8/29", "255.255.255.248", "192.0.2.10", "192.0.2.12", "192.0.2.13", "192.0.2.14" },
		{ "192.0.2.32/27", "255.255.255.224", "192.0.2.34", "192.0.2.60", "192.0.2.61", "192.0.2.62" },
		{ "223.255.0.0/16", "255.255.0.0", "223.255.0.2", "223.255.254.254", "223.255.254.255",
		    "223.255.255.254" },
	};
	char text[NETWORK_ADDRESS_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct network n = parse(good[i].network);

		assert_string_equal(network_mask(&n, text), good[i].mask);
		assert_string_equal(network_host(&n, n.phones_first, text), good[i].first);
		assert_string_equal(network_host(&n, n.phones_last, text), good[i].last);
		assert_string_equal(network_host(&n, n.pool_first, text), good[i].pool_first);
		assert_string_equal(network_host(&n, n.pool_last, text), good[i].pool_last);
	}
}

/* OpenVPN would refuse to start, or give phones addresses that are no host's. */
static void
bad_networks(void **state)
{
	static const char *const bad[] = { "", "/", "10.8.0.0", "10.8.0.0/", "/16", "10.8.0.1/16", "10.8.1.0/16",
		"10.8.0.4/29", "10.0.0.0/8", "10.0.0.0/15", "10.8.0.0/30", "10.8.0.0/32", "10.8.0.0/0", "10.8.0.0/-16",
		"10.8.0.0/ 16", "10.8.0.0/16 ", " 10.8.0.0/16", "10.8.0.0/16/16", "10.8.0/16", "10.8/16",
		"010.8.0.0/16", "10.8.0.256/16", "10.8.0.0/255.255.0.0", "fd00::/64", "0.0.0.0/16", "127.0.0.0/16",
		"224.0.0.0/16", "255.255.0.0/16", "vpn/16", "10.8.0.0\n/16", "1000000000000000000000.0.0.0/16" };
	struct err e = ERR_INIT;
	struct network n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_fails(network_parse(bad[i], &n, &e), e, ERR_INPUT, "VPN network: expected an IPv4 network");
}

/* An address that the server, the pool or nobody may have would cut a phone off, or the whole network. */
static void
phones_addresses(void **state)
{
	static const struct {
		const char *address, *part;
	} bad[] = {
		{ "10.8.0.0", "from 10.8.0.2 to 10.8.254.254, found 10.8.0.0, the network's own" },
		{ "10.8.0.1", "the server's" },
		{ "10.8.255.255", "the broadcast address" },
		{ "10.8.255.254", "the pool's" },
		{ "10.8.254.255", "the pool's" },
		{ "10.9.0.2", "found 10.9.0.2" },
		{ "10.8.0", "expected an IPv4 address" },
		{ "10.8.0.2/16", "expected an IPv4 address" },
		{ "", "expected an IPv4 address" },
		{ "fd00::2", "expected an IPv4 address" },
	};
	struct network n = parse("10.8.0.0/16");
	struct err e = ERR_INIT;
	uint32_t host = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_fails(network_parse_phone(&n, bad[i].address, &host, &e), e, ERR_INPUT, bad[i].part);
	assert_int_equal(host, 0);
	assert_ok(network_parse_phone(&n, "10.8.0.2", &host, &e), e);
	assert_int_equal(host, 2);
	assert_ok(network_parse_phone(&n, "10.8.1.2", &host, &e), e);
	assert_int_equal(host, 258);
	assert_ok(network_parse_phone(&n, "10.8.254.254", &host, &e), e);
	assert_int_equal(host, 65278);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),
		cmocka_unit_test(bad_networks),
		cmocka_unit_test(phones_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
