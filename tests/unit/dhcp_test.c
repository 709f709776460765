/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/dhcp.h"

#include <string.h>

static const enum dhcp_server servers[] = { DHCP_ISC, DHCP_KEA, DHCP_DNSMASQ };

/* The vendor's own example has its '/' at the end: the phone appends <mac>.cfg and nothing else. */
static void
the_url_ends_with_a_slash(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&out);
		assert_ok(dhcp_render(servers[i], DHCP_MATCH_OUI, "http://server.example.com/phoneprov", &out, &e), e);
		assert_non_null(strstr(buf_string(&out), "\"http://server.example.com/phoneprov/\""));
		buf_clear(&out);
		assert_ok(dhcp_render(servers[i], DHCP_MATCH_OUI, "http://server.example.com/phoneprov/", &out, &e), e);
		assert_non_null(strstr(buf_string(&out), "\"http://server.example.com/phoneprov/\""));
	}
	buf_release(&out);
}

/* Every client on the network could read it. */
static void
a_login_is_refused(void **state)
{
	static const char *const bad[] = { "http://user:pa55@server.example.com/", "http://pa55@server.example.com/",
		"http://server.example.com/?password=pa55" };
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t n = 0; n < 3; n++) {
			assert_int_equal(dhcp_render(servers[i], DHCP_MATCH_CLASS, bad[n], &out, &e), -1);
			assert_null(strstr(e.text, "pa55"));
			assert_fails(-1, e, ERR_INPUT, "base URL: expected");
			assert_int_equal(out.len, 0);
		}
	}
	buf_release(&out);
}

/* A longer option would be cut, or split into two that a phone may not put together. */
static void
an_option_has_255_bytes(void **state)
{
	char url[300] = "http://server.example.com/";
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	memset(url + strlen(url), 'a', 254 - strlen(url));
	assert_ok(dhcp_render(DHCP_ISC, DHCP_MATCH_OUI, url, &out, &e), e);
	buf_clear(&out);
	url[254] = 'a';
	assert_fails(dhcp_render(DHCP_ISC, DHCP_MATCH_OUI, url, &out, &e), e, ERR_INPUT, "at most 255 bytes");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_url_ends_with_a_slash),
		cmocka_unit_test(a_login_is_refused),
		cmocka_unit_test(an_option_has_255_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
