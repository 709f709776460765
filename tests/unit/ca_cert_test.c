/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "common/text.h"

#include <openssl/x509v3.h>
#include <stdio.h>

/* What the certificates say, as the openssl command reads them. Their hostile kin: ca_check_test.c. */

#define X509_MAX 65536

/* "openssl x509 -noout" with further arguments, of one certificate. */
static void
show(const struct ca_support *s, const X509 *cert, const char *arguments, struct buf *out)
{
	char *path = ca_support_pem(s, "shown.pem", cert);

	support_shell(out, NULL, "openssl x509 -noout %s -in '%s'", arguments, path);
	free(path);
}

static void
assert_shows(const struct ca_support *s, const X509 *cert, const char *arguments, const char *expected)
{
	struct buf out = BUF_INIT(X509_MAX);

	show(s, cert, arguments, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* The whole of one extension by its name in -ext, heading included. */
static void
assert_extension(const struct ca_support *s, const X509 *cert, const char *name, const char *expected)
{
	char arguments[64];

	(void)snprintf(arguments, sizeof(arguments), "-ext %s", name);
	assert_shows(s, cert, arguments, expected);
}

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
	assert_extension(s, cert, "subjectKeyIdentifier", expected);
	if (issuer == NULL)
		return;
	key_id(s, issuer, id);
	/* No DirName, no serial: the key id alone. */
	(void)snprintf(expected, sizeof(expected), "X509v3 Authority Key Identifier: \n    %s\n", id);
	assert_extension(s, cert, "authorityKeyIdentifier", expected);
}

/* How many extensions -text lists. */
static void
assert_extension_count(const struct ca_support *s, const X509 *cert, int expected)
{
	struct buf out = BUF_INIT(64);
	char *path = ca_support_pem(s, "count.pem", cert);

	support_shell(&out, NULL,
	    "{ openssl x509 -noout -text -in '%s' | grep -cE '^            (X509v3|Netscape) '; }", path);
	assert_int_equal(strtol(buf_string(&out), NULL, 10), expected);
	buf_release(&out);
	free(path);
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

	assert_extension(s, s->root, "basicConstraints",
	    "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n");
	assert_extension(s, s->root, "keyUsage", "X509v3 Key Usage: critical\n    Certificate Sign, CRL Sign\n");
	assert_key_ids(s, s->root, NULL);
	assert_extension_count(s, s->root, 3);
	assert_shows(s, s->root, "-subject -issuer -nameopt RFC2253",
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

	assert_extension(s, cert, "basicConstraints", "X509v3 Basic Constraints: \n    CA:FALSE\n");
	assert_extension(s, cert, "keyUsage", "X509v3 Key Usage: \n    Digital Signature, Key Encipherment\n");
	assert_extension(s, cert, "extendedKeyUsage",
	    "X509v3 Extended Key Usage: \n    TLS Web Server Authentication\n");
	assert_extension(s, cert, "nsCertType", "Netscape Cert Type: \n    SSL Server\n");
	assert_extension(s, cert, "subjectAltName", "X509v3 Subject Alternative Name: \n    DNS:vpn.example.com\n");
	assert_key_ids(s, cert, s->root);
	assert_extension_count(s, cert, 7);
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

	assert_extension(s, cert, "basicConstraints", "X509v3 Basic Constraints: \n    CA:FALSE\n");
	assert_extension(s, cert, "keyUsage", "X509v3 Key Usage: \n    Digital Signature\n");
	assert_extension(s, cert, "extendedKeyUsage",
	    "X509v3 Extended Key Usage: \n    TLS Web Client Authentication\n");
	assert_key_ids(s, cert, s->root);
	assert_extension_count(s, cert, 5);
	assert_shows(s, cert, "-subject -issuer -nameopt RFC2253",
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
	struct buf text = BUF_INIT(X509_MAX);
	char expected[64] = "serial=", *path;
	struct err e = ERR_INIT;

	show(s, cert, "-text", &text);
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

static void
check_host(const struct ca_support *s, const char *host, const char *expected)
{
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "OpenVPN server");
	char text[512];
	X509 *cert;

	params.host = host;
	cert = ca_support_issue(s, &params);
	(void)snprintf(text, sizeof(text), "X509v3 Subject Alternative Name: \n    %s\n", expected);
	assert_extension(s, cert, "subjectAltName", text);
	X509_free(cert);
}

#define LABEL_63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"

/* An address as a DNS name matches nothing in a client that compares names. */
static void
test_server_host_is_address_or_name(void **state)
{
	const struct ca_support *s = *state;
	/* 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253 */
	const char *longest = LABEL_63 "." LABEL_63 "." LABEL_63
				       ".b23456789-123456789-123456789-123456789-123456789-123456789-1";
	char expected[300];

	check_host(s, "192.0.2.7", "IP Address:192.0.2.7");
	check_host(s, "2001:db8::7", "IP Address:2001:DB8:0:0:0:0:0:7");
	check_host(s, "vpn", "DNS:vpn");
	check_host(s, "VPN-1.example.com", "DNS:VPN-1.example.com");
	check_host(s, "xn--bro-hoa.example", "DNS:xn--bro-hoa.example");
	check_host(s, "pbx_1.10.example", "DNS:pbx_1.10.example");
	assert_int_equal(strlen(longest), 253);
	(void)snprintf(expected, sizeof(expected), "DNS:%s", longest);
	check_host(s, longest, expected);
}

static void
test_server_without_a_host_has_no_alternative_name(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "OpenVPN server");
	X509 *cert;

	params.host = NULL;
	cert = ca_support_issue(s, &params);
	assert_extension_count(s, cert, 6);
	X509_free(cert);
}

static void
test_bad_hosts_are_refused(void **state)
{
	static const char *const hosts[] = { "", ".", "vpn..example.com", ".example.com", "vpn.example.com.",
		"-vpn.example.com", "vpn-.example.com", "300.1.1.1", "192.0.2", "192.0.2.7:1194", "[2001:db8::7]",
		"2001:db8::g", "fe80::1%eth0", "vpn.example.com\n", "b\xc3\xbcro.example", "*.example.com", "a b",
		LABEL_63 "4.example", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 };
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "OpenVPN server");

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		params.host = hosts[i];
		ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT,
		    "subjectAltName (RFC 5280 section 4.2.1.6): expected a DNS name in ASCII or an IP address, found");
	}
}

/* Names of other scripts come out as they went in, at their greatest length too. */
static void
test_names_are_utf8(void **state)
{
	const struct ca_support *s = *state;
	/* 2 * 32 = 64 bytes */
	const char *longest = "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
			      "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
			      "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
			      "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f";
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, longest);
	char expected[256], *path;
	X509 *cert;

	params.organization = "B\xc3\xbcro, \"Nord\"";
	cert = ca_support_issue(s, &params);
	(void)snprintf(expected, sizeof(expected), "subject=CN=%s,O=B\xc3\xbcro\\, \\\"Nord\\\"\n", longest);
	assert_shows(s, cert, "-subject -nameopt RFC2253,-esc_msb", expected);
	path = ca_support_pem(s, "utf8.pem", cert);
	assert_says("UTF8STRING", "{ openssl asn1parse -in '%s' | grep -A1 organizationName | tail -n 1; }", path);
	free(path);
	X509_free(cert);
}

static void
test_organization_may_be_absent(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	X509 *cert;

	params.organization = NULL;
	cert = ca_support_issue(s, &params);
	assert_shows(s, cert, "-subject -nameopt RFC2253", "subject=CN=" CA_SUPPORT_MAC "\n");
	X509_free(cert);
}

/* A line feed in a name could forge a line in the OpenVPN server's log or status file. */
static void
test_bad_names_are_refused(void **state)
{
	static const struct {
		const char *name, *part;
	} cases[] = {
		{ "", "expected 1 to 64 bytes, found none" },
		{ "12345678901234567890123456789012345678901234567890123456789012345",
		    "(RFC 5280 appendix A.1): expected 1 to 64 bytes, found 65" },
		{ "a\nb", "expected UTF-8 without control characters, found \"a?b\"" },
		{ "a\x7f", "expected UTF-8 without control characters" },
		{ "\xc2\x85", "expected UTF-8 without control characters" },
		{ "\xc3", "expected UTF-8 without control characters" },
		{ "\xc0\x80", "expected UTF-8 without control characters" },
		{ "\xed\xa0\x80", "expected UTF-8 without control characters" },
		{ "\xff", "expected UTF-8 without control characters" },
	};
	const struct ca_support *s = *state;
	struct ca_cert_params params;
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		params = ca_support_params(CA_KIND_PHONE, cases[i].name);
		ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT, cases[i].part);
		params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
		params.organization = cases[i].name;
		ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT, cases[i].part);
	}
	(void)snprintf(text, sizeof(text), "certificate for \"%s\": organization", CA_SUPPORT_MAC);
	ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT, text);
	params = ca_support_params(CA_KIND_PHONE, NULL);
	ca_support_refused(&params, s->key, s->root, s->root_key, ERR_INPUT, "common name: expected 1 to 64 bytes");
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
		{ NID_key_usage, NULL, "(RFC 5280 section 4.2.1.3): expected a keyUsage with 0x04, found 0x00" },
		{ NID_key_usage, "critical,cRLSign", "expected a keyUsage with 0x04, found 0x02" },
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

/* Two CAs of one name keep an OpenVPN server from starting. */
static void
test_root_names_differ_and_fit(void **state)
{
	static const struct {
		const char *name, *prefix;
	} cases[] = {
		{ "Lab", "Lab CA " },
		{ "12345678901234567890123456789012345678901234", "12345678901234567890123456789012345678901234 CA " },
		{ "12345678901234567890123456789012345678901234567",
		    "12345678901234567890123456789012345678901234 CA " },
		/* 43 bytes and a letter of two: not half of it. */
		{ "1234567890123456789012345678901234567890123\xc3\xa4!",
		    "1234567890123456789012345678901234567890123 CA " },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char one[CA_NAME_MAX + 1], two[CA_NAME_MAX + 1];
		size_t len = strlen(cases[i].prefix);

		assert_ok(ca_root_name(cases[i].name, one, &e), e);
		assert_ok(ca_root_name(cases[i].name, two, &e), e);
		assert_memory_equal(one, cases[i].prefix, len);
		assert_true(text_is_hex(one + len, 16));
		assert_string_not_equal(one, two);
		assert_true(text_is_clean(one, strlen(one)));
	}
}

static void
test_bad_root_names_are_refused(void **state)
{
	char out[CA_NAME_MAX + 1] = "untouched";
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(ca_root_name("", out, &e), e, ERR_INPUT, "name of the CA: expected 1 to 64 bytes, found none");
	assert_fails(ca_root_name("a\tb", out, &e), e, ERR_INPUT, "without control characters, found \"a?b\"");
	assert_fails(ca_root_name("\xe4", out, &e), e, ERR_INPUT, "expected UTF-8");
	assert_string_equal(out, "untouched");
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
		cmocka_unit_test(test_server_host_is_address_or_name),
		cmocka_unit_test(test_server_without_a_host_has_no_alternative_name),
		cmocka_unit_test(test_bad_hosts_are_refused),
		cmocka_unit_test(test_names_are_utf8),
		cmocka_unit_test(test_organization_may_be_absent),
		cmocka_unit_test(test_bad_names_are_refused),
		cmocka_unit_test(test_bad_issuers_and_keys_are_refused),
		cmocka_unit_test(test_issuers_without_the_right_are_refused),
		cmocka_unit_test(test_serials_of_another_form_are_refused),
		cmocka_unit_test(test_serials_are_positive_and_differ),
		cmocka_unit_test(test_root_names_differ_and_fit),
		cmocka_unit_test(test_bad_root_names_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
