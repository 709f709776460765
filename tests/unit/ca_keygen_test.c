/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/key.h"
#include "ca/keygen.h"
#include "ca/prime_engine.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#define DER_MAX 8192

static BIGNUM *
member(const EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	return n;
}

/* A bound of FIPS 186-5 A.1.3 on one prime. */
static void
check_prime(const BIGNUM *p, unsigned int bits, BN_CTX *ctx)
{
	BIGNUM *square = BN_new(), *limit = BN_new();

	/* p >= sqrt(2) * 2^(bits - 1) is p^2 >= 2^(2 bits - 1) */
	assert_int_equal(BN_sqr(square, p, ctx) && BN_one(limit) && BN_lshift(limit, limit, 2 * (int)bits - 1), 1);
	assert_int_equal(BN_num_bits(p), bits);
	assert_true(BN_cmp(square, limit) >= 0);
	assert_int_equal(BN_check_prime(p, ctx, NULL), 1);
	assert_int_not_equal(BN_mod_word(p, 65537), 1);
	BN_free(square);
	BN_free(limit);
}

/* d is what libcrypto's own inverse of e modulo lcm(p - 1, q - 1) is, and longer than half of n. */
static void
check_exponent(const BIGNUM *d, const BIGNUM *p, const BIGNUM *q, unsigned int bits, BN_CTX *ctx)
{
	BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *gcd = BN_new(), *lcm = BN_new(), *e = BN_new(), *expected;

	assert_int_equal(BN_sub_word(p1, 1) && BN_sub_word(q1, 1) && BN_gcd(gcd, p1, q1, ctx), 1);
	assert_int_equal(BN_mul(lcm, p1, q1, ctx) && BN_div(lcm, NULL, lcm, gcd, ctx) && BN_set_word(e, 65537), 1);
	expected = BN_mod_inverse(NULL, e, lcm, ctx);
	assert_non_null(expected);
	assert_int_equal(BN_cmp(d, expected), 0);
	assert_true(BN_num_bits(d) > (int)bits / 2);
	BN_free(p1);
	BN_free(q1);
	BN_free(gcd);
	BN_free(lcm);
	BN_free(e);
	BN_free(expected);
}

/* libcrypto checks n, e, d, p, q and the CRT members against each other, and so does the openssl command. */
static void
check_key(EVP_PKEY *key, unsigned int bits)
{
	BIGNUM *d = member(key, OSSL_PKEY_PARAM_RSA_D), *difference = BN_new();
	BIGNUM *p = member(key, OSSL_PKEY_PARAM_RSA_FACTOR1), *q = member(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
	struct buf der = BUF_INIT(DER_MAX), said = BUF_INIT(65536);
	EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);
	BN_CTX *ctx = BN_CTX_new();
	struct err e = ERR_INIT;

	assert_int_equal(EVP_PKEY_get_bits(key), bits);
	assert_int_equal(EVP_PKEY_check(check), 1);
	check_prime(p, bits / 2, ctx);
	check_prime(q, bits / 2, ctx);
	assert_int_equal(BN_sub(difference, p, q), 1);
	assert_true(BN_num_bits(difference) > (int)bits / 2 - 100);
	check_exponent(d, p, q, bits, ctx);
	assert_ok(ca_key_encode(key, &der, &e), e);
	support_shell(&said, &der, "openssl rsa -inform DER -check -noout 2>&1");
	assert_string_equal(buf_string(&said), "RSA key ok\n");
	buf_release(&der);
	buf_release(&said);
	EVP_PKEY_CTX_free(check);
	BN_CTX_free(ctx);
	BN_clear_free(d);
	BN_clear_free(p);
	BN_clear_free(q);
	BN_clear_free(difference);
}

static void
check_maker(unsigned int bits, enum ca_keygen_how how, const struct ca_engine *engine, const char *name, int keys)
{
	struct err e = ERR_INIT;
	struct ca_keygen *g = ca_keygen_new(bits, how, engine, &e);
	EVP_PKEY *before = NULL;

	assert_ok(g == NULL, e);
	assert_string_equal(ca_keygen_name(g), name);
	for (int i = 0; i < keys; i++) {
		EVP_PKEY *key = ca_keygen_next(g, &e);

		assert_ok(key == NULL, e);
		check_key(key, bits);
		assert_int_equal(before != NULL && EVP_PKEY_eq(key, before) == 1, 0);
		EVP_PKEY_free(before);
		before = key;
	}
	EVP_PKEY_free(before);
	ca_keygen_free(g);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The key that is outside of the bounds is the one that somebody factors. */
static void
test_keys_of_every_engine_are_right(void **state)
{
	static const unsigned int sizes[] = { 2048, 3072, 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL; engine++)
			if ((*engine)->supported(sizes[i] / 2))
				check_maker(sizes[i], CA_KEYGEN_NATIVE, *engine, (*engine)->name,
				    sizes[i] == 2048 ? 4 : 1);
}

static void
test_the_fastest_engine_is_taken(void **state)
{
	(void)state;
	check_maker(2048, CA_KEYGEN_NATIVE, NULL, ca_engine_best(1024)->name, 1);
}

/* Whose policy asks for libcrypto's own keys gets those. */
static void
test_the_library_makes_keys_on_request(void **state)
{
	(void)state;
	check_maker(2048, CA_KEYGEN_LIBRARY, NULL, "library", 2);
}

static void
test_what_cannot_be_made_is_said(void **state)
{
	static const enum ca_keygen_how hows[] = { CA_KEYGEN_NATIVE, CA_KEYGEN_LIBRARY };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_fails(ca_keygen_new(1024, hows[i], NULL, &e) == NULL ? -1 : 0, e, ERR_INPUT,
		    "RSA key: expected 2048, 3072 or 4096 bits, found 1024");
	assert_fails(ca_keygen_new(3072, CA_KEYGEN_NATIVE, &ca_engine_dual, &e) == NULL ? -1 : 0, e, ERR_INPUT,
	    "this CPU cannot run engine dual");
	ca_keygen_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_every_engine_are_right),
		cmocka_unit_test(test_the_fastest_engine_is_taken),
		cmocka_unit_test(test_the_library_makes_keys_on_request),
		cmocka_unit_test(test_what_cannot_be_made_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
