/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "dseries/mac.h"

#include <string.h>

/* An admin would have to retype addresses that other programs print in their own form. */
static void
common_forms_are_one_address(void **state)
{
	static const char *const forms[] = { "000fd3054848", "000FD3054848", "00:0f:d3:05:48:48", "00:0F:D3:05:48:48",
		"00-0f-d3-05-48-48", "00-0F-d3-05-48-48", "000f.d305.4848", "000F.D305.4848" };
	struct err e = ERR_INIT;
	char mac[MAC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_ok(mac_parse(forms[i], mac, &e), e);
		assert_string_equal(mac, "000fd3054848");
	}
	assert_ok(mac_parse("fe:dc:ba:98:76:54", mac, &e), e);
	assert_string_equal(mac, "fedcba987654");
}

/* A slip of the pen would make an entry for a phone that does not exist. */
static void
other_text_is_refused(void **state)
{
	static const char *const bad[] = { "", "0", "000fd305484", "000fd30548488", "000fd305484g", "00:0f:d3:05:48",
		"00:0f:d3:05:48:4", "00:0f:d3:05:48:48:00", "00:0f-d3-05-48-48", "00-0f:d3:05:48:48",
		"00.0f.d3.05.48.48", "000f:d305:4848", "000f-d305-4848", "000f.d305:4848", "0:f:d3:5:48:48",
		" 000fd3054848", "000fd3054848 ", "000fd3054848\n", "00 0f d3 05 48 48", "0x00fd305484",
		":000fd3054848", "00:0f:d3:05:48:48:", "000fd3\n54848", "D65" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char mac[MAC_SIZE] = "kept";

		assert_fails(mac_parse(bad[i], mac, &e), e, ERR_INPUT, "MAC address: expected 12 hex digits");
		assert_string_equal(mac, "kept");
	}
}

/* No phone has these (IEEE 802-2014 section 8.2.2: the lowest bit of the first byte marks a group). */
static void
addresses_of_no_phone_are_refused(void **state)
{
	char mac[MAC_SIZE] = "kept";
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(mac_parse("00:00:00:00:00:00", mac, &e), e, ERR_INPUT, "null");
	assert_fails(mac_parse("ff:ff:ff:ff:ff:ff", mac, &e), e, ERR_INPUT, "broadcast");
	assert_fails(mac_parse("01:00:5e:00:00:01", mac, &e), e, ERR_INPUT, "group");
	assert_fails(mac_parse("010fd3054848", mac, &e), e, ERR_INPUT, "group");
	assert_string_equal(mac, "kept");
	/* Locally administered, yet one station's own. */
	assert_ok(mac_parse("020fd3054848", mac, &e), e);
}

/* What a person typed stays readable in the message, and does nothing to the terminal. */
static void
message_shows_what_was_typed(void **state)
{
	struct err e = ERR_INIT;
	char mac[MAC_SIZE];

	(void)state;
	assert_fails(mac_parse("not\033[2Ja mac", mac, &e), e, ERR_INPUT, "found \"not?[2Ja mac\"");
	assert_fails(mac_parse("00000000000000000000000000000000000000000000000000000000000000000000000000000000", mac,
			 &e),
	    e, ERR_INPUT, "...\"");
}

/* An admin would not be warned that a phone's address is another device's. IEEE's registry, oui.txt of 2022-08-27. */
static void
vendors(void **state)
{
	(void)state;
	assert_string_equal(mac_vendor("000fd3054848"), "Digium");
	assert_string_equal(mac_vendor("005058000001"), "Sangoma Technologies");
	assert_string_equal(mac_vendor("001fc1000001"), "Hanlong Technology");
	assert_null(mac_vendor("00155d000001"));
	assert_true(mac_is_dseries("000fd3ffffff"));
	assert_false(mac_is_dseries("000fd2ffffff"));
	assert_false(mac_is_dseries("005058000001"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_forms_are_one_address),
		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(addresses_of_no_phone_are_refused),
		cmocka_unit_test(message_shows_what_was_typed),
		cmocka_unit_test(vendors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
