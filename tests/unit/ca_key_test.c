/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/key.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DER_MAX 8192

static EVP_PKEY *
generate(unsigned int bits)
{
	struct err e = ERR_INIT;
	EVP_PKEY *key = ca_key_generate(bits, CA_KEYGEN_NATIVE, &e);

	assert_ok(key == NULL, e);
	return key;
}

static void
encode(EVP_PKEY *key, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_ok(ca_key_encode(key, out, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
refused(const void *der, size_t len, const char *part)
{
	struct err e = ERR_INIT;
	EVP_PKEY *key = ca_key_decode(der, len, &e);
	bool failed = key == NULL;

	EVP_PKEY_free(key);
	assert_fails(failed ? -1 : 0, e, ERR_INTEGRITY, part);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A key that another program takes for broken, or that has another length than asked for, is of no use to anyone. */
static void
check_size(unsigned int bits)
{
	struct buf der = BUF_INIT(DER_MAX), said = BUF_INIT(65536);
	EVP_PKEY *key = generate(bits);
	char size[64];

	encode(key, &der);
	support_shell(&said, &der, "openssl pkey -inform DER -noout -text -check 2>&1");
	(void)snprintf(size, sizeof(size), "Private-Key: (%u bit, 2 primes)", bits);
	assert_non_null(strstr(buf_string(&said), size));
	assert_non_null(strstr(buf_string(&said), "publicExponent: 65537 (0x10001)"));
	assert_non_null(strstr(buf_string(&said), "Key is valid"));
	buf_release(&der);
	buf_release(&said);
	EVP_PKEY_free(key);
}

static void
test_openssl_finds_every_size_valid(void **state)
{
	(void)state;
	check_size(2048);
	check_size(3072);
	check_size(4096);
}

/* A mistyped size must not make a weak key, nor one that a phone cannot load. */
static void
test_other_sizes_are_refused(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 1024, 2047, 2049, 8192, 4294967295u };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_fails(ca_key_generate(sizes[i], CA_KEYGEN_NATIVE, &e) == NULL ? -1 : 0, e, ERR_INPUT,
		    "RSA key: expected 2048, 3072 or 4096 bits, found");
}

/* Two phones with one key: whoever opens one of them can be the other. */
static void
test_two_keys_differ(void **state)
{
	EVP_PKEY *a = generate(2048), *b = generate(2048);

	(void)state;
	assert_int_equal(EVP_PKEY_eq(a, b), 0);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
}

/* What is stored comes back as the same key, and its bytes are those that the openssl command writes. */
static void
test_encoding_is_pkcs8_and_comes_back(void **state)
{
	struct buf der = BUF_INIT(DER_MAX), theirs = BUF_INIT(DER_MAX), again = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	EVP_PKEY *key = generate(2048), *back;

	(void)state;
	encode(key, &der);
	support_shell(&theirs, &der, "openssl pkcs8 -topk8 -nocrypt -inform DER -outform DER");
	assert_int_equal(der.len, theirs.len);
	assert_memory_equal(der.data, theirs.data, der.len);

	back = ca_key_decode(der.data, der.len, &e);
	assert_ok(back == NULL, e);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(EVP_PKEY_eq(key, back), 1);
	encode(back, &again);
	assert_int_equal(der.len, again.len);
	assert_memory_equal(der.data, again.data, der.len);

	EVP_PKEY_free(key);
	EVP_PKEY_free(back);
	buf_release(&der);
	buf_release(&theirs);
	buf_release(&again);
}

/* A key cut off by a full disk is never taken for a key; bytes behind it neither. */
static void
test_truncated_and_longer_der_is_refused(void **state)
{
	struct buf der = BUF_INIT(DER_MAX);
	EVP_PKEY *key = generate(2048);

	(void)state;
	encode(key, &der);
	refused(NULL, 0, "expected PKCS#8 DER, found 0 other bytes");
	for (size_t len = 0; len < der.len; len += len < 64 ? 1 : 37) {
		/* Behind the copy is no byte: a sanitizer sees a read past its end. */
		unsigned char *cut = malloc(len + (len == 0));

		assert_non_null(cut);
		memcpy(cut, der.data, len);
		refused(cut, len, "expected PKCS#8 DER");
		free(cut);
	}
	buf_add(&der, "", 1);
	refused(der.data, der.len, "expected nothing behind the PKCS#8 structure, found 1 bytes");
	buf_release(&der);
	EVP_PKEY_free(key);
}

/* One bit of a key that has changed makes signatures that give its primes away, or none that anybody takes. */
static void
test_every_damaged_byte_is_refused(void **state)
{
	/* Behind the headers of PrivateKeyInfo (RFC 5208) and RSAPrivateKey (RFC 8017), and its own. */
	const size_t version = 26 + 4 + 2;
	struct buf der = BUF_INIT(DER_MAX);

	(void)state;
	support_shell(&der, NULL, "{ openssl genrsa 2048 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -outform DER; }");
	for (size_t i = version; i < der.len; i++) {
		der.data[i] ^= 1;
		refused(der.data, der.len, "private key");
		der.data[i] ^= 1;
	}
	der.data[der.len - 1] ^= 1;
	refused(der.data, der.len,
	    "private key: RSA key of 2048 bits (RFC 8017 section 3.2): expected members that belong together");
	buf_release(&der);
}

/* A CA that was imported may have any of these, and goes on signing with it. */
static void
test_keys_of_others_are_taken_and_come_back(void **state)
{
	static const char *const commands[] = {
		"openssl genrsa 1024",
		"openssl genrsa -3 2048",
		"openssl genrsa 2056",
		"openssl genrsa -primes 3 2048",
		"openssl ecparam -name prime256v1 -genkey -noout",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct buf der = BUF_INIT(DER_MAX), again = BUF_INIT(DER_MAX);
		struct err e = ERR_INIT;
		EVP_PKEY *key;

		support_shell(&der, NULL, "{ %s 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -outform DER; }",
		    commands[i]);
		key = ca_key_decode(der.data, der.len, &e);
		assert_ok(key == NULL, e);
		assert_int_equal(ERR_peek_error(), 0);
		encode(key, &again);
		assert_int_equal(again.len, der.len);
		assert_memory_equal(again.data, der.data, der.len);
		EVP_PKEY_free(key);
		buf_release(&der);
		buf_release(&again);
	}
}

/* Each is a key file that an admin has at hand, and none of them works in the phone. */
static void
test_other_keys_are_refused(void **state)
{
	static const struct {
		const char *command, *part;
	} cases[] = {
		{ "openssl genpkey -algorithm ED25519 -outform DER", "expected RSA or EC, found ED25519" },
		{ "openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 -outform DER 2>/dev/null",
		    "expected RSA or EC, found RSASSA-PSS" },
		{ "openssl genrsa -traditional 1024 2>/dev/null | openssl rsa -traditional -outform DER 2>/dev/null",
		    "expected PKCS#8 DER" },
		{ "openssl genrsa 1024 2>/dev/null | openssl pkcs8 -topk8 -passout pass:x -outform DER",
		    "expected PKCS#8 DER" },
		{ "openssl genrsa 1024 2>/dev/null | openssl pkey -pubout -outform DER", "expected PKCS#8 DER" },
		{ "openssl genpkey -algorithm ED25519", "expected PKCS#8 DER" },
		{ "echo not a key", "expected PKCS#8 DER" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf der = BUF_INIT(DER_MAX);

		/* In braces: support_shell() sets the last command's standard input. */
		support_shell(&der, NULL, "{ %s; }", cases[i].command);
		refused(der.data, der.len, cases[i].part);
		buf_release(&der);
	}
}

/* Half a key must not be stored as if it were whole. */
static void
test_public_key_alone_is_not_encoded(void **state)
{
	struct buf der = BUF_INIT(DER_MAX), out = BUF_INIT(DER_MAX);
	const unsigned char *p;
	struct err e = ERR_INIT;
	EVP_PKEY *key;

	(void)state;
	support_shell(&der, NULL, "{ openssl genrsa 1024 2>/dev/null | openssl pkey -pubout -outform DER; }");
	p = der.data;
	key = d2i_PUBKEY(NULL, &p, (long)der.len);
	assert_non_null(key);
	assert_fails(ca_key_encode(key, &out, &e), e, ERR_FAILED, "private key: encoding as PKCS#8");
	assert_int_equal(out.len, 0);
	assert_int_equal(ERR_peek_error(), 0);
	EVP_PKEY_free(key);
	buf_release(&der);
	buf_release(&out);
}

/* A buffer that is too small is an error, not half a key. */
static void
test_buffer_too_small_is_an_error(void **state)
{
	struct buf out = BUF_INIT(1000);
	struct err e = ERR_INIT;
	EVP_PKEY *key = generate(2048);

	(void)state;
	assert_fails(ca_key_encode(key, &out, &e), e, ERR_FAILED, "private key: expected at most 1000 bytes");
	EVP_PKEY_free(key);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_finds_every_size_valid),
		cmocka_unit_test(test_other_sizes_are_refused),
		cmocka_unit_test(test_two_keys_differ),
		cmocka_unit_test(test_encoding_is_pkcs8_and_comes_back),
		cmocka_unit_test(test_truncated_and_longer_der_is_refused),
		cmocka_unit_test(test_every_damaged_byte_is_refused),
		cmocka_unit_test(test_keys_of_others_are_taken_and_come_back),
		cmocka_unit_test(test_other_keys_are_refused),
		cmocka_unit_test(test_public_key_alone_is_not_encoded),
		cmocka_unit_test(test_buffer_too_small_is_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
