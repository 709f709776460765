/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "cli/enroll.h"

#include <stdio.h>
#include <string.h>

/* When and from where a phone may enroll: one bit too many lets strangers in. */

static struct db_enroll_window
window_of(const char *networks)
{
	struct db_enroll_window w = { .opened = 1000, .until = 1060 };
	struct err e = ERR_INIT;

	assert_ok(enroll_networks_parse(networks, &w, &e), e);
	return w;
}

static void
window_has_a_beginning_and_an_end(void **state)
{
	const struct db_enroll_window w = window_of("192.0.2.0/24");

	(void)state;
	assert_false(enroll_window_admits(&w, 999, "192.0.2.7")); /* a clock that was set back */
	assert_true(enroll_window_admits(&w, 1000, "192.0.2.7"));
	assert_true(enroll_window_admits(&w, 1059, "192.0.2.7"));
	assert_false(enroll_window_admits(&w, 1060, "192.0.2.7"));
}

static void
only_the_networks_are_let_in(void **state)
{
	static const char *const inside[] = { "192.0.2.0", "192.0.2.255", "10.8.0.1", "10.9.255.255", "198.51.100.7" };
	static const char *const outside[] = { "192.0.3.0", "192.0.1.255", "10.10.0.0", "10.7.255.255", "198.51.100.6",
		"198.51.100.8", "0.0.0.0", "127.0.0.1", "::1", "::ffff:192.0.2.7", "", "192.0.2", "nonsense" };
	const struct db_enroll_window w = window_of("192.0.2.0/24,10.8.0.0/15,198.51.100.7/32");
	const struct db_enroll_window none = { .opened = 1000, .until = 1060 };

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		assert_true(enroll_window_admits(&w, 1000, inside[i]));
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_false(enroll_window_admits(&w, 1000, outside[i]));
	assert_false(enroll_window_admits(&none, 1000, "192.0.2.7"));
}

static void
what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = { "", ",", "192.0.2.0", "192.0.2.0/0", "0.0.0.0/0", "192.0.2.0/33",
		"192.0.2.7/24", "192.0.2.0/24,", ",192.0.2.0/24", "192.0.2.0/24,,10.0.0.0/8", "192.0.2.0/24 ",
		"192.0.2.0/24, 10.0.0.0/8", "2001:db8::/32", "host/24", "192.0.2.0/24;10.0.0.0/8",
		"192.0.2.000000000000000000000000/24" };
	char many[2 * DB_NETWORKS_SIZE];
	struct db_enroll_window w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct err)ERR_INIT;
		if (enroll_networks_parse(bad[i], &w, &e) == 0)
			print_error("\"%s\" was taken\n", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
	}
	many[0] = '\0';
	for (size_t len = 0; len < DB_NETWORKS_SIZE; len = strlen(many))
		(void)snprintf(many + len, sizeof(many) - len, "%s192.0.2.0/24", len > 0 ? "," : "");
	e = (struct err)ERR_INIT;
	assert_fails(enroll_networks_parse(many, &w, &e), e, ERR_USAGE, "network");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_has_a_beginning_and_an_end),
		cmocka_unit_test(only_the_networks_are_let_in),
		cmocka_unit_test(what_is_no_network_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
