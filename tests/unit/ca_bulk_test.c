/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "ca/bulk.h"
#include "ca/facts.h"
#include "ca/pem.h"
#include "ca/verify.h"
#include "common/file.h"
#include "common/text.h"

#include <openssl/x509v3.h>

/*
 * The short way must never take a certificate that X509_verify_cert() refuses, and say the same of it as the long way: a
 * check that is fast and wrong would let a broken fleet pass. What the long way says is libcrypto's.
 */
struct bulk {
	struct ca_support *ca;
	struct ca_reader *reader;
	struct ca_voucher *voucher;
	STACK_OF(X509) * cas;
};

static void
bulk_open(struct bulk *b, struct ca_support *ca)
{
	struct err e = ERR_INIT;

	*b = (struct bulk){ .ca = ca, .voucher = ca_voucher_new(), .cas = sk_X509_new_null() };
	b->reader = ca_reader_new(&e);
	assert_ok(b->reader == NULL, e);
	assert_non_null(b->voucher);
}

static void
bulk_close(struct bulk *b)
{
	ca_voucher_free(b->voucher);
	ca_reader_free(b->reader);
	sk_X509_pop_free(b->cas, X509_free);
}

static void
trust(struct bulk *b, X509 *root)
{
	assert_true(X509_up_ref(root) == 1 && sk_X509_push(b->cas, root) > 0);
}

/* The long way; the voucher learns of it when learns. */
static bool
verifies(struct bulk *b, X509 *cert, time_t when, bool learns)
{
	X509 *whole = ca_cert_whole(cert);
	struct ca_fault faults[CA_FAULTS_MAX];
	struct err e = ERR_INIT;
	size_t count = 0;

	assert_non_null(whole);
	assert_ok(ca_verify(whole, NULL, b->cas, CA_PURPOSE_CLIENT, when, learns ? b->voucher : NULL, faults, &count,
		      &e),
	    e);
	X509_free(whole);
	return count == 0;
}

static X509 *
bare(const struct bulk *b, const X509 *cert)
{
	struct buf der = BUF_INIT(65536);
	struct err e = ERR_INIT;
	X509 *ret;

	assert_ok(ca_cert_encode(cert, &der, &e), e);
	ret = ca_reader_decode(b->reader, der.data, der.len, &e);
	assert_ok(ret == NULL, e);
	buf_release(&der);
	return ret;
}

/* Whether it is vouched for; then the long way has to take it, too. */
static bool
vouched(struct bulk *b, const X509 *cert, time_t when)
{
	X509 *one = bare(b, cert);
	bool ok = ca_voucher_root(b->voucher, one, when) != NULL;

	assert_true(!ok || verifies(b, one, when, false));
	X509_free(one);
	return ok;
}

static X509 *
phone_issue(const struct bulk *b, const char *name)
{
	const struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, name);

	return ca_support_issue(b->ca, &params);
}

/* A bundle's certificate of the same CA is taken without a chain, and one of another is not. */
static void
test_a_sibling_needs_no_chain(void **state)
{
	struct bulk b;
	X509 *first, *second;

	bulk_open(&b, *state);
	trust(&b, b.ca->root);
	first = phone_issue(&b, CA_SUPPORT_MAC);
	second = phone_issue(&b, "000fd3a1b2c4");
	assert_false(vouched(&b, second, CA_SUPPORT_NOW));
	assert_true(verifies(&b, first, CA_SUPPORT_NOW, true));
	assert_true(vouched(&b, second, CA_SUPPORT_NOW));
	/* The root was looked at for one time only. */
	assert_false(vouched(&b, second, CA_SUPPORT_NOW + 1));
	X509_free(first);
	X509_free(second);
	bulk_close(&b);
}

/* Sign it anew after a change. */
static X509 *
changed(const struct bulk *b, void (*change)(X509 *cert, const struct ca_support *ca), EVP_PKEY *key)
{
	X509 *cert = phone_issue(b, CA_SUPPORT_MAC), *copy;

	copy = X509_dup(cert);
	change(copy, b->ca);
	assert_true(X509_sign(copy, key, EVP_sha256()) > 0);
	X509_free(cert);
	return copy;
}

static void
change_nothing(X509 *cert, const struct ca_support *ca)
{
	(void)cert;
	(void)ca;
}

static void
change_end(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), CA_SUPPORT_NOW));
}

static void
change_begin(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), CA_SUPPORT_NOW + 1));
}

static void
extension_set(X509 *cert, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);
	X509_EXTENSION *extension = value == NULL ? NULL : X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	if (extension != NULL)
		assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void
change_purpose(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	extension_set(cert, NID_ext_key_usage, "serverAuth");
}

static void
change_usage(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	extension_set(cert, NID_key_usage, "keyEncipherment");
}

static void
change_netscape(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	extension_set(cert, NID_netscape_cert_type, "server");
}

static void
change_authority(X509 *cert, const struct ca_support *ca)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();

	(void)ca;
	extension_set(cert, NID_authority_key_identifier, NULL);
	id->keyid = ASN1_OCTET_STRING_new();
	assert_int_equal(ASN1_OCTET_STRING_set(id->keyid, (const unsigned char *)"another key's hash..", 20), 1);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT), 1);
	AUTHORITY_KEYID_free(id);
}

static void
change_critical(X509 *cert, const struct ca_support *ca)
{
	ASN1_OBJECT *object = OBJ_txt2obj("1.2.3.4", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	(void)ca;
	assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5\0", 2), 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void
change_issuer(X509 *cert, const struct ca_support *ca)
{
	(void)ca;
	assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(cert)), 1);
}

static void
change_key(X509 *cert, const struct ca_support *ca)
{
	struct err e = ERR_INIT;
	EVP_PKEY *small = EVP_RSA_gen(1024);

	(void)ca;
	assert_ok(small == NULL, e);
	assert_int_equal(X509_set_pubkey(cert, small), 1);
	EVP_PKEY_free(small);
}

/* What the long way refuses is not vouched for; nor is what it might judge otherwise than the first one. */
static void
test_what_is_refused_is_not_vouched_for(void **state)
{
	static const struct {
		const char *what;
		void (*change)(X509 *cert, const struct ca_support *ca);
		bool other_key, refused;
	} rows[] = {
		{ "nothing", change_nothing, false, false },
		{ "another CA's key", change_nothing, true, true },
		{ "ended", change_end, false, true },
		{ "not begun", change_begin, false, true },
		{ "a server's purpose", change_purpose, false, true },
		{ "no signing", change_usage, false, true },
		{ "a Netscape server's", change_netscape, false, true },
		{ "another key of the CA named", change_authority, false, true },
		{ "an unknown critical extension", change_critical, false, true },
		{ "another issuer named", change_issuer, false, true },
		{ "a smaller key than the first one's", change_key, false, false },
	};
	struct bulk b;
	X509 *first;

	bulk_open(&b, *state);
	trust(&b, b.ca->root);
	first = phone_issue(&b, CA_SUPPORT_MAC);
	assert_true(verifies(&b, first, CA_SUPPORT_NOW, true));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		X509 *cert = changed(&b, rows[i].change, rows[i].other_key ? b.ca->other_key : b.ca->root_key);

		if (vouched(&b, cert, CA_SUPPORT_NOW) != (i == 0) ||
		    verifies(&b, cert, CA_SUPPORT_NOW, false) == rows[i].refused)
			fail_msg("%s", rows[i].what);
		X509_free(cert);
	}
	X509_free(first);
	bulk_close(&b);
}

/* No bit of a certificate can be turned: every byte in turn. */
static void
test_no_byte_can_be_changed(void **state)
{
	struct buf der = BUF_INIT(65536);
	struct err e = ERR_INIT;
	struct bulk b;
	X509 *first;

	bulk_open(&b, *state);
	trust(&b, b.ca->root);
	first = phone_issue(&b, CA_SUPPORT_MAC);
	assert_true(verifies(&b, first, CA_SUPPORT_NOW, true) && vouched(&b, first, CA_SUPPORT_NOW));
	assert_ok(ca_cert_encode(first, &der, &e), e);
	for (size_t i = 0; i < der.len; i++) {
		X509 *cert;

		((unsigned char *)der.data)[i] ^= (unsigned char)(1 << i % 8);
		cert = ca_reader_decode(b.reader, der.data, der.len, NULL);
		if (cert != NULL && ca_voucher_root(b.voucher, cert, CA_SUPPORT_NOW) != NULL)
			fail_msg("byte %zu", i);
		X509_free(cert);
		((unsigned char *)der.data)[i] ^= (unsigned char)(1 << i % 8);
	}
	assert_int_equal(ERR_peek_error(), 0);
	X509_free(first);
	buf_release(&der);
	bulk_close(&b);
}

/* With two CAs of one name libcrypto chooses, and may choose the wrong one: the long way for all of them. */
static void
test_cas_of_one_name_are_left_to_libcrypto(void **state)
{
	struct ca_cert_params params = ca_support_params(CA_KIND_ROOT, "Twin CA");
	struct ca_support *ca = *state;
	struct err e = ERR_INIT;
	struct bulk b;
	X509 *twin, *first;

	bulk_open(&b, ca);
	params.organization = NULL;
	twin = ca_cert_issue(&params, ca->other_key, NULL, NULL, &e);
	assert_ok(twin == NULL, e);
	assert_int_equal(X509_set_subject_name(twin, X509_get_subject_name(ca->root)), 1);
	assert_int_equal(X509_set_issuer_name(twin, X509_get_subject_name(ca->root)), 1);
	assert_true(X509_sign(twin, ca->other_key, EVP_sha256()) > 0);
	trust(&b, ca->root);
	trust(&b, twin);
	first = phone_issue(&b, CA_SUPPORT_MAC);
	assert_true(verifies(&b, first, CA_SUPPORT_NOW, true));
	assert_false(vouched(&b, first, CA_SUPPORT_NOW));
	X509_free(first);
	X509_free(twin);
	bulk_close(&b);
}

/* Of every certificate, good and bad, the same is told with its key and without; the dates come of the real clock. */
static void
test_facts_need_no_key(void **state)
{
	static const char *const names[] = { "one", "phone", "second", "stranger", "past", "revoked", "bare",
		"server-phone", "ec-phone", "sha1-phone", "between", "below-phone", "server", "ec-server",
		"no-netscape-server", "no-purpose-server", "no-usage-server", "narrow-usage-server", "bare-server" };
	struct buf out = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
	struct ca_support *ca = *state;
	struct err e = ERR_INIT;
	struct bulk b;

	bulk_open(&b, ca);
	support_shell(&out, NULL, "tests/server_pki.sh '%s/pki' 2>&1", ca->folder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = text_format("%s/pki/%s.crt", ca->folder, names[i]);
		struct ca_cert_facts whole, some;
		STACK_OF(X509) * certs;
		X509 *cert, *one;

		buf_clear(&text);
		assert_ok(file_read(path, &text, &e), e);
		certs = ca_pem_certs(buf_string(&text), text.len, path, &e);
		assert_ok(certs == NULL, e);
		cert = sk_X509_value(certs, 0);
		one = bare(&b, cert);
		ca_cert_facts(cert, &whole);
		ca_cert_facts(one, &some);
		assert_memory_equal(&whole, &some, sizeof(whole));
		/* libcrypto's own word */
		assert_int_equal(whole.bits, EVP_PKEY_get_bits(X509_get0_pubkey(cert)));
		assert_int_equal(whole.ca, X509_check_ca(cert) == 1);
		assert_int_equal(whole.has_key_usage ? whole.key_usage : UINT32_MAX, X509_get_key_usage(cert));
		assert_int_equal(whole.has_purpose, X509_get_extended_key_usage(cert) != UINT32_MAX);
		assert_int_equal(whole.has_purpose && whole.purpose_client,
		    whole.has_purpose && (X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT) != 0);
		X509_free(one);
		sk_X509_pop_free(certs, X509_free);
		free(path);
	}
	buf_release(&out);
	buf_release(&text);
	bulk_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sibling_needs_no_chain),
		cmocka_unit_test(test_what_is_refused_is_not_vouched_for),
		cmocka_unit_test(test_no_byte_can_be_changed),
		cmocka_unit_test(test_cas_of_one_name_are_left_to_libcrypto),
		cmocka_unit_test(test_facts_need_no_key),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
