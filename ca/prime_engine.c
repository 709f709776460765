/* SPDX-License-Identifier: ISC */
#include "ca/prime_engine.h"

/*
 * The base is n - 2, not 2, and the exponent is even, so that the result is the same: libcrypto has its fast paths for
 * 1024 bits only where the base is as long as the modulus.
 */
static int
operands(const BIGNUM *n, BIGNUM *base, BIGNUM *exponent)
{
	if (BN_copy(base, n) == NULL || BN_sub_word(base, 2) != 1 || BN_copy(exponent, n) == NULL ||
	    BN_sub_word(exponent, 1) != 1)
		return -1;
	return 0;
}

static bool
portable_supported(unsigned int bits)
{
	(void)bits;
	return true;
}

static int
portable_test(const BIGNUM *const *n, size_t count, unsigned int bits, BN_CTX *ctx, unsigned int *ret)
{
	BIGNUM *base, *exponent, *r;
	int rc = -1;

	(void)bits, (void)count;
	BN_CTX_start(ctx);
	base = BN_CTX_get(ctx);
	exponent = BN_CTX_get(ctx);
	r = BN_CTX_get(ctx);
	if (r == NULL || operands(n[0], base, exponent) != 0 ||
	    BN_mod_exp_mont_consttime(r, base, exponent, n[0], ctx, NULL) != 1)
		goto out;
	*ret = BN_is_one(r) ? 1 : 0;
	rc = 0;
out:
	BN_CTX_end(ctx);
	return rc;
}

/* What libcrypto's rsaz_avx512ifma_eligible() asks for; elsewhere it exponentiates one by one, as "portable" does. */
static bool
dual_supported(unsigned int bits)
{
#if defined(__x86_64__) && defined(__GNUC__)
	return bits == 1024 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
#else
	(void)bits;
	return false;
#endif
}

static int
dual_test(const BIGNUM *const *n, size_t count, unsigned int bits, BN_CTX *ctx, unsigned int *ret)
{
	BIGNUM *base[2], *exponent[2], *r[2];
	int rc = -1;

	if (count < 2)
		return portable_test(n, count, bits, ctx, ret);
	BN_CTX_start(ctx);
	for (int i = 0; i < 2; i++) {
		base[i] = BN_CTX_get(ctx);
		exponent[i] = BN_CTX_get(ctx);
		r[i] = BN_CTX_get(ctx);
		if (r[i] == NULL || operands(n[i], base[i], exponent[i]) != 0)
			goto out;
	}
	if (BN_mod_exp_mont_consttime_x2(r[0], base[0], exponent[0], n[0], NULL, r[1], base[1], exponent[1], n[1], NULL,
		ctx) != 1)
		goto out;
	*ret = (BN_is_one(r[0]) ? 1U : 0) | (BN_is_one(r[1]) ? 2U : 0);
	rc = 0;
out:
	BN_CTX_end(ctx);
	return rc;
}

const struct ca_engine ca_engine_dual = {
	.name = "dual",
	.lanes = 2,
	.sieve = 19,
	.supported = dual_supported,
	.test = dual_test,
};

const struct ca_engine ca_engine_portable = {
	.name = "portable",
	.lanes = 1,
	.sieve = 20,
	.supported = portable_supported,
	.test = portable_test,
};

const struct ca_engine *const *
ca_engines(void)
{
	static const struct ca_engine *const engines[] = {
		&ca_engine_ifma8,
		&ca_engine_dual,
		&ca_engine_portable,
		NULL,
	};

	return engines;
}

const struct ca_engine *
ca_engine_best(unsigned int bits)
{
	const struct ca_engine *const *engine = ca_engines();

	while (!(*engine)->supported(bits))
		engine++;
	return *engine;
}
