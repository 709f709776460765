/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/easyrsa_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL "9EE1B46D9208489AA805F43706DB390E"

static void
parse(const char *text, size_t len, struct easyrsa_index *index)
{
	struct err e = ERR_INIT;

	*index = (struct easyrsa_index)EASYRSA_INDEX_INIT;
	assert_ok(easyrsa_index_parse(text, len, index, &e), e);
}

/* Rows as easy-rsa 3.1.0 wrote them; the times are what date(1) says. */
static void
rows_of_easyrsa_are_read(void **state)
{
	static const char text[] = "V\t290226194855Z\t\tB5AA1E0481D927D8EAAE05FEEF4E6518\tunknown\t/CN=vpn\n"
				   "R\t290226194856Z\t261124194856Z,superseded\t" SERIAL "\tunknown\t/CN=000fd3006502\n"
				   "E\t200101000000Z\t\t01\tunknown\t/C=US/O=Lab/CN=old/emailAddress=me@example.com\r\n"
				   "R\t20510101000000Z\t251231235959Z\t0A\tunknown\t/O=no name";
	static const unsigned char one[CA_SERIAL_SIZE] = { [CA_SERIAL_SIZE - 1] = 1 };
	static const unsigned char sixteen[4] = { 0, 0, 0, 0 };
	struct easyrsa_index index;

	(void)state;
	parse(text, strlen(text), &index);
	assert_int_equal(index.problem_count, 0);
	assert_int_equal(index.row_count, 4);
	assert_int_equal(index.rows[0].status, EASYRSA_VALID);
	assert_int_equal(index.rows[0].not_after, 1866829735);
	assert_int_equal(index.rows[0].revoked, 0);
	assert_string_equal(index.rows[0].common_name, "vpn");
	assert_memory_equal(index.rows[0].serial, sixteen, sizeof(sixteen));
	assert_int_equal(index.rows[0].serial[4], 0xb5);
	assert_int_equal(index.rows[0].serial[19], 0x18);
	assert_int_equal(index.rows[1].status, EASYRSA_REVOKED);
	assert_int_equal(index.rows[1].revoked, 1795549736);
	assert_int_equal(index.rows[1].reason, CA_REASON_SUPERSEDED);
	assert_int_equal(index.rows[2].status, EASYRSA_EXPIRED);
	assert_int_equal(index.rows[2].not_after, 1577836800);
	assert_memory_equal(index.rows[2].serial, one, sizeof(one));
	assert_string_equal(index.rows[2].common_name, "old");
	assert_int_equal(index.rows[3].not_after, 2556144000);
	assert_int_equal(index.rows[3].reason, CA_REASON_UNSPECIFIED);
	assert_string_equal(index.rows[3].common_name, "");
	assert_int_equal(index.rows[3].line, 4);
	easyrsa_index_release(&index);
}

/* Every reason of openssl-ca(1) comes through: a CRL that forgot one would tell another story. */
static void
reasons_are_kept(void **state)
{
	static const struct {
		const char *text;
		int reason; /* RFC 5280 section 5.3.1 */
	} cases[] = {
		{ "unspecified", 0 },
		{ "keyCompromise", 1 },
		{ "CACompromise", 2 },
		{ "affiliationChanged", 3 },
		{ "superseded", 4 },
		{ "cessationOfOperation", 5 },
		{ "certificateHold", 6 },
		{ "holdInstruction,holdInstructionReject", 6 },
		{ "keyTime,20260101000000Z", 1 },
		{ "CAkeyTime,20260101000000Z", 2 },
		{ "KEYCOMPROMISE", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct easyrsa_index index;
		char line[256];

		(void)snprintf(line, sizeof(line), "R\t290226194856Z\t261124194856Z,%s\t01\tunknown\t/CN=x\n",
		    cases[i].text);
		parse(line, strlen(line), &index);
		assert_int_equal(index.problem_count, 0);
		assert_int_equal(index.rows[0].reason, cases[i].reason);
		easyrsa_index_release(&index);
	}
}

/* A line that is no row is named with its number, and takes no other with it. */
static void
bad_lines_are_named(void **state)
{
	static const struct {
		const char *line, *part;
	} cases[] = {
		{ "nonsense", "expected 6 fields with tabs between them, found 1" },
		{ "V\t290226194856Z\t\t01\tunknown", "found 5" },
		{ "V\t290226194856Z\t\t01\tunknown\t/CN=x\tmore", "found 7" },
		{ "V 290226194856Z 01 unknown /CN=x", "found 1" },
		{ "S\t290226194856Z\t\t01\tunknown\t/CN=x", "status: expected V, R or E, found \"S\"" },
		{ "\t290226194856Z\t\t01\tunknown\t/CN=x", "status" },
		{ "VV\t290226194856Z\t\t01\tunknown\t/CN=x", "status" },
		{ "V\t\t\t01\tunknown\t/CN=x", "date of expiry: expected YYMMDDHHMMSSZ" },
		{ "V\t291326194856Z\t\t01\tunknown\t/CN=x", "date of expiry" },
		{ "V\t290230194856Z\t\t01\tunknown\t/CN=x", "date of expiry" },
		{ "V\t2902261948Z\t\t01\tunknown\t/CN=x", "date of expiry" },
		{ "V\t290226194856+0100\t\t01\tunknown\t/CN=x", "date of expiry" },
		{ "V\t2029-02-26\t\t01\tunknown\t/CN=x", "date of expiry" },
		{ "R\t290226194856Z\t\t01\tunknown\t/CN=x", "date of the revocation" },
		{ "R\t290226194856Z\t700101000000Z\t01\tunknown\t/CN=x", "expected one after 1970" },
		{ "R\t290226194856Z\t261124194856Z,stolen\t01\tunknown\t/CN=x", "reason of the revocation" },
		{ "R\t290226194856Z\t261124194856Z,removeFromCRL\t01\tunknown\t/CN=x", "reason of the revocation" },
		{ "V\t290226194856Z\t261124194856Z\t01\tunknown\t/CN=x", "status V: expected no date" },
		{ "V\t290226194856Z\t\t\tunknown\t/CN=x", "serial" },
		{ "V\t290226194856Z\t\t-1\tunknown\t/CN=x", "serial" },
		{ "V\t290226194856Z\t\t0x01\tunknown\t/CN=x", "serial" },
		{ "V\t290226194856Z\t\t800000000000000000000000000000000000000a\tunknown\t/CN=x", "serial" },
		{ "V\t290226194856Z\t\t00112233445566778899aabbccddeeff0011223344\tunknown\t/CN=x", "serial" },
		{ "V\t290226194856Z\t\t01\tunknown\t/CN=x\x1b[2J", "subject" },
		{ "V\t290226194856Z\t\t01\tunknown\t/CN=x\xff", "subject" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct easyrsa_index index;
		char text[512];

		(void)snprintf(text, sizeof(text),
		    "# a comment\nV\t290226194856Z\t\t0b\tunknown\t/CN=first\n%s\n"
		    "V\t290226194856Z\t\t0c\tunknown\t/CN=last\n",
		    cases[i].line);
		parse(text, strlen(text), &index);
		assert_int_equal(index.row_count, 2);
		assert_int_equal(index.problem_count, 1);
		assert_int_equal(index.problems[0].line, 3);
		if (strstr(index.problems[0].text, cases[i].part) == NULL)
			fail_msg("%s: %s", cases[i].line, index.problems[0].text);
		easyrsa_index_release(&index);
	}
}

/* Two certificates of one serial could not be told apart in a CRL. */
static void
serials_that_stand_twice(void **state)
{
	static const char text[] = "V\t290226194856Z\t\t0b\tunknown\t/CN=a\n"
				   "V\t290226194856Z\t\t0c\tunknown\t/CN=b\n"
				   "V\t290226194856Z\t\t000B\tunknown\t/CN=c\n"
				   "R\t290226194856Z\t261124194856Z\tB\tunknown\t/CN=d\n";
	struct easyrsa_index index;

	(void)state;
	parse(text, strlen(text), &index);
	assert_int_equal(index.problem_count, 2);
	assert_int_equal(index.problems[0].line, 3);
	assert_string_equal(index.problems[0].text, "serial 0b: stands in line 1 already");
	assert_int_equal(index.problems[1].line, 4);
	assert_string_equal(index.problems[1].text, "serial 0b: stands in line 1 already");
	easyrsa_index_release(&index);
}

/* A NUL byte or an endless line is that line's problem only; a tab behind a backslash is part of its field. */
static void
bytes_that_are_no_text(void **state)
{
	static const char nul[] =
	    "V\t290226194856Z\t\t0b\tunknown\t/CN=a\0b\nV\t290226194856Z\t\t0c\tunknown\t/CN=ok\n";
	static const char escaped[] = "V\t290226194856Z\t\t0b\tunk\\\tnown\t/CN=a/b/OU=c\n";
	struct easyrsa_index index;
	char *text = malloc(100000);

	(void)state;
	assert_non_null(text);
	parse(nul, sizeof(nul) - 1, &index);
	assert_int_equal(index.row_count, 1);
	assert_string_equal(index.problems[0].text, "expected text, found a NUL byte");
	easyrsa_index_release(&index);
	parse(escaped, sizeof(escaped) - 1, &index);
	assert_int_equal(index.row_count, 1);
	assert_string_equal(index.rows[0].common_name, "a/b");
	easyrsa_index_release(&index);
	memset(text, 'x', 100000);
	parse(text, 100000, &index);
	assert_int_equal(index.problem_count, 1);
	assert_string_equal(index.problems[0].text, "expected at most 4096 bytes, found 100000");
	easyrsa_index_release(&index);
	parse("", 0, &index);
	assert_int_equal(index.row_count + index.problem_count, 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_easyrsa_are_read),
		cmocka_unit_test(reasons_are_kept),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(serials_that_stand_twice),
		cmocka_unit_test(bytes_that_are_no_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
