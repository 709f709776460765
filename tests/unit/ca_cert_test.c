/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "common/text.h"

#include <openssl/x509v3.h>
#include <stdio.h>

/* What certificates say, as the openssl command reads them. Their names: ca_name_test.c, hostile ones: ca_check_test.c. */

/* The key id that openssl computes of the public key: SHA-1, RFC 5280 section 4.2.1.2 (1). */
static void
key_id(const struct ca_support *s, const X509 *cert, char out[60])
{
	struct buf hex = BUF_INIT(4096);
	char *path = ca_support_pem(s, "id.pem", cert);

	support_shell(&hex, NULL,
	    "{ openssl x509 -noout -pubkey -in '%s' | openssl rsa -pubin -RSAPublicKey_out -outform DER 2>/dev/null | "
	    "sha1sum | cut -c1-40 | tr a-f A-F | sed 's/../&:/g;s/:$//'; }",
	    path);
	assert_int_equal(hex.len, 60);
	memcpy(out, hex.data, 59);
	out[59] = '\0';
	buf_release(&hex);
	free(path);
}

static void
assert_key_ids(const struct ca_support *s, const X509 *cert, const X509 *issuer)
{
	char expected[160], id[60];

	key_id(s, cert, id);
	(void)snprintf(expected, sizeof(expected), "X509v3 Subject Key Identifier: \n    %s\n", id);
	ca_support_extension(s, cert, "subjectKeyIdentifier", expected);
	if (issuer == NULL)
		return;
	key_id(s, issuer, id);
	/* No DirName, no serial: the key id alone. */
	(void)snprintf(expected, sizeof(expected), "X509v3 Authority Key Identifier: \n    %s\n", id);
	ca_support_extension(s, cert, "authorityKeyIdentifier", expected);
}

static void
assert_verifies(const struct ca_support *s, const char *path, const char *purpose, time_t when, const char *part)
{
	assert_says(part, "openssl verify -x509_strict -attime %lld -purpose %s -CAfile '%s' '%s' 2>&1 || true",
	    (long long)when, purpose, s->root_path, path);
}

/* A root without one of these is no CA to some client, or may sign another CA below it. */
static void
test_root_extensions(void **state)
{
	const struct ca_support *s = *state;

	ca_support_extension(s, s->root, "basicConstraints",
	    "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n");
	ca_support_extension(s, s->root, "keyUsage", "X509v3 Key Usage: critical\n    Certificate Sign, CRL Sign\n");
	assert_key_ids(s, s->root, NULL);
	ca_support_extension_count(s, s->root, 3);
	ca_support_shows(s, s->root, "-subject -issuer -nameopt RFC2253",
	    "subject=CN=Lab CA 0123456789abcdef,O=Lab\nissuer=CN=Lab CA 0123456789abcdef,O=Lab\n");
	assert_says(": OK\n", "openssl verify -x509_strict -check_ss_sig -attime %d -CAfile '%s' '%s'", CA_SUPPORT_NOW,
	    s->root_path, s->root_path);
}

/* OpenVPN 2.1 to 2.3 refuse a server that lacks one of them, or whose keyUsage has more. */
static void
test_server_extensions(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "vpn.example.com");
	X509 *cert = ca_support_issue(s, &params);

	ca_support_extension(s, cert, "basicConstraints", "X509v3 Basic Constraints: \n    CA:FALSE\n");
	ca_support_extension(s, cert, "keyUsage", "X509v3 Key Usage: \n    Digital Signature, Key Encipherment\n");
	ca_support_extension(s, cert, "extendedKeyUsage",
	    "X509v3 Extended Key Usage: \n    TLS Web Server Authentication\n");
	ca_support_extension(s, cert, "nsCertType", "Netscape Cert Type: \n    SSL Server\n");
	ca_support_extension(s, cert, "subjectAltName", "X509v3 Subject Alternative Name: \n    DNS:vpn.example.com\n");
	assert_key_ids(s, cert, s->root);
	ca_support_extension_count(s, cert, 7);
	X509_free(cert);
}

/* keyUsage 0xa0 and nsCertType 0x40 to the bit: DER of named bits without zeros behind (X.690 section 11.2.2). */
static void
test_bits_are_der(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "vpn.example.com");
	X509 *cert = ca_support_issue(s, &params);
	char *path = ca_support_pem(s, "bits.pem", cert);

	assert_says("[HEX DUMP]:030205A0", "{ openssl asn1parse -in '%s' | grep -A1 'X509v3 Key Usage'; }", path);
	assert_says("[HEX DUMP]:03020640", "{ openssl asn1parse -in '%s' | grep -A1 'Netscape Cert Type'; }", path);
	assert_says("[HEX DUMP]:30060101FF020100",
	    "{ openssl asn1parse -in '%s' | grep -A2 'X509v3 Basic Constraints'; }", s->root_path);
	free(path);
	X509_free(cert);
}

/* A phone's certificate must not do for a server: any stolen phone could then play the server to all others. */
static void
test_phone_extensions(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	X509 *cert = ca_support_issue(s, &params);

	ca_support_extension(s, cert, "basicConstraints", "X509v3 Basic Constraints: \n    CA:FALSE\n");
	ca_support_extension(s, cert, "keyUsage", "X509v3 Key Usage: \n    Digital Signature\n");
	ca_support_extension(s, cert, "extendedKeyUsage",
	    "X509v3 Extended Key Usage: \n    TLS Web Client Authentication\n");
	assert_key_ids(s, cert, s->root);
	ca_support_extension_count(s, cert, 5);
	ca_support_shows(s, cert, "-subject -issuer -nameopt RFC2253",
	    "subject=CN=" CA_SUPPORT_MAC ",O=Lab\nissuer=CN=Lab CA 0123456789abcdef,O=Lab\n");
	X509_free(cert);
}

/* Version, algorithms and serial: SHA-1 would be refused by a server of today. */
static void
test_version_signature_and_serial(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	X509 *cert = ca_support_issue(s, &params);
	unsigned char serial[CA_SERIAL_SIZE];
	struct buf text = BUF_INIT(65536);
	char expected[64] = "serial=", *path;
	struct err e = ERR_INIT;

	ca_support_show(s, cert, "-text", &text);
	assert_non_null(strstr(buf_string(&text), "Version: 3 (0x2)"));
	assert_non_null(strstr(buf_string(&text), "Signature Algorithm: sha256WithRSAEncryption"));
	assert_non_null(strstr(buf_string(&text), "Public-Key: (2048 bit)"));
	assert_null(strstr(buf_string(&text), "sha1"));

	text_hex(params.serial, sizeof(params.serial), expected + strlen(expected));
	path = ca_support_pem(s, "serial.pem", cert);
	buf_clear(&text);
	support_shell(&text, NULL, "{ openssl x509 -noout -serial -in '%s' | tr A-F a-f; }", path);
	assert_memory_equal(text.data, expected, strlen("serial=") + 40);
	assert_int_equal(text.len, strlen("serial=") + 40 + 1);
	assert_ok(ca_cert_serial(cert, serial, &e), e);
	assert_memory_equal(serial, params.serial, sizeof(serial));
	free(path);
	buf_release(&text);
	X509_free(cert);
}

/* The purposes, by openssl's own path validation. */
static void
test_openssl_verifies_each_purpose(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params phone = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct ca_cert_params server = ca_support_params(CA_KIND_SERVER, "vpn.example.com");
	X509 *phone_cert = ca_support_issue(s, &phone), *server_cert = ca_support_issue(s, &server);
	char *phone_path = ca_support_pem(s, "phone.pem", phone_cert);
	char *server_path = ca_support_pem(s, "server.pem", server_cert);

	assert_verifies(s, phone_path, "sslclient", CA_SUPPORT_NOW, ": OK\n");
	assert_verifies(s, phone_path, "sslserver", CA_SUPPORT_NOW, "unsuitable certificate purpose");
	assert_verifies(s, server_path, "sslserver", CA_SUPPORT_NOW, ": OK\n");
	assert_verifies(s, server_path, "nssslserver", CA_SUPPORT_NOW, ": OK\n");
	assert_verifies(s, server_path, "sslclient", CA_SUPPORT_NOW, "unsuitable certificate purpose");
	assert_says(": OK\n", "openssl verify -attime %d -verify_hostname vpn.example.com -CAfile '%s' '%s'",
	    CA_SUPPORT_NOW, s->root_path, server_path);
	free(phone_path);
	free(server_path);
	X509_free(phone_cert);
	X509_free(server_cert);
}

/* A phone that boots in 1970 takes the server's certificate; one second past its end nobody does. */
static void
test_openssl_verifies_from_1970_to_the_end(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "vpn.example.com");
	char *path;
	X509 *cert;

	params.not_after = CA_SUPPORT_NOW + 30 * CA_SUPPORT_DAY;
	cert = ca_support_issue(s, &params);
	path = ca_support_pem(s, "1970.pem", cert);
	assert_says("notBefore=Jan  1 00:00:00 1970 GMT\n", "openssl x509 -noout -dates -in '%s'", path);
	assert_says("notBefore=Jan  1 00:00:00 1970 GMT\n", "openssl x509 -noout -dates -in '%s'", s->root_path);
	assert_verifies(s, path, "sslserver", 1, ": OK\n");
	assert_verifies(s, path, "sslserver", params.not_after - 1, ": OK\n");
	assert_verifies(s, path, "sslserver", params.not_after + 1, "certificate has expired");
	free(path);
	X509_free(cert);
}

static void
check_end(const struct ca_support *s, const char *not_after, const char *asn1)
{
	struct ca_cert_params params = ca_support_params(CA_KIND_ROOT, "Lab CA fedcba9876543210");
	struct err e = ERR_INIT;
	time_t from, to;
	char *path;
	X509 *cert;

	assert_ok(text_time_parse(not_after, "end", &params.not_after, &e), e);
	cert = ca_support_issue(s, &params);
	path = ca_support_pem(s, "end.pem", cert);
	assert_says(asn1, "{ openssl asn1parse -in '%s' | grep TIME; }", path);
	assert_says("UTCTIME           :700101000000Z", "{ openssl asn1parse -in '%s' | grep TIME; }", path);
	assert_ok(ca_cert_validity(cert, &from, &to, &e), e);
	assert_int_equal(from, 0);
	assert_int_equal(to, params.not_after);
	free(path);
	X509_free(cert);
}

/* RFC 5280 section 4.1.2.5: a UTCTime of "50" would be 1950, and the certificate dead at birth. */
static void
test_times_after_2049_are_generalized(void **state)
{
	const struct ca_support *s = *state;

	check_end(s, "2049-12-31T23:59:59Z", "UTCTIME           :491231235959Z");
	check_end(s, "2050-01-01", "GENERALIZEDTIME   :20500101000000Z");
	check_end(s, "2061-03-04T05:06:07Z", "GENERALIZEDTIME   :20610304050607Z");
	check_end(s, "9999-12-31T23:59:59Z", "GENERALIZEDTIME   :99991231235959Z");
}

/* Times that no ASN.1 form of the profile has. */
static void
test_years_before_1950_and_after_9999_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_ROOT, "Lab CA");

	params.not_after = 253402300800; /* 9999-12-31T23:59:59Z and a second */
	ca_support_refused(&params, s->root_key, NULL, NULL, ERR_INPUT, "notAfter (RFC 5280 section 4.1.2.5)");
	params = ca_support_params(CA_KIND_ROOT, "Lab CA");
	params.not_before = -631152001; /* 1950-01-01 less a second */
	ca_support_refused(&params, s->root_key, NULL, NULL, ERR_INPUT, "expected a time from 1950 to 9999");
}

/* A leaf outside the CA's life fails in every client although it looks valid itself. */
static void
test_validity_is_cut_to_the_issuer(void **state)
{
	struct ca_support s = *(struct ca_support *)*state;
	struct ca_cert_params root = ca_support_params(CA_KIND_ROOT, "Lab CA short");
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct err e = ERR_INIT;
	time_t from, to;
	X509 *cert;

	root.not_before = CA_SUPPORT_NOW;
	root.not_after = CA_SUPPORT_NOW + 10 * CA_SUPPORT_DAY;
	s.root = ca_support_issue(&s, &root);

	cert = ca_support_issue(&s, &params);
	assert_ok(ca_cert_validity(cert, &from, &to, &e), e);
	assert_int_equal(from, root.not_before);
	assert_int_equal(to, root.not_after);
	X509_free(cert);

	params.not_before = root.not_before + CA_SUPPORT_DAY;
	params.not_after = root.not_after - CA_SUPPORT_DAY;
	cert = ca_support_issue(&s, &params);
	assert_ok(ca_cert_validity(cert, &from, &to, &e), e);
	assert_int_equal(from, params.not_before);
	assert_int_equal(to, params.not_after);
	X509_free(cert);

	/* All of it after the issuer's end, then all of it before its start. */
	params.not_before = root.not_after;
	params.not_after = root.not_after + CA_SUPPORT_DAY;
	ca_support_refused(&params, s.key, s.root, s.root_key, ERR_INPUT,
	    "certificate for \"" CA_SUPPORT_MAC "\": validity: expected a time within the issuer's, "
	    "2025-11-24T16:00:00Z to 2025-12-04T16:00:00Z, found 2025-12-04T16:00:00Z to 2025-12-05T16:00:00Z");
	params.not_before = 0;
	params.not_after = root.not_before;
	ca_support_refused(&params, s.key, s.root, s.root_key, ERR_INPUT, "expected a time within the issuer's");

	params.not_before = params.not_after;
	ca_support_refused(&params, s.key, s.root, s.root_key, ERR_INPUT,
	    "validity: expected an end after 2025-11-24T16:00:00Z, found 2025-11-24T16:00:00Z");
	X509_free(s.root);
}

/* Issuers and keys that make certificates nobody accepts. */
static void
test_bad_issuers_and_keys_are_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct ca_cert_params root = ca_support_params(CA_KIND_ROOT, "Lab CA");
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	X509 *leaf = ca_support_issue(s, &params);

	ca_support_refused(&params, s->key, leaf, s->key, ERR_INPUT,
	    "expected a CA certificate, found one without CA:TRUE");
	ca_support_refused(&params, s->key, s->root, s->other_key, ERR_INTEGRITY,
	    "issuer's key: expected that of its certificate, found another");
	ca_support_refused(&params, s->key, s->root, ec, ERR_INTEGRITY, "issuer's key");
	ca_support_refused(&params, s->key, NULL, NULL, ERR_INPUT, "issuer: expected a CA certificate and its key");
	ca_support_refused(&params, s->key, s->root, NULL, ERR_INPUT, "issuer: expected a CA certificate and its key");
	ca_support_refused(&params, ec, s->root, s->root_key, ERR_INPUT, "expected RSA, found id-ecPublicKey");
	ca_support_refused(&root, ec, NULL, NULL, ERR_INPUT, "expected RSA, found id-ecPublicKey");
	ca_support_refused(&root, s->key, s->root, s->root_key, ERR_INPUT, "issuer: expected none for a root");
	X509_free(leaf);
	EVP_PKEY_free(ec);
}

/* The root with one extension less, or with another keyUsage, signed anew; the caller frees it. */
static X509 *
changed_root(const struct ca_support *s, int removed, const char *key_usage)
{
	X509 *root = X509_dup(s->root);

	assert_non_null(root);
	X509_EXTENSION_free(X509_delete_ext(root, X509_get_ext_by_NID(root, removed, -1)));
	if (key_usage != NULL) {
		X509_EXTENSION *added = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, key_usage);

		assert_non_null(added);
		assert_int_equal(X509_add_ext(root, added, -1), 1);
		X509_EXTENSION_free(added);
	}
	assert_true(X509_sign(root, s->root_key, EVP_sha256()) > 0);
	return root;
}

/* A CA that says it may not sign certificates: clients refuse what it signs. */
static void
test_issuers_without_the_right_are_refused(void **state)
{
	static const struct {
		int removed;
		const char *key_usage, *part;
	} cases[] = {
		{ NID_basic_constraints, NULL, "expected a CA certificate, found one without CA:TRUE" },
		{ NID_key_usage, "critical,cRLSign",
		    "(RFC 5280 section 4.2.1.3): expected a keyUsage with 0x04, found 0x02" },
		{ NID_subject_key_identifier, NULL, "expected a subjectKeyIdentifier, found none" },
	};
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *root = changed_root(s, cases[i].removed, cases[i].key_usage);

		ca_support_refused(&params, s->key, root, s->root_key, ERR_INPUT, cases[i].part);
		X509_free(root);
	}
}

/* A params that nobody gave a serial, or one that DER makes longer or shorter. */
static void
test_serials_of_another_form_are_refused(void **state)
{
	static const unsigned char first[] = { 0x00, 0x01, 0x3f, 0x80, 0xff };
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);

	for (size_t i = 0; i < sizeof(first); i++) {
		params.serial[0] = first[i];
		ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT,
		    "serial number: expected a first octet from 0x40 to 0x7f, found 0x");
	}
}

/* Two certificates of one serial could not be revoked apart. */
static void
test_serials_are_positive_and_differ(void **state)
{
	unsigned char serials[256][CA_SERIAL_SIZE];
	unsigned int seen = 0;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 256; i++) {
		assert_ok(ca_serial_new(serials[i], &e), e);
		assert_in_range(serials[i][0], 0x40, 0x7f);
		seen |= serials[i][0] & 0x3fu;
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(serials[i], serials[k], CA_SERIAL_SIZE);
	}
	/* All six free bits of the first octet are random. */
	assert_int_equal(seen, 0x3f);
}

/* openssl's hash of a subject is of the form in which names are compared. */
static void
test_same_subject_is_what_openssl_hashes_alike(void **state)
{
	const struct ca_support *s = *state;
	static const struct {
		const char *name;
		bool same;
	} cases[] = { { "Lab CA 1", true }, { "LAB ca 1", true }, { " Lab  CA 1", true }, { "Lab CA 2", false } };
	struct ca_cert_params params = ca_support_params(CA_KIND_ROOT, "Lab CA 1");
	X509 *first = ca_support_issue(s, &params);
	struct buf hash = BUF_INIT(64), other_hash = BUF_INIT(64);

	ca_support_show(s, first, "-subject_hash", &hash);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *other;

		params = ca_support_params(CA_KIND_ROOT, cases[i].name);
		other = ca_support_issue(s, &params);
		buf_clear(&other_hash);
		ca_support_show(s, other, "-subject_hash", &other_hash);
		assert_int_equal(strcmp(buf_string(&hash), buf_string(&other_hash)) == 0, cases[i].same);
		assert_int_equal(ca_cert_same_subject(first, other), cases[i].same);
		X509_free(other);
	}
	X509_free(first);
	buf_release(&hash);
	buf_release(&other_hash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_extensions),
		cmocka_unit_test(test_server_extensions),
		cmocka_unit_test(test_bits_are_der),
		cmocka_unit_test(test_phone_extensions),
		cmocka_unit_test(test_version_signature_and_serial),
		cmocka_unit_test(test_openssl_verifies_each_purpose),
		cmocka_unit_test(test_openssl_verifies_from_1970_to_the_end),
		cmocka_unit_test(test_times_after_2049_are_generalized),
		cmocka_unit_test(test_years_before_1950_and_after_9999_are_refused),
		cmocka_unit_test(test_validity_is_cut_to_the_issuer),
		cmocka_unit_test(test_bad_issuers_and_keys_are_refused),
		cmocka_unit_test(test_issuers_without_the_right_are_refused),
		cmocka_unit_test(test_serials_of_another_form_are_refused),
		cmocka_unit_test(test_serials_are_positive_and_differ),
		cmocka_unit_test(test_same_subject_is_what_openssl_hashes_alike),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
