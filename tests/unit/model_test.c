/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "dseries/model.h"

#include <string.h>

/*
 * The vendor page, "Compatibility": "OpenVPN connectivity is supported by models D60, D62, D65, and D80.  Models D40, D45,
 * D50, and D70 do not support OpenVPN connectivity."
 */
static const struct {
	const char *name;
	bool openvpn;
} page[] = { { "D40", false }, { "D45", false }, { "D50", false }, { "D60", true }, { "D62", true }, { "D65", true },
	{ "D70", false }, { "D80", true } };

#define PAGE_COUNT (sizeof(page) / sizeof(page[0]))

/* A model would be missing, or get a VPN that it cannot do. */
static void
models_are_the_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAGE_COUNT; i++) {
		const struct model *m = model_find(page[i].name);

		assert_non_null(m);
		assert_string_equal(m->name, page[i].name);
		assert_int_equal(m->openvpn, page[i].openvpn);
		assert_ptr_equal(model_at(i), m);
		assert_int_equal(m->ciphers_may_differ, strcmp(m->name, "D80") == 0);
	}
	assert_null(model_at(PAGE_COUNT));
	assert_null(model_at((size_t)-1));
}

/* A fleet's list in small letters would be refused, or another vendor's phone be taken. */
static void
names_in_either_case(void **state)
{
	static const char *const unknown[] = { "", "D", "D6", "D655", "D65 ", " D65", "D61", "P325", "A22", "EXP100" };

	(void)state;
	assert_ptr_equal(model_find("d65"), model_find("D65"));
	assert_non_null(model_find("d80"));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_null(model_find(unknown[i]));
}

static int
check(const char *model, const char *firmware, struct err *e)
{
	const struct model *m = model_find(model);
	struct firmware f;

	assert_non_null(m);
	if (firmware == NULL)
		return model_check_openvpn(m, NULL, e);
	assert_int_equal(firmware_parse(firmware, &f, NULL), 0);
	return model_check_openvpn(m, &f, e);
}

/* A phone without OpenVPN would be minted a certificate that nobody uses, whatever its firmware. */
static void
models_without_openvpn_are_turned_down(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < PAGE_COUNT; i++) {
		if (page[i].openvpn) {
			assert_ok(check(page[i].name, NULL, &e), e);
			continue;
		}
		assert_fails(check(page[i].name, NULL, &e), e, ERR_INPUT, page[i].name);
		assert_fails(check(page[i].name, "2_9_26", &e), e, ERR_INPUT, "no OpenVPN");
	}
}

/* "Recommended Firmware": a phone that lacks openvpn_inline_config would take no bundle, and say nothing. */
static void
firmware_decides(void **state)
{
	static const struct {
		const char *model, *firmware, *reason; /* NULL: it can */
	} cases[] = {
		{ "D65", "2_7_0", NULL },
		{ "D65", "2.7", NULL },
		{ "D60", "2_7_0_1", NULL },
		{ "D62", "2_10_0", NULL },
		{ "D65", "3_0_0", NULL },
		{ "D65", "2_6_6", "deprecated" },
		{ "D65", "2_2_1_1", "deprecated" },
		{ "D60", "2_2_1_8", "deprecated" },
		{ "D62", "2_3_9", "deprecated" },
		{ "D65", "2_6_6_0_1", "does not say" },
		{ "D65", "2_6_7", "does not say" },
		{ "D65", "2_6_99999", "does not say" },
		{ "D65", "2_2_1", "does not say" },
		{ "D60", "2_2_1_0_99999", "does not say" },
		{ "D62", "1_9_0", "does not say" },
		{ "D80", "1_9_0", NULL },
		{ "D80", "1_10_0", NULL },
		{ "D80", "2_2_1_1", NULL },
		{ "D80", "2_6_6", NULL },
		{ "D80", "1_8_9", "does not say" },
		{ "D80", "0_1", "does not say" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;

		if (cases[i].reason == NULL) {
			assert_ok(check(cases[i].model, cases[i].firmware, &e), e);
			continue;
		}
		assert_fails(check(cases[i].model, cases[i].firmware, &e), e, ERR_INPUT, cases[i].reason);
	}
}

/* The admin is told what to upgrade to, in words that fit behind the phone's name. */
static void
reason_names_the_way_out(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(check("D65", "2.6.6", &e), e, ERR_INPUT, "found 2_6_6,");
	assert_fails(check("D65", "2_6_6", &e), e, ERR_INPUT, "upgrade it to 2_7_0");
	assert_fails(check("D80", "1_8_0", &e), e, ERR_INPUT, "upgrade it to 1_9_0");
	assert_fails(check("D40", NULL, &e), e, ERR_INPUT, "expected D60, D62, D65 or D80");
	assert_int_equal(check("D65", "2_2_1", NULL), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_the_pages),
		cmocka_unit_test(names_in_either_case),
		cmocka_unit_test(models_without_openvpn_are_turned_down),
		cmocka_unit_test(firmware_decides),
		cmocka_unit_test(reason_names_the_way_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
