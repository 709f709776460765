/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/gate.h"

#include <stdio.h>
#include <string.h>

#define OLD "0123456789abcdef0123456789abcdef"
#define NEW "fedcba9876543210fedcba9876543210"
#define URL "http://u:p@192.0.2.1/client.ovpn"

enum value {
	VALUE_NONE,
	VALUE_0,
	VALUE_1,
	VALUE_OTHER,
};

/* One sentence of the vendor's page (or, where it is silent, of the brief) a row. */
static const struct row {
	const char *sentence;
	const char *stored_md5;
	bool file, element;
	enum value value;
	const char *url, *md5;
	enum gate_decision decision;
	bool go;
} rows[] = {
	{ "factory-fresh phone: fetched for the first time", "", false, true, VALUE_1, URL, NEW, GATE_FETCH_MISSING,
	    true },
	{ "where the value of the md5 parameter changes, the phone will download a new file", OLD, true, true, VALUE_1,
	    URL, NEW, GATE_FETCH_CHANGED, true },
	{ "the same md5: no download", OLD, true, true, VALUE_1, URL, OLD, GATE_UNCHANGED, false },
	{ "the same md5 and another URL: only the md5 dictates", OLD, true, true, VALUE_1, "http://192.0.2.2/x", OLD,
	    GATE_UNCHANGED, false },
	{ "if the phone does not have the file, it will cURL it in", OLD, false, true, VALUE_1, URL, OLD,
	    GATE_FETCH_MISSING, true },
	{ "no file and another md5", OLD, false, true, VALUE_1, URL, NEW, GATE_FETCH_MISSING, true },
	{ "no md5 on a factory defaulted phone: not downloaded", "", false, true, VALUE_1, URL, NULL, GATE_NO_MD5_FRESH,
	    false },
	{ "no md5 on a provisioned phone: not known, what is stored stays", OLD, true, true, VALUE_1, URL, NULL,
	    GATE_NO_MD5_KEPT, false },
	{ "no md5 on a provisioned phone that lost its file: the md5 is mandatory", OLD, false, true, VALUE_1, URL,
	    NULL, GATE_NO_MD5_KEPT, false },
	{ "use of this element requires a value parameter of 1: 0", OLD, true, true, VALUE_0, URL, NEW, GATE_NOT_USED,
	    false },
	{ "... absent", OLD, true, true, VALUE_NONE, URL, NEW, GATE_NOT_USED, false },
	{ "... 2", "", false, true, VALUE_OTHER, URL, NEW, GATE_NOT_USED, false },
	{ "no such element", OLD, true, false, VALUE_NONE, NULL, NULL, GATE_NO_ELEMENT, false },
	{ "no url, and the md5 is the stored one", OLD, true, true, VALUE_1, NULL, OLD, GATE_UNCHANGED, false },
	{ "no url, and another md5", OLD, true, true, VALUE_1, NULL, NEW, GATE_NO_URL, false },
	{ "plain string compare: upper case is another md5", OLD, true, true, VALUE_1, URL,
	    "0123456789ABCDEF0123456789ABCDEF", GATE_FETCH_CHANGED, true },
	{ "plain string compare: the page's own sample abc123", OLD, true, true, VALUE_1, URL, "abc123",
	    GATE_FETCH_CHANGED, true },
};

static struct settings_bundle
asked_from(const struct row *r)
{
	struct settings_bundle b = { .present = r->element };

	b.use.state = r->value == VALUE_NONE    ? SETTING_ABSENT
	              : r->value == VALUE_OTHER ? SETTING_INVALID
	                                        : SETTING_GOOD;
	b.use.on = r->value == VALUE_1;
	b.url.state = r->url != NULL ? SETTING_GOOD : SETTING_ABSENT;
	b.md5.state = r->md5 != NULL ? SETTING_GOOD : SETTING_ABSENT;
	(void)snprintf(b.url.text, sizeof(b.url.text), "%s", r->url != NULL ? r->url : "");
	(void)snprintf(b.md5.text, sizeof(b.md5.text), "%s", r->md5 != NULL ? r->md5 : "");
	return b;
}

/* A phone would fetch what it must not, or miss a new certificate. */
static void
test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct gate_stored stored = { .md5 = rows[i].stored_md5, .file_present = rows[i].file };
		struct settings_bundle asked = asked_from(&rows[i]);
		const struct gate_verdict *v = gate_decide(&stored, &asked);

		if (v->decision != rows[i].decision || v->go != rows[i].go)
			fail_msg("%s: found %s", rows[i].sentence, v->name);
		assert_true(strlen(v->reason) > 10);
	}
}

/* An attribute that cannot be read must not cause a download. */
static void
test_bad_attribute(void **state)
{
	const struct gate_stored stored = { .md5 = OLD, .file_present = true };
	struct settings_bundle asked = asked_from(&rows[1]);

	(void)state;
	asked.md5.state = SETTING_INVALID;
	assert_int_equal(gate_decide(&stored, &asked)->decision, GATE_BAD_ATTRIBUTE);
	asked = asked_from(&rows[1]);
	asked.url.state = SETTING_INVALID;
	assert_int_equal(gate_decide(&stored, &asked)->decision, GATE_BAD_ATTRIBUTE);
}

/* "Where a match is found, the phone will apply the new file. Where a match is not found, ... reject". */
static void
test_compare(void **state)
{
	(void)state;
	assert_int_equal(gate_compare(OLD, OLD)->decision, GATE_MATCH);
	assert_true(gate_compare(OLD, OLD)->go);
	assert_int_equal(gate_compare(NEW, OLD)->decision, GATE_MISMATCH);
	assert_false(gate_compare(NEW, OLD)->go);
	assert_false(gate_compare("0123456789ABCDEF0123456789ABCDEF", OLD)->go);
	assert_false(gate_compare("", OLD)->go);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_bad_attribute),
		cmocka_unit_test(test_compare),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
