/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/cert.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define MAC "000fd3a1b2c3"

/* openssl's certificate with that subject, as DER. */
static struct buf
make(const char *subject)
{
	struct buf der = BUF_INIT(8192);

	support_shell(&der, NULL,
	    "{ openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -multivalue-rdn -subj '%s' -days 2 2>/dev/null | "
	    "openssl x509 -outform DER; }",
	    subject);
	return der;
}

static void
assert_named(const char *subject, const char *name, bool expected)
{
	struct buf der = make(subject);
	struct err e = ERR_INIT;
	X509 *cert = ca_cert_decode(der.data, der.len, &e);

	assert_non_null(cert);
	assert_int_equal(ca_cert_check_name(cert, name, &e), expected ? 0 : -1);
	assert_int_equal(ca_cert_check_name_der(der.data, der.len, name, &e), expected ? 0 : -1);
	X509_free(cert);
	buf_release(&der);
}

/* One phone would be served another's key, or none be served. */
static void
test_names(void **state)
{
	(void)state;
	assert_named("/O=Lab/CN=" MAC, MAC, true);
	assert_named("/CN=" MAC, MAC, true);
	assert_named("/CN=" MAC "/O=Lab/OU=" MAC, MAC, true);
	assert_named("/O=Lab+CN=" MAC, MAC, true);
	assert_named("/CN=000fd3a1b2c4", MAC, false);
	assert_named("/CN=" MAC "0", MAC, false);
	assert_named("/CN=000fd3a1b2c", MAC, false);
	assert_named("/O=" MAC, MAC, false);
	assert_named("/CN=" MAC "/CN=000fd3a1b2c4", MAC, false); /* which of them? */
	assert_named("/", MAC, false);
}

/* A damaged database would crash the server, or its bytes be taken for a certificate. */
static void
test_damaged(void **state)
{
	struct buf der = make("/O=Lab/CN=" MAC);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t len = 0; len < der.len; len++) {
		/* Of its own size, so that the sanitizer sees a byte too many. */
		unsigned char *cut = malloc(len > 0 ? len : 1);

		assert_non_null(cut);
		memcpy(cut, der.data, len);
		assert_int_equal(ca_cert_check_name_der(cut, len, MAC, &e), -1);
		assert_int_equal(e.code, ERR_INTEGRITY);
		free(cut);
	}
	buf_add(&der, "", 1);
	assert_fails(ca_cert_check_name_der(der.data, der.len, MAC, &e), e, ERR_INTEGRITY, "in DER");
	der.len--;
	for (size_t i = 0; i < der.len && i < 160; i++) {
		for (int bit = 0; bit < 8; bit++) {
			der.data[i] ^= (unsigned char)(1 << bit);
			(void)ca_cert_check_name_der(der.data, der.len, MAC, &e);
			der.data[i] ^= (unsigned char)(1 << bit);
		}
	}
	assert_int_equal(ERR_peek_error(), 0);
	assert_ok(ca_cert_check_name_der(der.data, der.len, MAC, &e), e);
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_damaged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
