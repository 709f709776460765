/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "cli/settings.h"

#include <string.h>

/* Every default but the ones that "init" asks for passes its own check. */
static void
defaults_are_valid(void **state)
{
	struct settings s;
	struct err e = ERR_INIT;

	(void)state;
	settings_default(&s);
	for (unsigned int i = 0; i < SET_COUNT; i++) {
		char value[SETTINGS_VALUE_SIZE];

		memcpy(value, s.value[i], sizeof(value));
		if (i != SET_URL && i != SET_VPN_HOST)
			assert_ok(settings_put(&s, (enum setting)i, value, &e), e);
	}
}

/* A setting that would keep phones off the VPN is refused when it is typed, not when it is used. */
static void
bad_values_are_refused(void **state)
{
	static const struct {
		enum setting which;
		const char *value, *part;
	} bad[] = {
		{ SET_URL, "pbx.example.com", "url" },
		{ SET_URL, "http://u:p@pbx.example.com/", "url" },
		{ SET_REALM, "a\"b", "realm" },
		{ SET_VPN_HOST, "vpn example.com", "vpn-host" },
		{ SET_VPN_HOST, "", "vpn-host" },
		{ SET_VPN_PORT, "0", "vpn-port" },
		{ SET_VPN_PORT, "65536", "vpn-port" },
		{ SET_VPN_PORT, "1194x", "vpn-port" },
		{ SET_VPN_PROTO, "sctp", "vpn-proto" },
		{ SET_VPN_NETWORK, "10.8.0.1/16", "vpn-network" },
		{ SET_VPN_NETWORK, "10.8.0.0", "vpn-network" },
		{ SET_VPN_CIPHER, "AES-256-GCM", "vpn-cipher" },
		{ SET_VPN_AUTH, "SHA9", "vpn-auth" },
		{ SET_VPN_LZO, "true", "vpn-lzo" },
		{ SET_VPN_REMOTES, "b.example.com:0", "vpn-remotes" },
		{ SET_VPN_REMOTES, "b.example.com,,c", "vpn-remotes" },
		{ SET_VPN_VERB, "12", "vpn-verb" },
		{ SET_PHONE_DAYS, "0", "phone-days" },
		{ SET_NOT_BEFORE, "2999-01-01", "not-before" },
		{ SET_NOT_BEFORE, "2024-02-30", "not-before" },
		{ SET_NOT_BEFORE, "yesterday", "not-before" },
		{ SET_SIP_TRANSPORT, "sctp", "sip-transport" },
	};
	struct settings s;
	struct err e = ERR_INIT;

	(void)state;
	settings_default(&s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char before[SETTINGS_VALUE_SIZE];

		memcpy(before, s.value[bad[i].which], sizeof(before));
		assert_fails(settings_put(&s, bad[i].which, bad[i].value, &e), e, ERR_INPUT, bad[i].part);
		assert_string_equal(s.value[bad[i].which], before);
	}
}

/* Phones try the servers in the order that the admin gave. */
static void
remotes_keep_their_order(void **state)
{
	struct profile_params p;
	struct settings s;
	struct err e = ERR_INIT;

	(void)state;
	settings_default(&s);
	assert_ok(settings_put(&s, SET_VPN_HOST, "a.example.com", &e), e);
	assert_ok(settings_put(&s, SET_VPN_PORT, "1195", &e), e);
	assert_ok(settings_put(&s, SET_VPN_REMOTES, "b.example.com,192.0.2.7:443,[2001:db8::1]:1196,2001:db8::2", &e),
	    e);
	assert_ok(settings_profile(&s, &p, &e), e);
	assert_int_equal(p.remote_count, 5);
	assert_string_equal(p.remotes[0].host, "a.example.com");
	assert_int_equal(p.remotes[0].port, 1195);
	assert_string_equal(p.remotes[1].host, "b.example.com");
	assert_int_equal(p.remotes[1].port, 1195);
	assert_string_equal(p.remotes[2].host, "192.0.2.7");
	assert_int_equal(p.remotes[2].port, 443);
	assert_string_equal(p.remotes[3].host, "2001:db8::1");
	assert_int_equal(p.remotes[3].port, 1196);
	assert_string_equal(p.remotes[4].host, "2001:db8::2");
	assert_int_equal(p.remotes[4].port, 1195);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_valid),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(remotes_keep_their_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
