/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/prime.h"
#include "ca/prime_sieve.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <string.h>

/*
 * Whatever an engine gets wrong is a prime that a mint never finds, or a factor of somebody's key that is none. What
 * libcrypto's BN_check_prime() says is held against all of them. (tests/prime_check.c does so for 100,000 candidates.)
 */
static const unsigned int sizes[] = { 1024, 1536, 2048 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static BIGNUM *
number(const char *hex)
{
	BIGNUM *n = NULL;

	assert_int_not_equal(BN_hex2bn(&n, hex), 0);
	return n;
}

/* Every engine of this CPU, with n in its first lane, in its last, and in all of them. */
static void
check_engines(const BIGNUM *n, bool expected, BN_CTX *ctx)
{
	const unsigned int bits = (unsigned int)BN_num_bits(n);
	const BIGNUM *lanes[CA_ENGINE_LANES_MAX];

	for (size_t i = 0; i < CA_ENGINE_LANES_MAX; i++)
		lanes[i] = n;
	for (const struct ca_engine *const *e = ca_engines(); *e != NULL; e++) {
		const unsigned int all = (1U << (*e)->lanes) - 1;
		unsigned int ret = 99;

		if (!(*e)->supported(bits))
			continue;
		assert_int_equal((*e)->test(lanes, (*e)->lanes, bits, ctx, &ret), 0);
		if (ret != (expected ? all : 0))
			fail_msg("%s, %u bits: %x for %s", (*e)->name, bits, ret, BN_bn2hex(n));
		assert_int_equal((*e)->test(lanes, 1, bits, ctx, &ret), 0);
		assert_int_equal(ret, expected ? 1 : 0);
	}
}

/* As BN_check_prime() says, in the confirmation, too. */
static bool
check_number(const BIGNUM *n, BN_CTX *ctx)
{
	const int prime = BN_check_prime(n, ctx, NULL);
	struct err e = ERR_INIT;
	bool confirmed = false;

	check_engines(n, prime == 1, ctx);
	assert_ok(ca_prime_confirm(n, &confirmed, ctx, &e), e);
	assert_int_equal(confirmed, prime == 1);
	return prime == 1;
}

/* 2^bits - 1 downwards and 3/4 of 2^bits upwards: there carries run through all digits, or none does. */
static void
test_both_ends_of_the_range(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		assert_int_equal(BN_one(n) && BN_lshift(n, n, (int)sizes[i]) && BN_sub_word(n, 1), 1);
		for (int k = 0; k < 64; k++, BN_sub_word(n, 2))
			if (check_number(n, ctx) && sizes[i] == 1024)
				assert_int_equal(k, 52); /* 2^1024 - 105 is the largest prime of 1024 bits */
		assert_int_equal(BN_set_word(n, 3) && BN_lshift(n, n, (int)sizes[i] - 2) && BN_add_word(n, 1), 1);
		for (int k = 0; k < 32; k++, BN_add_word(n, 2))
			check_number(n, ctx);
	}
	BN_free(n);
	BN_CTX_free(ctx);
}

/* Digits of ones and of zeros, in words of 64 bits and of 52, mixed with random ones. */
static void
test_words_of_ones_and_of_zeros(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new(), *run = BN_new();

	(void)state;
	for (size_t i = 0; i < 3 * 16; i++) {
		const int bits = (int)sizes[i % SIZES], word = i % 2 ? 64 : 52;

		assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
		for (int at = 0; at < bits; at += word) {
			unsigned char dice;

			assert_int_equal(BN_rand(run, 8, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY), 1);
			assert_int_equal(BN_bn2binpad(run, &dice, 1), 1);
			for (int k = at; k < at + word && k < bits; k++)
				if (dice % 3 == 0)
					BN_set_bit(n, k);
				else if (dice % 3 == 1)
					BN_clear_bit(n, k);
		}
		BN_set_bit(n, 0);
		BN_set_bit(n, bits - 1);
		BN_set_bit(n, bits - 2);
		check_number(n, ctx);
	}
	BN_free(n);
	BN_free(run);
	BN_CTX_free(ctx);
}

/* The safe primes of RFC 2409 (section 6.2) and RFC 3526, and their neighbours. */
static void
test_known_primes(void **state)
{
	BIGNUM *primes[] = { BN_get_rfc2409_prime_1024(NULL), BN_get_rfc3526_prime_1536(NULL),
		BN_get_rfc3526_prime_2048(NULL) };
	BN_CTX *ctx = BN_CTX_new();

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		assert_true(check_number(primes[i], ctx));
		BN_add_word(primes[i], 2);
		assert_false(check_number(primes[i], ctx));
		BN_sub_word(primes[i], 4);
		assert_false(check_number(primes[i], ctx));
		BN_free(primes[i]);
	}
	BN_CTX_free(ctx);
}

/* (a k + 1) (b k + 1) (c k + 1), or without the third; all its factors are primes. */
struct product {
	const char *what;
	BN_ULONG a, b, c;
	const char *k;
};

static const struct product pseudoprimes[] = {
	{ "Carmichael number (Chernick, 1939), strong to base 5", 6, 12, 18,
	    "3a87fce72be2e1696fc113ccf0ff329c7e1d9952966dc6281fa186e031bdc1210828e5ece779c03099cbf" },
	{ "Carmichael number (Chernick, 1939), strong to base 2", 6, 12, 18,
	    "158d182e566ef27f444bc9e5b2a9c602d0ecaf2f55db89d5b32d43f5367ca6cdc1779d72ae39a09c552b6dc10934621db4ba234bc"
	    "ee013e2390e216c30f2b98a" },
	{ "strong to base 2 (Pomerance, Selfridge and Wagstaff, 1980)", 1, 2, 0,
	    "b3a4b3998a06a400fd0fe60aae8ab148ea598483b4cc4a5f3b5f69cde45ffc399c21fae6fc2434123ad9db0775c87c75447c74d30"
	    "bf2ba9a78c6fc78a5b7d1f4" },
	{ "strong to base 2 (Pomerance, Selfridge and Wagstaff, 1980)", 1, 2, 0,
	    "af0ce0c7518e2cecf0044b8b4392edc758af747943bd720e108b5368566fbfd00dae8d898b19b5ea764dc8148242dbade8b9e0bfa"
	    "bd2ef553976517588b0d6203193d2379eed74d8a7e96e023489ac594cc38f2c9943aa8ec5b37fef2b28f4c8" },
	{ "strong to bases 2, 3, 5, 7, 11 and 13 (Arnault, 1995)", 1, 313, 353,
	    "cd5240f14851c708b60a6f81bcb040b8c6be2a3d6107e262e426cbce18205a56d24d2b7f5da9cf9f7ada" },
};

static void
factor_multiply(BIGNUM *n, const BIGNUM *k, BN_ULONG a, BN_CTX *ctx)
{
	BIGNUM *factor = BN_dup(k);

	if (a == 0)
		assert_int_equal(BN_one(factor), 1);
	else
		assert_int_equal(BN_mul_word(factor, a) && BN_add_word(factor, 1), 1);
	assert_int_equal(a == 0 || BN_check_prime(factor, ctx, NULL) == 1, 1);
	assert_int_equal(BN_mul(n, n, factor, ctx), 1);
	BN_free(factor);
}

/*
 * They pass Fermat's test to base 2, and so an engine has to let them through; a key with such a factor is refused by the
 * random bases. Those of the third kind pass one round in 4, and a confirmation of 4 rounds one time in 256: three times
 * in a row none does.
 */
static void
test_pseudoprimes_are_proposed_and_refused(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(pseudoprimes) / sizeof(pseudoprimes[0]); i++) {
		const struct product *p = &pseudoprimes[i];
		BIGNUM *k = number(p->k), *n = BN_new();
		bool confirmed = true;

		assert_int_equal(BN_one(n), 1);
		factor_multiply(n, k, p->a, ctx);
		factor_multiply(n, k, p->b, ctx);
		factor_multiply(n, k, p->c, ctx);
		assert_int_equal(BN_check_prime(n, ctx, NULL), 0);
		check_engines(n, true, ctx);
		for (int tries = 0; tries < 3 && confirmed; tries++)
			assert_ok(ca_prime_confirm(n, &confirmed, ctx, &e), e);
		if (confirmed)
			fail_msg("confirmed: %s", p->what);
		BN_free(k);
		BN_free(n);
	}
	BN_CTX_free(ctx);
}

static bool
is_small_prime(BN_ULONG d)
{
	for (BN_ULONG k = 2; k * k <= d; k++)
		if (d % k == 0)
			return false;
	return true;
}

/* What the sieve drops is lost, and what it leaves costs an exponentiation: exactly those with a small divisor go. */
static void
test_the_sieve_is_as_division_says(void **state)
{
	BIGNUM *start = BN_new(), *n = BN_new();
	BN_ULONG prime[6541];
	size_t count = 0;

	(void)state;
	for (BN_ULONG d = 3; d < 65536; d += 2)
		if (is_small_prime(d))
			prime[count++] = d;
	assert_int_equal(count, sizeof(prime) / sizeof(prime[0])); /* pi(65536) = 6542, without 2 */
	for (size_t i = 0; i < SIZES; i++) {
		struct ca_sieve *s = ca_sieve_new(sizes[i], 16);
		BN_ULONG left = 0;
		int more;

		assert_non_null(s);
		assert_int_equal(BN_rand(start, (int)sizes[i], BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
		assert_int_equal(ca_sieve_fill(s, start), 0);
		more = ca_sieve_next(s, &left);
		for (BN_ULONG at = 0; at < 2 * CA_SIEVE_WINDOW; at += 2) {
			bool divides = false;

			assert_int_equal(BN_copy(n, start) != NULL && BN_add_word(n, at), 1);
			for (size_t k = 0; k < count && !divides; k++)
				divides = BN_mod_word(n, prime[k]) == 0;
			divides = divides || BN_mod_word(n, 65537) == 1;
			assert_int_equal(more == 0 && left == at, !divides);
			if (!divides)
				more = ca_sieve_next(s, &left);
		}
		assert_int_equal(more, -1);
		ca_sieve_free(s);
	}
	BN_free(start);
	BN_free(n);
}

/* One start, and the same prime from every engine: the first one above it that BN_check_prime() knows. */
static void
test_every_engine_finds_the_first_prime(void **state)
{
	BIGNUM *start = BN_new(), *expected = BN_new(), *p = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(BN_rand(start, 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
	assert_non_null(BN_copy(expected, start));
	while (BN_check_prime(expected, ctx, NULL) != 1 || BN_mod_word(expected, 65537) == 1)
		BN_add_word(expected, 2);
	BN_sub(p, expected, start);
	for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL; engine++) {
		struct ca_prime *s;
		bool found = false, there = BN_get_word(p) < 2 * CA_SIEVE_WINDOW;
		BIGNUM *got;

		if (!(*engine)->supported(1024))
			continue;
		got = BN_new();
		s = ca_prime_new(1024, *engine, &e);
		assert_ok(s == NULL, e);
		assert_string_equal(ca_prime_engine(s)->name, (*engine)->name);
		assert_ok(ca_prime_window(s, start, got, &found, ctx, &e), e);
		assert_int_equal(found, there);
		assert_int_equal(!found || BN_cmp(got, expected) == 0, 1);
		ca_prime_free(s);
		BN_free(got);
	}
	BN_free(start);
	BN_free(expected);
	BN_free(p);
	BN_CTX_free(ctx);
}

/* At the very end of the range the window ends with it: the prime has as many bits as asked for, or there is none. */
static void
test_no_prime_grows_over_its_length(void **state)
{
	BIGNUM *start = BN_new(), *got = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct err e = ERR_INIT;
	struct ca_prime *s = ca_prime_new(1024, NULL, &e);
	bool found = false;

	(void)state;
	assert_ok(s == NULL, e);
	assert_int_equal(BN_one(start) && BN_lshift(start, start, 1024) && BN_sub_word(start, 105), 1);
	assert_ok(ca_prime_window(s, start, got, &found, ctx, &e), e);
	assert_true(found && BN_cmp(start, got) == 0);
	BN_add_word(start, 2);
	assert_ok(ca_prime_window(s, start, got, &found, ctx, &e), e);
	assert_false(found);
	ca_prime_free(s);
	BN_free(start);
	BN_free(got);
	BN_CTX_free(ctx);
}

#ifdef __x86_64__

#define REGISTERS 32 /* of eight words */

/* AVX-512's vector registers. */
__attribute__((noinline, target("avx512f"))) static void
registers_get(uint64_t *ret)
{
	__asm__ volatile(".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
			 "vmovdqu64 %%zmm\\i, 64 * \\i(%0)\n\t"
			 ".endr\n\t"
			 ".irp i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
			 "vmovdqu64 %%zmm\\i, 64 * \\i(%0)\n\t"
			 ".endr"
			 :
			 : "r"(ret)
			 : "memory");
}

/* A digit of 52 bits, as the engine has them. */
static uint64_t
digit_of(const BIGNUM *n, int k)
{
	uint64_t digit = 0;

	for (int bit = 0; bit < 52; bit++)
		digit |= (uint64_t)BN_is_bit_set(n, 52 * k + bit) << bit;
	return digit;
}

/* One of them may be a phone's prime, and the kernel writes the registers into a core dump. */
static void
test_no_register_keeps_a_candidate(void **state)
{
	uint64_t registers[8 * REGISTERS];
	const BIGNUM *lanes[CA_ENGINE_LANES_MAX];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();
	unsigned int ret;

	(void)state;
	if (!ca_engine_ifma8.supported(1024))
		skip();
	for (size_t i = 0; i < SIZES; i++) {
		assert_int_equal(BN_rand(n, (int)sizes[i], BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
		for (size_t lane = 0; lane < CA_ENGINE_LANES_MAX; lane++)
			lanes[lane] = n;
		assert_int_equal(ca_engine_ifma8.test(lanes, CA_ENGINE_LANES_MAX, sizes[i], ctx, &ret), 0);
		registers_get(registers);
		for (int k = 0; k <= (int)sizes[i] / 52; k++)
			for (size_t at = 0; at < sizeof(registers) / sizeof(registers[0]); at++)
				assert_int_not_equal(registers[at], digit_of(n, k));
	}
	BN_free(n);
	BN_CTX_free(ctx);
}

#endif

static void
test_what_cannot_be_done_is_said(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(ca_prime_new(512, NULL, &e) == NULL ? -1 : 0, e, ERR_INPUT,
	    "prime: expected 1024, 1536 or 2048 bits, found 512");
	assert_fails(ca_prime_new(1536, &ca_engine_dual, &e) == NULL ? -1 : 0, e, ERR_INPUT,
	    "primes of 1536 bits: this CPU cannot run engine dual");
	assert_true(ca_engine_portable.supported(1024));
	for (size_t i = 0; i < SIZES; i++)
		assert_true(ca_engine_best(sizes[i])->supported(sizes[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_of_the_range),
		cmocka_unit_test(test_words_of_ones_and_of_zeros),
		cmocka_unit_test(test_known_primes),
		cmocka_unit_test(test_pseudoprimes_are_proposed_and_refused),
		cmocka_unit_test(test_the_sieve_is_as_division_says),
		cmocka_unit_test(test_every_engine_finds_the_first_prime),
		cmocka_unit_test(test_no_prime_grows_over_its_length),
#ifdef __x86_64__
		cmocka_unit_test(test_no_register_keeps_a_candidate),
#endif
		cmocka_unit_test(test_what_cannot_be_done_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
