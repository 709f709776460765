/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "cli/mint_plan.h"

#include <string.h>

#define NOW 1000000

static const struct db_phone good = {
	.mac = "000fd3000065",
	.model = "D65",
	.firmware = "2_7_0",
	.newest = 3,
	.offered = 3,
	.not_after = NOW + 1000,
	.authority = 1,
	.profile = "p",
};

static const struct mint_wish plain = { .profile = "p", .authority = 1, .renew_before = NOW };

/* A run over a fleet that is in order changes no phone: no needless download, no needless restart. */
static void
good_phone_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(mint_plan(&good, &plain, false, NULL), MINT_NOTHING);
}

static void
new_phone_gets_a_key(void **state)
{
	struct db_phone p = good;

	(void)state;
	p.newest = p.offered = 0;
	assert_int_equal(mint_plan(&p, &plain, false, NULL), MINT_KEY);
}

/* The phone would fetch for nothing, or worse: its model throws the settings away. */
static void
incapable_phone_is_turned_down(void **state)
{
	struct err why = ERR_INIT;
	struct db_phone p = good;

	(void)state;
	memcpy(p.model, "D40", sizeof("D40"));
	assert_int_equal(mint_plan(&p, &plain, false, &why), MINT_TURNED_DOWN);
	assert_non_null(strstr(why.text, "OpenVPN"));
	p = good;
	memcpy(p.firmware, "2_6_6", sizeof("2_6_6"));
	assert_int_equal(mint_plan(&p, &plain, true, &why), MINT_TURNED_DOWN);
	assert_non_null(strstr(why.text, "2_7_0"));
}

/* A new host name does not cost a key. */
static void
new_profile_keeps_the_certificate(void **state)
{
	struct mint_wish w = plain;

	(void)state;
	w.profile = "q";
	assert_int_equal(mint_plan(&good, &w, false, NULL), MINT_PROFILE);
}

static void
ending_certificate_is_renewed(void **state)
{
	struct mint_wish w = plain;

	(void)state;
	w.renew_before = NOW + 1001;
	assert_int_equal(mint_plan(&good, &w, false, NULL), MINT_CERTIFICATE);
	w = plain;
	w.authority = 2;
	assert_int_equal(mint_plan(&good, &w, false, NULL), MINT_CERTIFICATE);
}

static void
renew_and_rekey_are_obeyed(void **state)
{
	struct mint_wish w = plain;

	(void)state;
	w.renew = true;
	assert_int_equal(mint_plan(&good, &w, false, NULL), MINT_CERTIFICATE);
	w.rekey = true;
	assert_int_equal(mint_plan(&good, &w, false, NULL), MINT_KEY);
}

/* A run that was killed between storing and offering: the phone must not wait for ever. */
static void
interrupted_run_is_finished(void **state)
{
	struct db_phone p = good;

	(void)state;
	p.offered = 2;
	assert_int_equal(mint_plan(&p, &plain, false, NULL), MINT_OFFER);
}

/* A stolen phone must not come back on the VPN because somebody mints the fleet. */
static void
revoked_phone_stays_out(void **state)
{
	struct mint_wish w = plain;
	struct err why = ERR_INIT;
	struct db_phone p = good;

	(void)state;
	p.revoked = NOW;
	p.offered = 0;
	assert_int_equal(mint_plan(&p, &w, false, &why), MINT_TURNED_DOWN);
	w.rekey = true;
	assert_int_equal(mint_plan(&p, &w, false, &why), MINT_TURNED_DOWN);
	assert_non_null(strstr(why.text, "revoked"));
	assert_int_equal(mint_plan(&p, &w, true, NULL), MINT_KEY);
	w.rekey = false;
	w.renew = true;
	assert_int_equal(mint_plan(&p, &w, true, NULL), MINT_TURNED_DOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_phone_is_left_alone),
		cmocka_unit_test(new_phone_gets_a_key),
		cmocka_unit_test(incapable_phone_is_turned_down),
		cmocka_unit_test(new_profile_keeps_the_certificate),
		cmocka_unit_test(ending_certificate_is_renewed),
		cmocka_unit_test(renew_and_rekey_are_obeyed),
		cmocka_unit_test(interrupted_run_is_finished),
		cmocka_unit_test(revoked_phone_stays_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
