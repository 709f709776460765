/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "ca/crl.h"
#include "common/text.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#define CRL_MAX (16 << 20)
#define MANY 100000

static struct ca_crl_params
crl_params(const struct ca_crl_entry *entries, size_t count)
{
	return (struct ca_crl_params){
		.number = 7,
		.this_update = CA_SUPPORT_NOW,
		.next_update = CA_SUPPORT_NOW + 30 * CA_SUPPORT_DAY,
		.entries = entries,
		.count = count,
	};
}

static void
issue(const struct ca_support *s, const struct ca_crl_params *params, struct buf *der)
{
	struct err e = ERR_INIT;

	assert_ok(ca_crl_issue(params, s->root, s->root_key, der, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The same as a PEM file; the caller frees the path. */
static char *
issue_pem(const struct ca_support *s, const struct ca_crl_params *params)
{
	struct buf der = BUF_INIT(CRL_MAX), pem = BUF_INIT(CRL_MAX);
	struct err e = ERR_INIT;
	char *path;

	issue(s, params, &der);
	assert_ok(pem_encode(PEM_LABEL_CRL, der.data, der.len, &pem, &e), e);
	path = support_file(s->folder, "crl.pem", pem.data, pem.len);
	buf_release(&der);
	buf_release(&pem);
	return path;
}

static void
refused(const struct ca_crl_params *params, const X509 *issuer, EVP_PKEY *key, enum err_code code, const char *part)
{
	struct buf der = BUF_INIT(CRL_MAX);
	struct err e = ERR_INIT;

	assert_fails(ca_crl_issue(params, issuer, key, &der, &e), e, code, part);
	assert_int_equal(der.len, 0);
	assert_int_equal(ERR_peek_error(), 0);
	buf_release(&der);
}

/* Distinct, in no order: an odd factor goes through all 32-bit numbers once. */
static struct ca_crl_entry
entry(uint32_t n)
{
	uint32_t mixed = n * 2654435761u;

	return (struct ca_crl_entry){
		.serial = { 0x40 | (mixed >> 26), (unsigned char)(mixed >> 18), (unsigned char)(mixed >> 10),
		    (unsigned char)(mixed >> 2), (unsigned char)mixed },
		.revoked = CA_SUPPORT_NOW - (time_t)n,
		.reason = CA_REASON_UNSPECIFIED,
	};
}

/* All that RFC 5280 section 5 asks for, as openssl reads it; OpenVPN refuses every client over a broken CRL. */
static void
test_openssl_reads_the_list(void **state)
{
	const struct ca_support *s = *state;
	const struct ca_crl_entry entries[] = {
		{ .serial = { 0x7f, 0xff }, .revoked = 0, .reason = CA_REASON_UNSPECIFIED },
		{ .serial = { 0x40, 1 }, .revoked = CA_SUPPORT_NOW - 1, .reason = CA_REASON_KEY_COMPROMISE },
		{ .serial = { 0x40, 2 }, .revoked = 2540000000, .reason = CA_REASON_SUPERSEDED },
		{ .serial = { 0x01 }, .revoked = 1700000000, .reason = CA_REASON_CESSATION },
	};
	struct ca_crl_params params = crl_params(entries, 4);
	struct buf text = BUF_INIT(65536);
	char *path = issue_pem(s, &params), *from, *to;

	support_shell(&text, NULL, "openssl crl -noout -text -in '%s'", path);
	assert_non_null(strstr(buf_string(&text),
	    "Version 2 (0x1)\n        Signature Algorithm: sha256WithRSAEncryption"));
	assert_non_null(strstr(buf_string(&text), "Issuer: O = Lab, CN = Lab CA 0123456789abcdef\n"));
	assert_non_null(strstr(buf_string(&text), "Last Update: Nov 24 16:00:00 2025 GMT\n"));
	assert_non_null(strstr(buf_string(&text), "Next Update: Dec 24 16:00:00 2025 GMT\n"));
	assert_non_null(strstr(buf_string(&text), "X509v3 CRL Number: \n                7\n"));
	/* Neither extension critical, and no third one. */
	assert_non_null(strstr(buf_string(&text), "CRL extensions:\n            X509v3 Authority Key Identifier: \n"));
	assert_null(strstr(buf_string(&text), "critical"));
	from = strstr(buf_string(&text), "Revoked Certificates:\n");
	assert_non_null(from);
	to = strstr(from, "    Signature Algorithm");
	assert_non_null(to);
	*to = '\0';
	/* Dates by hand: date -u -d @2540000000 says Jun 28 03:33:20 2050. */
	assert_string_equal(from, "Revoked Certificates:\n"
				  "    Serial Number: 0100000000000000000000000000000000000000\n"
				  "        Revocation Date: Nov 14 22:13:20 2023 GMT\n"
				  "        CRL entry extensions:\n"
				  "            X509v3 CRL Reason Code: \n"
				  "                Cessation Of Operation\n"
				  "    Serial Number: 4001000000000000000000000000000000000000\n"
				  "        Revocation Date: Nov 24 15:59:59 2025 GMT\n"
				  "        CRL entry extensions:\n"
				  "            X509v3 CRL Reason Code: \n"
				  "                Key Compromise\n"
				  "    Serial Number: 4002000000000000000000000000000000000000\n"
				  "        Revocation Date: Jun 28 03:33:20 2050 GMT\n"
				  "        CRL entry extensions:\n"
				  "            X509v3 CRL Reason Code: \n"
				  "                Superseded\n"
				  "    Serial Number: 7FFF000000000000000000000000000000000000\n"
				  "        Revocation Date: Jan  1 00:00:00 1970 GMT\n");
	assert_says("verify OK", "openssl crl -noout -CAfile '%s' -in '%s' 2>&1", s->root_path, path);
	assert_says("GENERALIZEDTIME   :20500628033320Z", "{ openssl asn1parse -in '%s' | grep GENERALIZEDTIME; }",
	    path);
	free(path);
	buf_release(&text);
}

/* The CRL names its CA's key, the same as the certificates do. */
static void
test_authority_is_the_root_key(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_params params = crl_params(NULL, 0);
	struct buf nothing = BUF_INIT(4096);
	char *path = issue_pem(s, &params);

	support_shell(&nothing, NULL,
	    "{ test \"$(openssl x509 -noout -ext subjectKeyIdentifier -in '%s' | tail -n 1 | tr -d ' ')\" = "
	    "\"$(openssl crl -noout -text -in '%s' | grep -A1 'Authority Key' | tail -n 1 | tr -d ' ')\"; }",
	    s->root_path, path);
	buf_release(&nothing);
	free(path);
}

/* A new CA's server must start: with nothing revoked the list is there, and the field for it absent (5.1.2.6). */
static void
test_empty_list_is_valid(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_params params = crl_params(NULL, 0);
	char *path = issue_pem(s, &params);

	assert_says("No Revoked Certificates.", "openssl crl -noout -text -in '%s'", path);
	assert_says("verify OK", "openssl crl -noout -CAfile '%s' -in '%s' 2>&1", s->root_path, path);
	free(path);
}

static void
verify(const struct ca_support *s, const char *crl, const char *cert, time_t when, const char *part)
{
	assert_says(part,
	    "openssl verify -x509_strict -attime %lld -crl_check -CRLfile '%s' -CAfile '%s' '%s' 2>&1 || true",
	    (long long)when, crl, s->root_path, cert);
}

/* What it is for: the stolen phone stays out, the others come in; and a list that has run out keeps all out. */
static void
test_openssl_refuses_the_revoked_only(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params good = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct ca_cert_params stolen = ca_support_params(CA_KIND_PHONE, "000fd3a1b2c4");
	X509 *good_cert = ca_support_issue(s, &good), *stolen_cert = ca_support_issue(s, &stolen);
	char *good_path = ca_support_pem(s, "good.pem", good_cert);
	char *stolen_path = ca_support_pem(s, "stolen.pem", stolen_cert);
	struct ca_crl_entry entries[3] = { entry(1), entry(2), { .revoked = CA_SUPPORT_NOW - 5 } };
	struct ca_crl_params params = crl_params(entries, 3);
	char *path;

	memcpy(entries[2].serial, stolen.serial, CA_SERIAL_SIZE);
	path = issue_pem(s, &params);
	verify(s, path, good_path, CA_SUPPORT_NOW + 1, ": OK\n");
	verify(s, path, stolen_path, CA_SUPPORT_NOW + 1, "certificate revoked");
	verify(s, path, good_path, params.next_update + 1, "CRL has expired");
	verify(s, path, good_path, params.this_update - 1, "CRL is not yet valid");
	free(path);
	free(good_path);
	free(stolen_path);
	X509_free(good_cert);
	X509_free(stolen_cert);
}

/* Whatever order the rows come in, the bytes are the same: a file that did not change is not sent anew. */
static void
test_order_of_entries_does_not_matter(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_entry forward[50], backward[50];
	struct ca_crl_params params = crl_params(forward, 50);
	struct buf one = BUF_INIT(CRL_MAX), two = BUF_INIT(CRL_MAX);

	for (size_t i = 0; i < 50; i++)
		forward[i] = backward[49 - i] = entry((uint32_t)i);
	issue(s, &params, &one);
	params.entries = backward;
	issue(s, &params, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	buf_release(&one);
	buf_release(&two);
}

/* A CRL number of 64 bits: never negative, never cut. */
static void
test_great_numbers(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_params params = crl_params(NULL, 0);
	char *path;

	params.number = UINT64_MAX;
	path = issue_pem(s, &params);
	assert_says("crlNumber=0xFFFFFFFFFFFFFFFF\n", "openssl crl -noout -crlnumber -in '%s'", path);
	free(path);
	params.number = 0;
	path = issue_pem(s, &params);
	assert_says("crlNumber=0x00\n", "openssl crl -noout -crlnumber -in '%s'", path);
	free(path);
}

/* CPU time of a list of the first count entries. */
static double
seconds(const struct ca_support *s, const struct ca_crl_entry *entries, size_t count, struct buf *der)
{
	struct ca_crl_params params = crl_params(entries, count);
	clock_t start = clock();

	issue(s, &params, der);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/*
 * A hosted PBX's whole fleet rotated: revoking one phone more must take a second, not minutes. Ten times the entries
 * take about ten times as long, where a loop over all in a loop over all takes a hundred times.
 */
static void
test_100000_entries_are_quick(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_entry *entries = calloc(MANY, sizeof(*entries));
	struct buf der = BUF_INIT(CRL_MAX), text = BUF_INIT(4096);
	double tenth;
	char *path;

	assert_non_null(entries);
	for (uint32_t i = 0; i < MANY; i++) {
		entries[i] = entry(i);
		entries[i].reason = i % 2 == 0 ? CA_REASON_SUPERSEDED : CA_REASON_UNSPECIFIED;
	}
	tenth = seconds(s, entries, MANY / 10, &der);
	buf_clear(&der);
	assert_true(seconds(s, entries, MANY, &der) < 40 * tenth);
	path = support_file(s->folder, "many.der", der.data, der.len);
	support_shell(&text, NULL, "{ openssl crl -inform DER -noout -text -in '%s' | grep -c 'Serial Number:'; }",
	    path);
	assert_string_equal(buf_string(&text), "100000\n");
	buf_clear(&text);
	/* Sorted, which the hexadecimal digits of equal length show. */
	support_shell(&text, NULL,
	    "{ openssl crl -inform DER -noout -text -in '%s' | grep 'Serial Number:' | LC_ALL=C sort -c -u; }", path);
	assert_says("verify OK", "openssl crl -inform DER -noout -CAfile '%s' -in '%s' 2>&1", s->root_path, path);
	free(path);
	buf_release(&text);
	free(entries);
	buf_release(&der);
}

/* ---- refusals ---- */

static void
test_bad_entries_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_entry entries[3] = { entry(1), entry(2), entry(1) };
	struct ca_crl_params params = crl_params(entries, 3);

	refused(&params, s->root, s->root_key, ERR_INPUT,
	    "CRL 7: serial number 678dde6cb1000000000000000000000000000000: expected one entry, found two");
	entries[2].serial[0] = 0x80;
	refused(&params, s->root, s->root_key, ERR_INPUT,
	    "CRL 7: entry 2: serial number: expected a first octet from 0x00 to 0x7f, found 0x80");
	entries[2] = entry(3);
	entries[2].reason = 8;
	refused(&params, s->root, s->root_key, ERR_INPUT,
	    "entry 2: reason (RFC 5280 section 5.3.1): expected 0 to 10 without 7 and 8, found 8");
	entries[2] = entry(3);
	entries[2].revoked = 253402300800;
	refused(&params, s->root, s->root_key, ERR_INPUT, "entry 2: revocationDate (RFC 5280 section 4.1.2.5)");
}

static void
test_bad_times_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_params params = crl_params(NULL, 0);

	params.next_update = params.this_update;
	refused(&params, s->root, s->root_key, ERR_INPUT,
	    "CRL 7: nextUpdate: expected a time after thisUpdate 2025-11-24T16:00:00Z, found 2025-11-24T16:00:00Z");
	params.next_update = 253402300800;
	refused(&params, s->root, s->root_key, ERR_INPUT, "nextUpdate (RFC 5280 section 4.1.2.5)");
}

/* A list that no server would take for the CA's. */
static void
test_bad_issuers_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct ca_crl_params crl = crl_params(NULL, 0);
	X509 *phone = ca_support_issue(s, &params), *root = X509_dup(s->root);
	X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,keyCertSign");

	assert_non_null(root);
	assert_non_null(usage);
	X509_EXTENSION_free(X509_delete_ext(root, X509_get_ext_by_NID(root, NID_key_usage, -1)));
	assert_int_equal(X509_add_ext(root, usage, -1), 1);
	assert_true(X509_sign(root, s->root_key, EVP_sha256()) > 0);
	refused(&crl, root, s->root_key, ERR_INPUT,
	    "issuer (RFC 5280 section 4.2.1.3): expected a keyUsage with 0x02, found 0x04");
	X509_EXTENSION_free(usage);
	X509_free(root);
	refused(&crl, phone, s->key, ERR_INPUT, "issuer (RFC 5280 section 4.2.1.9): expected a CA certificate");
	refused(&crl, s->root, s->key, ERR_INTEGRITY, "issuer's key: expected that of its certificate, found another");
	X509_free(phone);
}

static void
test_buffer_too_small_is_an_error(void **state)
{
	const struct ca_support *s = *state;
	struct ca_crl_params params = crl_params(NULL, 0);
	struct buf der = BUF_INIT(64);
	struct err e = ERR_INIT;

	assert_fails(ca_crl_issue(&params, s->root, s->root_key, &der, &e), e, ERR_FAILED, "expected at most 64 bytes");
	buf_release(&der);
}

/* The names of RFC 5280, which the command line takes and the database's rows are shown with. */
static void
test_reasons_have_names(void **state)
{
	static const struct {
		const char *name;
		enum ca_reason reason;
	} cases[] = {
		{ "unspecified", 0 },
		{ "keyCompromise", 1 },
		{ "superseded", 4 },
		{ "cessationOfOperation", 5 },
	};
	enum ca_reason reason = CA_REASON_SUPERSEDED;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ok(ca_reason_parse(cases[i].name, &reason, &e), e);
		assert_int_equal(reason, cases[i].reason);
		assert_string_equal(ca_reason_name(cases[i].reason), cases[i].name);
	}
	assert_string_equal(ca_reason_name(99), "unknown");
	assert_fails(ca_reason_parse("", &reason, &e), e, ERR_INPUT, "found \"\"");
	assert_fails(ca_reason_parse("removeFromCRL", &reason, &e), e, ERR_INPUT,
	    "reason (RFC 5280 section 5.3.1): expected unspecified, keyCompromise, superseded or cessationOfOperation");
	assert_fails(ca_reason_parse("superseded\n", &reason, &e), e, ERR_INPUT, "found \"superseded?\"");
	assert_int_equal(reason, CA_REASON_CESSATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_reads_the_list),
		cmocka_unit_test(test_authority_is_the_root_key),
		cmocka_unit_test(test_empty_list_is_valid),
		cmocka_unit_test(test_openssl_refuses_the_revoked_only),
		cmocka_unit_test(test_order_of_entries_does_not_matter),
		cmocka_unit_test(test_great_numbers),
		cmocka_unit_test(test_100000_entries_are_quick),
		cmocka_unit_test(test_bad_entries_are_refused),
		cmocka_unit_test(test_bad_times_are_refused),
		cmocka_unit_test(test_bad_issuers_are_refused),
		cmocka_unit_test(test_buffer_too_small_is_an_error),
		cmocka_unit_test(test_reasons_have_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
