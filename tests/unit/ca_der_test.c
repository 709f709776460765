/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

/* Certificates as bytes: whole, cut, longer, spoilt, and from other programs. */

#define DER_MAX 8192

static void
not_decoded(const void *der, size_t len, const char *part)
{
	struct err e = ERR_INIT;
	X509 *cert = ca_cert_decode(der, len, &e);
	bool failed = cert == NULL;

	X509_free(cert);
	assert_fails(failed ? -1 : 0, e, ERR_INTEGRITY, part);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The bytes that were stored are the bytes that are handed out. */
static void
test_der_comes_back(void **state)
{
	const struct ca_support *s = *state;
	struct buf der = BUF_INIT(DER_MAX), again = BUF_INIT(DER_MAX), small = BUF_INIT(100);
	struct err e = ERR_INIT;
	X509 *cert;

	assert_ok(ca_cert_encode(s->root, &der, &e), e);
	cert = ca_cert_decode(der.data, der.len, &e);
	assert_ok(cert == NULL, e);
	assert_ok(ca_cert_check(cert, s->root_key, NULL, CA_KIND_ROOT, CA_SUPPORT_NOW, &e), e);
	assert_ok(ca_cert_encode(cert, &again, &e), e);
	assert_int_equal(der.len, again.len);
	assert_memory_equal(der.data, again.data, der.len);
	assert_fails(ca_cert_encode(cert, &small, &e), e, ERR_FAILED, "certificate: expected at most 100 bytes");
	X509_free(cert);
	buf_release(&der);
	buf_release(&again);
	buf_release(&small);
}

/* Cut anywhere, it is no certificate; a byte more, and it is not ours. */
static void
test_truncated_and_longer_der_is_refused(void **state)
{
	const struct ca_support *s = *state;
	struct buf der = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;

	assert_ok(ca_cert_encode(s->root, &der, &e), e);
	not_decoded(NULL, 0, "certificate (RFC 5280 section 4.1): expected DER, found 0 other bytes");
	not_decoded("-----BEGIN CERTIFICATE-----\n", 28, "expected DER, found 28 other bytes");
	for (size_t len = 0; len < der.len; len++) {
		/* Behind the copy is no byte: a sanitizer sees a read past its end. */
		unsigned char *cut = malloc(len + (len == 0));

		assert_non_null(cut);
		memcpy(cut, der.data, len);
		not_decoded(cut, len, "expected DER");
		free(cut);
	}
	buf_add(&der, "\0\0", 2);
	not_decoded(der.data, der.len, "certificate: expected nothing behind its DER, found 2 bytes");
	buf_release(&der);
}

/* No byte of a certificate, however changed, brings the program down. What is accepted of it is its own affair. */
static void
test_changed_bytes_do_no_harm(void **state)
{
	const struct ca_support *s = *state;
	struct buf der = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	X509 *phone = ca_support_issue(s, &params);

	assert_ok(ca_cert_encode(phone, &der, &e), e);
	for (size_t i = 0; i < der.len; i++) {
		unsigned char serial[CA_SERIAL_SIZE], kept = der.data[i];
		time_t from, to;
		X509 *cert;

		der.data[i] ^= i % 2 == 0 ? 0xff : 0x01;
		cert = ca_cert_decode(der.data, der.len, &e);
		if (cert != NULL) {
			(void)ca_cert_serial(cert, serial, &e);
			(void)ca_cert_validity(cert, &from, &to, &e);
			assert_int_equal(ca_cert_check(cert, s->key, s->root, CA_KIND_PHONE, CA_SUPPORT_NOW, &e), -1);
			assert_int_equal(e.code, ERR_INTEGRITY);
		}
		X509_free(cert);
		assert_int_equal(ERR_peek_error(), 0);
		der.data[i] = kept;
	}
	buf_release(&der);
	X509_free(phone);
}

/* easy-rsa counted from 01 once, and takes 16 random octets today: the number is what counts. */
static void
test_shorter_serials_have_zeros_in_front(void **state)
{
	static const struct {
		const char *serial;
		unsigned char last[CA_SERIAL_SIZE];
		size_t len;
	} cases[] = {
		{ "0", { 0 }, 1 },
		{ "1", { 1 }, 1 },
		{ "0x80", { 0x80 }, 1 },
		{ "0x9EE1B46D9208489AA805F43706DB390E",
		    { 0x9e, 0xe1, 0xb4, 0x6d, 0x92, 0x08, 0x48, 0x9a, 0xa8, 0x05, 0xf4, 0x37, 0x06, 0xdb, 0x39, 0x0e },
		    16 },
		{ "0x80000000000000000000000000000000000000", { 0x80 }, 19 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char serial[CA_SERIAL_SIZE], expected[CA_SERIAL_SIZE] = { 0 };
		struct buf der = BUF_INIT(DER_MAX);
		struct err e = ERR_INIT;
		X509 *cert;

		support_shell(&der, NULL,
		    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x "
		    "-set_serial %s -outform DER 2>/dev/null",
		    cases[i].serial);
		cert = ca_cert_decode(der.data, der.len, &e);
		assert_ok(cert == NULL, e);
		assert_ok(ca_cert_serial(cert, serial, &e), e);
		memcpy(expected + CA_SERIAL_SIZE - cases[i].len, cases[i].last, cases[i].len);
		assert_memory_equal(serial, expected, CA_SERIAL_SIZE);
		X509_free(cert);
		buf_release(&der);
	}
}

/* A certificate of another program, whose serial no row of ours can hold. */
static void
test_serials_without_room_are_refused(void **state)
{
	static const struct {
		const char *serial, *part;
	} cases[] = {
		{ "0x400000000000000000000000000000000000000000",
		    "expected a positive number of at most 20 octets, found 21" },
		/* 20 octets of number, 21 in DER. */
		{ "0x8000000000000000000000000000000000000000", "found 21" },
		{ "-0x4000000000000000000000000000000000000001", "found a negative one of 20" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf der = BUF_INIT(DER_MAX);
		unsigned char serial[CA_SERIAL_SIZE] = { 7 };
		struct err e = ERR_INIT;
		X509 *cert;

		support_shell(&der, NULL,
		    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x "
		    "-set_serial %s -outform DER 2>/dev/null",
		    cases[i].serial);
		cert = ca_cert_decode(der.data, der.len, &e);
		assert_ok(cert == NULL, e);
		assert_fails(ca_cert_serial(cert, serial, &e), e, ERR_INTEGRITY, cases[i].part);
		assert_int_equal(serial[0], 7);
		X509_free(cert);
		buf_release(&der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_der_comes_back),
		cmocka_unit_test(test_truncated_and_longer_der_is_refused),
		cmocka_unit_test(test_changed_bytes_do_no_harm),
		cmocka_unit_test(test_shorter_serials_have_zeros_in_front),
		cmocka_unit_test(test_serials_without_room_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
