/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_ovpn_support.h"

/* The line is the one that an editor goes to. */
static void
test_lines(void **state)
{
	static const struct {
		const char *name, *rule;
		unsigned int line;
	} cases[] = {
		{ "ovpn-too-new--compress", "ovpn-too-new", 12 },
		{ "ovpn-connection--verb", "ovpn-connection", 14 },
		{ "ovpn-proto-directive--in-connection", "ovpn-proto-directive", 12 },
		{ "ovpn-nul--in-a-line", "ovpn-nul", 11 },
		{ "ovpn-remote-missing--none", "ovpn-remote-missing", 0 },
	};
	struct sample s = SAMPLE_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_check(&s, *state, cases[i].name);
		assert_int_equal(sample_must_find(&s, cases[i].rule)->line, cases[i].line);
	}
	sample_release(&s);
}

/* "Models D40, D45, D50, and D70 do not support OpenVPN", and old firmware has other parameters. */
static void
test_models(void **state)
{
	struct sample s = SAMPLE_INIT;

	sample_read(&s, *state, "good--plain");
	sample_check_as(&s, "D40", NULL, NOW);
	(void)sample_must_find(&s, "ovpn-model");
	assert_int_equal(s.found.count, 1);
	sample_check_as(&s, "D60", "2_6_6", NOW);
	assert_non_null(strstr(sample_must_find(&s, "ovpn-firmware")->text, "2_7_0"));
	sample_check_as(&s, "D60", "2_7_0", NOW);
	assert_int_equal(s.found.count, 0);
	sample_check_as(&s, NULL, NULL, NOW);
	assert_int_equal(s.found.count, 0);
	sample_check_as(&s, "D80", NULL, NOW);
	(void)sample_must_find(&s, "ovpn-d80");
	assert_int_equal(s.found.worst, FINDING_NOTE);
	/* "Model D80 phones may support a different set": not refused, and not called good. */
	sample_read(&s, *state, "ovpn-cipher-aead--gcm");
	sample_check_as(&s, "D80", NULL, NOW);
	assert_int_equal(s.found.worst, FINDING_NOTE);
	sample_release(&s);
}

/* A day before its end a certificate works, and the admin must hear of it while there is time. */
static void
test_dates(void **state)
{
	const time_t day = 86400, end = NOW + 2 * day; /* of leaf-ending */
	struct sample s = SAMPLE_INIT;

	sample_read(&s, *state, "ovpn-cert-ending--leaf");
	sample_check_as(&s, "D65", NULL, end - (DAYS + 1) * day);
	assert_null(sample_find(&s, "ovpn-cert-ending"));
	sample_check_as(&s, "D65", NULL, end - (DAYS - 1) * day);
	(void)sample_must_find(&s, "ovpn-cert-ending");
	assert_int_equal(s.found.worst, FINDING_WARNING);
	sample_check_as(&s, "D65", NULL, end + 1);
	assert_null(sample_find(&s, "ovpn-cert-ending"));
	(void)sample_must_find(&s, "ovpn-cert-expired");
	sample_read(&s, *state, "ovpn-cert-not-yet--leaf");
	sample_check_as(&s, "D65", NULL, end + 1);
	assert_int_equal(s.found.count, 0);
	sample_release(&s);
}

/* A profile without certificate and key is what a fleet's phones share: that is no fault of it. */
static void
test_halves(void **state)
{
	const struct check_ovpn_params params = { .clock = { .now = NOW, .days = DAYS } };
	struct sample s = SAMPLE_INIT;
	struct err e = ERR_INIT;
	struct config c;

	sample_read(&s, *state, "ovpn-block-missing--key");
	assert_ok(config_read(s.file.data, s.file.len, &c, &e), e);
	check_ovpn_profile("profile", &c, &params, &s.found);
	assert_int_equal(s.found.count, 0);
	config_release(&c);
	sample_release(&s);
}

/* Others on the machine can take the key: a group of its own, as a web server's, may read it. */
static void
test_mode(void **state)
{
	struct sample s = SAMPLE_INIT;

	(void)state;
	check_ovpn_mode("x.ovpn", 0100640, &s.found);
	assert_int_equal(s.found.count, 0);
	check_ovpn_mode("x.ovpn", 0100644, &s.found);
	assert_non_null(strstr(sample_must_find(&s, "ovpn-readable")->text, "found 0644"));
	sample_release(&s);
}

/* Ids are for scripts: each once, and every rule says all three things. */
static void
test_table(void **state)
{
	(void)state;
	for (const struct finding_rule *rule = check_ovpn_rules; rule->id != NULL; rule++) {
		assert_int_equal(strncmp(rule->id, "ovpn-", 5), 0);
		assert_true(rule->title[0] != '\0' && rule->title[strlen(rule->title) - 1] != '.');
		assert_true(rule->why[strlen(rule->why) - 1] == '.' && rule->fix[0] != '\0');
		for (const struct finding_rule *other = check_ovpn_rules; other != rule; other++)
			assert_string_not_equal(other->id, rule->id);
	}
}

/* Each rule has a sample, but for what is about the phone or the file's mode. */
static void
test_every_rule_is_tried(void **state)
{
	static const char *const elsewhere[] = { "ovpn-readable", "ovpn-model", "ovpn-firmware", "ovpn-d80" };

	for (const struct finding_rule *rule = check_ovpn_rules; rule->id != NULL; rule++) {
		struct buf out = BUF_INIT(1 << 16);
		bool other = false;

		for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
			other = other || strcmp(elsewhere[i], rule->id) == 0;
		support_shell(&out, NULL, "ls '%s/samples' | grep -c '^%s--' || true", (char *)*state, rule->id);
		if (!other && strcmp(buf_string(&out), "0\n") == 0)
			fail_msg("%s: no sample", rule->id);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_rule_is_tried),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_mode),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, samples_make, samples_unmake);
}
