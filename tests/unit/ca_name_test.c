/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "common/text.h"

#include <stdio.h>

/* The names in certificates, good and bad. */

static void
check_host(const struct ca_support *s, const char *host, const char *expected)
{
	struct ca_cert_params params = ca_support_params(CA_KIND_SERVER, "OpenVPN server");
	char text[512];
	X509 *cert;

	params.host = host;
	cert = ca_support_issue(s, &params);
	(void)snprintf(text, sizeof(text), "X509v3 Subject Alternative Name: \n    %s\n", expected);
	ca_support_extension(s, cert, "subjectAltName", text);
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
	check_host(s, "pbx-1.10.example", "DNS:pbx-1.10.example");
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
	ca_support_extension_count(s, cert, 6);
	X509_free(cert);
}

static void
test_bad_hosts_are_refused(void **state)
{
	static const char *const hosts[] = { "", ".", "vpn..example.com", "vpn_1.example.com", ".example.com",
		"vpn.example.com.", "-vpn.example.com", "vpn-.example.com", "300.1.1.1", "192.0.2", "192.0.2.7:1194",
		"[2001:db8::7]", "2001:db8::g", "fe80::1%eth0", "vpn.example.com\n", "b\xc3\xbcro.example",
		"*.example.com", "a b", LABEL_63 "4.example", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 };
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
	ca_support_shows(s, cert, "-subject -nameopt RFC2253,-esc_msb", expected);
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
	ca_support_shows(s, cert, "-subject -nameopt RFC2253", "subject=CN=" CA_SUPPORT_MAC "\n");
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
		cmocka_unit_test(test_server_host_is_address_or_name),
		cmocka_unit_test(test_server_without_a_host_has_no_alternative_name),
		cmocka_unit_test(test_bad_hosts_are_refused),
		cmocka_unit_test(test_names_are_utf8),
		cmocka_unit_test(test_organization_may_be_absent),
		cmocka_unit_test(test_bad_names_are_refused),
		cmocka_unit_test(test_root_names_differ_and_fit),
		cmocka_unit_test(test_bad_root_names_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
