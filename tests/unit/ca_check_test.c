/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "common/text.h"

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>

/* Certificates that must not be stored or handed out; then many threads with one issuer. */

#define DER_MAX 8192

static X509 *
issue(const struct ca_support *s, enum ca_kind kind)
{
	struct ca_cert_params params = ca_support_params(kind,
	    kind == CA_KIND_PHONE ? CA_SUPPORT_MAC : "Lab CA or server");

	return ca_support_issue(s, &params);
}

static void
accepted(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind)
{
	struct err e = ERR_INIT;

	assert_ok(ca_cert_check(cert, key, issuer, kind, CA_SUPPORT_NOW, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
refused_at(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now, const char *part)
{
	struct err e = ERR_INIT;

	assert_fails(ca_cert_check(cert, key, issuer, kind, now, &e), e, ERR_INTEGRITY, part);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
refused(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, const char *part)
{
	refused_at(cert, key, issuer, kind, CA_SUPPORT_NOW, part);
}

/* A copy from DER, so that nothing is cached in it, which the test may spoil and must free. */
static X509 *
copy(const X509 *cert)
{
	X509 *ret = X509_dup(cert);

	assert_non_null(ret);
	return ret;
}

static void
sign_again(X509 *cert, EVP_PKEY *key, const EVP_MD *digest)
{
	assert_true(X509_sign(cert, key, digest) > 0);
}

static void
remove_extension(X509 *cert, int nid)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	assert_true(at >= 0);
	X509_EXTENSION_free(X509_delete_ext(cert, at));
}

/* Without these, everything else here could pass by refusing all. */
static void
test_good_certificates_are_accepted(void **state)
{
	const struct ca_support *s = *state;
	X509 *phone = issue(s, CA_KIND_PHONE), *server = issue(s, CA_KIND_SERVER);

	accepted(s->root, s->root_key, NULL, CA_KIND_ROOT);
	accepted(phone, s->key, s->root, CA_KIND_PHONE);
	accepted(server, s->key, s->root, CA_KIND_SERVER);
	X509_free(phone);
	X509_free(server);
}

/* A bundle with another phone's key makes OpenVPN end at its start. */
static void
test_key_of_another_certificate_is_refused(void **state)
{
	const struct ca_support *s = *state;
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	X509 *phone = issue(s, CA_KIND_PHONE);

	refused(phone, s->other_key, s->root, CA_KIND_PHONE,
	    "certificate \"CN=" CA_SUPPORT_MAC ",O=Lab\": private key: expected that of the certificate");
	refused(phone, ec, s->root, CA_KIND_PHONE, "private key: expected that of the certificate");
	refused(s->root, s->key, NULL, CA_KIND_ROOT, "private key: expected that of the certificate");
	EVP_PKEY_free(ec);
	X509_free(phone);
}

/* Another CA: of another name, of the same name, and of the same name and key id. */
static void
test_wrong_issuer_is_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params same = ca_support_params(CA_KIND_ROOT, "Lab CA 0123456789abcdef");
	struct ca_cert_params another = ca_support_params(CA_KIND_ROOT, "Lab CA another");
	struct err e = ERR_INIT;
	X509 *phone = issue(s, CA_KIND_PHONE), *forged = copy(s->root);
	X509 *roots[2];

	roots[0] = ca_cert_issue(&another, s->other_key, NULL, NULL, &e);
	roots[1] = ca_cert_issue(&same, s->other_key, NULL, NULL, &e);
	assert_ok(roots[0] == NULL || roots[1] == NULL, e);
	refused(phone, s->key, roots[0], CA_KIND_PHONE, "unable to get local issuer certificate");
	refused(phone, s->key, roots[1], CA_KIND_PHONE, "unable to get local issuer certificate");
	/* All as in the root, only another key: nothing but the signature can tell. */
	assert_int_equal(X509_set_pubkey(forged, s->other_key), 1);
	sign_again(forged, s->other_key, EVP_sha256());
	refused(phone, s->key, forged, CA_KIND_PHONE, "certificate signature failure");
	X509_free(roots[0]);
	X509_free(roots[1]);
	X509_free(forged);
	X509_free(phone);
}

/* One flipped bit, as a failing disk makes it. */
static void
test_spoilt_signature_is_refused(void **state)
{
	const struct ca_support *s = *state;
	X509 *certs[] = { issue(s, CA_KIND_PHONE), copy(s->root) };

	for (size_t i = 0; i < 2; i++) {
		struct buf der = BUF_INIT(DER_MAX);
		struct err e = ERR_INIT;
		X509 *spoilt;

		assert_ok(ca_cert_encode(certs[i], &der, &e), e);
		der.data[der.len - 1] ^= 1;
		spoilt = ca_cert_decode(der.data, der.len, &e);
		assert_ok(spoilt == NULL, e);
		if (i == 0)
			refused(spoilt, s->key, s->root, CA_KIND_PHONE, "certificate signature failure");
		else
			refused(spoilt, s->root_key, NULL, CA_KIND_ROOT, "certificate signature failure");
		X509_free(spoilt);
		X509_free(certs[i]);
		buf_release(&der);
	}
}

/* What is not valid now locks the phone out now. */
static void
test_expired_and_not_yet_valid_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	X509 *phone;

	params.not_before = CA_SUPPORT_NOW;
	params.not_after = CA_SUPPORT_NOW + CA_SUPPORT_DAY;
	phone = ca_support_issue(s, &params);
	accepted(phone, s->key, s->root, CA_KIND_PHONE);
	refused_at(phone, s->key, s->root, CA_KIND_PHONE, params.not_before - 1,
	    "path (RFC 5280 section 6): expected it valid at 2025-11-24T15:59:59Z, found at depth 0: "
	    "certificate is not yet valid");
	refused_at(phone, s->key, s->root, CA_KIND_PHONE, params.not_after + 1, "at depth 0: certificate has expired");
	refused_at(s->root, s->root_key, NULL, CA_KIND_ROOT, CA_SUPPORT_NOW + (time_t)3651 * CA_SUPPORT_DAY,
	    "certificate has expired");
	X509_free(phone);
}

/* A leaf that is said to outlive its CA is refused when the CA has ended. */
static void
test_expired_issuer_is_refused(void **state)
{
	const struct ca_support *s = *state;
	time_t after = CA_SUPPORT_NOW + (time_t)4000 * CA_SUPPORT_DAY;
	X509 *phone = issue(s, CA_KIND_PHONE);

	assert_non_null(ASN1_TIME_adj(X509_getm_notAfter(phone), after, 0, 0));
	sign_again(phone, s->root_key, EVP_sha256());
	accepted(phone, s->key, s->root, CA_KIND_PHONE);
	refused_at(phone, s->key, s->root, CA_KIND_PHONE, after - 1, "at depth 1: certificate has expired");
	X509_free(phone);
}

/* Every kind only for its own use: a phone's certificate in the server's place is an attack. */
static void
test_other_kinds_are_refused(void **state)
{
	const struct ca_support *s = *state;
	X509 *phone = issue(s, CA_KIND_PHONE), *server = issue(s, CA_KIND_SERVER);

	refused(phone, s->key, s->root, CA_KIND_SERVER,
	    "keyUsage (RFC 5280 section 4.2.1.3): expected 0xa0, found 0x80");
	refused(server, s->key, s->root, CA_KIND_PHONE,
	    "keyUsage (RFC 5280 section 4.2.1.3): expected 0x80, found 0xa0");
	refused(phone, s->key, NULL, CA_KIND_ROOT, "basicConstraints (RFC 5280 section 4.2.1.9): expected a CA");
	refused(s->root, s->root_key, s->root, CA_KIND_PHONE, "expected no CA, found a CA");
	refused(phone, s->key, NULL, CA_KIND_PHONE, "issuer: expected one for all but a root, found none");
	refused(s->root, s->root_key, s->root, CA_KIND_ROOT, "found one for a root");
	X509_free(phone);
	X509_free(server);
}

/* A leaf that signs another leaf. */
static void
test_issuer_that_is_no_ca_is_refused(void **state)
{
	const struct ca_support *s = *state;
	X509 *server = issue(s, CA_KIND_SERVER), *phone = issue(s, CA_KIND_PHONE);

	assert_int_equal(X509_set_issuer_name(phone, X509_get_subject_name(server)), 1);
	sign_again(phone, s->key, EVP_sha256());
	refused(phone, s->key, server, CA_KIND_PHONE, "path (RFC 5280 section 6)");
	X509_free(server);
	X509_free(phone);
}

/* Extensions that another program left out or put in: one old client or another would refuse the server. */
static void
test_missing_extensions_are_refused(void **state)
{
	static const struct {
		int nid;
		const char *part;
	} cases[] = {
		{ NID_key_usage, "keyUsage (RFC 5280 section 4.2.1.3): expected 0xa0, found 0x00" },
		{ NID_ext_key_usage, "extendedKeyUsage (RFC 5280 section 4.2.1.12): expected serverAuth alone" },
		{ NID_netscape_cert_type, "nsCertType: expected server" },
	};
	const struct ca_support *s = *state;
	X509 *server = issue(s, CA_KIND_SERVER);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *spoilt = copy(server);

		remove_extension(spoilt, cases[i].nid);
		sign_again(spoilt, s->root_key, EVP_sha256());
		refused(spoilt, s->key, s->root, CA_KIND_SERVER, cases[i].part);
		X509_free(spoilt);
	}
	X509_free(server);
}

/* Extensions whose content is no DER, and one that nobody knows but must. */
static void
test_broken_extensions_are_refused(void **state)
{
	static const int nids[] = { NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_netscape_cert_type };
	const struct ca_support *s = *state;
	X509 *server = issue(s, CA_KIND_SERVER), *spoilt;
	ASN1_OCTET_STRING *garbage = ASN1_OCTET_STRING_new();
	X509_EXTENSION *unknown = NULL;
	ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1);

	assert_int_equal(ASN1_OCTET_STRING_set(garbage, (const unsigned char *)"\x30\x7f", 2), 1);
	for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		spoilt = copy(server);
		assert_int_equal(X509_EXTENSION_set_data(X509_get_ext(spoilt, X509_get_ext_by_NID(spoilt, nids[i], -1)),
				     garbage),
		    1);
		sign_again(spoilt, s->root_key, EVP_sha256());
		refused(spoilt, s->key, s->root, CA_KIND_SERVER, "extensions: expected those of RFC 5280");
		X509_free(spoilt);
	}
	spoilt = copy(server);
	unknown = X509_EXTENSION_create_by_OBJ(NULL, object, 1, garbage);
	assert_non_null(unknown);
	assert_int_equal(X509_add_ext(spoilt, unknown, -1), 1);
	sign_again(spoilt, s->root_key, EVP_sha256());
	refused(spoilt, s->key, s->root, CA_KIND_SERVER, "unhandled critical extension");
	X509_free(spoilt);
	X509_EXTENSION_free(unknown);
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(garbage);
	X509_free(server);
}

/* "mac<NUL>.evil": one program reads the whole name, another one only what is before the NUL. */
static void
test_nul_in_a_name_is_refused(void **state)
{
	static const struct {
		const char *name;
		int len;
	} cases[] = {
		{ CA_SUPPORT_MAC "\0.evil", sizeof(CA_SUPPORT_MAC) + 5 },
		{ "a\nb", 3 },
	};
	const struct ca_support *s = *state;

	for (size_t i = 0; i < 2; i++) {
		X509 *phone = issue(s, CA_KIND_PHONE);
		X509_NAME *name = X509_NAME_new();

		assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
				     (const unsigned char *)cases[i].name, cases[i].len, -1, 0),
		    1);
		assert_int_equal(X509_set_subject_name(phone, name), 1);
		sign_again(phone, s->root_key, EVP_sha256());
		refused(phone, s->key, s->root, CA_KIND_PHONE,
		    "subject: expected names without control characters, found some");
		X509_NAME_free(name);
		X509_free(phone);
	}
}

/* An OpenVPN server of today says "ca md too weak" or "ee key too small". */
static void
test_weak_signature_and_key_are_refused(void **state)
{
	const struct ca_support *s = *state;
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	X509 *phone = issue(s, CA_KIND_PHONE);

	sign_again(phone, s->root_key, EVP_sha1());
	refused(phone, s->key, s->root, CA_KIND_PHONE, "CA signature digest algorithm too weak");
	assert_int_equal(X509_set_pubkey(phone, weak), 1);
	sign_again(phone, s->root_key, EVP_sha256());
	refused(phone, weak, s->root, CA_KIND_PHONE, "EE certificate key too weak");
	EVP_PKEY_free(weak);
	X509_free(phone);
}

/* ---- threads ---- */

#define THREADS 4
#define CERTS 8

struct worker {
	const struct ca_support *s;
	X509 *certs[CERTS];
	struct err e;
	bool failed;
};

/* No assertion here: cmocka jumps, and may do so in its own thread only. */
static void *
work(void *data)
{
	struct worker *w = data;

	for (size_t i = 0; i < CERTS && !w->failed; i++) {
		struct ca_cert_params params = {
			.kind = i % 2 == 0 ? CA_KIND_PHONE : CA_KIND_SERVER,
			.common_name = CA_SUPPORT_MAC,
			.host = "192.0.2.1",
			.not_after = CA_SUPPORT_NOW + CA_SUPPORT_DAY,
		};

		w->failed = ca_serial_new(params.serial, &w->e) != 0;
		if (!w->failed)
			w->certs[i] = ca_cert_issue(&params, w->s->key, w->s->root, w->s->root_key, &w->e);
		w->failed = w->failed || w->certs[i] == NULL ||
		            ca_cert_check(w->certs[i], w->s->key, w->s->root, params.kind, CA_SUPPORT_NOW, &w->e) !=
		                0 ||
		            ERR_peek_error() != 0;
	}
	return NULL;
}

/* "mint --jobs": all threads sign with one CA at once, and no two certificates share a serial. */
static void
test_threads_issue_with_one_issuer(void **state)
{
	struct ca_support s = *(struct ca_support *)*state;
	unsigned char serials[THREADS * CERTS][CA_SERIAL_SIZE];
	struct worker workers[THREADS] = { 0 };
	struct buf der = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	pthread_t ids[THREADS];

	/* As it comes from the database: nothing of it is cached yet. */
	assert_ok(ca_cert_encode(s.root, &der, &e), e);
	s.root = ca_cert_decode(der.data, der.len, &e);
	assert_ok(s.root == NULL, e);
	for (size_t t = 0; t < THREADS; t++) {
		workers[t].s = &s;
		assert_int_equal(pthread_create(&ids[t], NULL, work, &workers[t]), 0);
	}
	for (size_t t = 0; t < THREADS; t++)
		assert_int_equal(pthread_join(ids[t], NULL), 0);
	for (size_t t = 0; t < THREADS; t++) {
		assert_ok(workers[t].failed ? -1 : 0, workers[t].e);
		for (size_t i = 0; i < CERTS; i++) {
			size_t n = t * CERTS + i;

			assert_ok(ca_cert_serial(workers[t].certs[i], serials[n], &e), e);
			for (size_t k = 0; k < n; k++)
				assert_memory_not_equal(serials[n], serials[k], CA_SERIAL_SIZE);
			X509_free(workers[t].certs[i]);
		}
	}
	X509_free(s.root);
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_certificates_are_accepted),
		cmocka_unit_test(test_key_of_another_certificate_is_refused),
		cmocka_unit_test(test_wrong_issuer_is_refused),
		cmocka_unit_test(test_spoilt_signature_is_refused),
		cmocka_unit_test(test_expired_and_not_yet_valid_are_refused),
		cmocka_unit_test(test_expired_issuer_is_refused),
		cmocka_unit_test(test_other_kinds_are_refused),
		cmocka_unit_test(test_issuer_that_is_no_ca_is_refused),
		cmocka_unit_test(test_missing_extensions_are_refused),
		cmocka_unit_test(test_broken_extensions_are_refused),
		cmocka_unit_test(test_nul_in_a_name_is_refused),
		cmocka_unit_test(test_weak_signature_and_key_are_refused),
		cmocka_unit_test(test_threads_issue_with_one_issuer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
