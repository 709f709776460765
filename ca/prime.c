/* SPDX-License-Identifier: ISC */
#include "ca/prime.h"

#include "ca/prime_sieve.h"

#include <openssl/crypto.h>

struct ca_prime {
	unsigned int bits;
	const struct ca_engine *engine;
	struct ca_sieve *sieve;
};

/* An exponentiation grows with the third power of the length, a division by small primes with the first. */
static unsigned int
sieve_limit(unsigned int bits, const struct ca_engine *engine)
{
	const unsigned int limit = bits > 1024 ? engine->sieve + 2 : engine->sieve;

	return limit < CA_SIEVE_LIMIT_MAX ? limit : CA_SIEVE_LIMIT_MAX;
}

struct ca_prime *
ca_prime_new(unsigned int bits, const struct ca_engine *engine, struct err *e)
{
	struct ca_prime *s;

	if (bits != 1024 && bits != 1536 && bits != 2048) {
		err_set(e, ERR_INPUT, "prime: expected 1024, 1536 or 2048 bits, found %u", bits);
		return NULL;
	}
	if (engine == NULL)
		engine = ca_engine_best(bits);
	if (!engine->supported(bits)) {
		err_set(e, ERR_INPUT, "primes of %u bits: this CPU cannot run engine %s", bits, engine->name);
		return NULL;
	}
	s = OPENSSL_zalloc(sizeof(*s));
	if (s != NULL)
		s->sieve = ca_sieve_new(bits, sieve_limit(bits, engine));
	if (s == NULL || s->sieve == NULL) {
		err_openssl(e, ERR_FAILED, "prime of %u bits", bits);
		ca_prime_free(s);
		return NULL;
	}
	s->bits = bits;
	s->engine = engine;
	return s;
}

const struct ca_engine *
ca_prime_engine(const struct ca_prime *s)
{
	return s->engine;
}

void
ca_prime_free(struct ca_prime *s)
{
	if (s != NULL)
		ca_sieve_free(s->sieve);
	OPENSSL_free(s);
}

/* FIPS 186-5, table B.1 */
unsigned int
ca_prime_rounds(unsigned int bits)
{
	return bits < 1536 ? 5 : 4;
}

/* n - 1 = 2^twos * odd, and what the rounds share. */
struct miller_rabin {
	const BIGNUM *n;
	BIGNUM *minus_one, *odd, *bases;
	int twos;
	BN_MONT_CTX *mont;
	BN_CTX *ctx;
};

static int
miller_rabin_init(struct miller_rabin *m, const BIGNUM *n, BN_CTX *ctx)
{
	*m = (struct miller_rabin){
		.n = n,
		.minus_one = BN_CTX_get(ctx),
		.odd = BN_CTX_get(ctx),
		.bases = BN_CTX_get(ctx),
		.twos = 1,
		.mont = BN_MONT_CTX_new(),
		.ctx = ctx,
	};

	if (m->bases == NULL || m->mont == NULL || BN_MONT_CTX_set(m->mont, n, ctx) != 1 ||
	    BN_copy(m->minus_one, n) == NULL || BN_sub_word(m->minus_one, 1) != 1 || BN_copy(m->bases, n) == NULL ||
	    BN_sub_word(m->bases, 3) != 1)
		return -1;
	while (!BN_is_bit_set(m->minus_one, m->twos))
		m->twos++;
	return BN_rshift(m->odd, m->minus_one, m->twos) == 1 ? 0 : -1;
}

/* z = base^odd: is it, or one of the squares that lead from it to base^(n - 1), what it must be if n is prime? */
static int
round_passes(const struct miller_rabin *m, BIGNUM *z, bool *ret)
{
	*ret = BN_is_one(z) || BN_cmp(z, m->minus_one) == 0;
	for (int i = 1; i < m->twos && !*ret; i++) {
		if (BN_mod_sqr(z, z, m->n, m->ctx) != 1)
			return -1;
		*ret = BN_cmp(z, m->minus_one) == 0;
	}
	return 0;
}

/* One round or two with bases from 2 to n - 2: with AVX-512 IFMA two cost hardly more than one. */
static int
rounds_pass(const struct miller_rabin *m, unsigned int count, bool *ret)
{
	BIGNUM *base[2], *z[2];
	bool passes[2] = { false, true };
	int rc = -1;

	BN_CTX_start(m->ctx);
	for (unsigned int i = 0; i < count; i++) {
		base[i] = BN_CTX_get(m->ctx);
		z[i] = BN_CTX_get(m->ctx);
		if (z[i] == NULL || BN_priv_rand_range(base[i], m->bases) != 1 || BN_add_word(base[i], 2) != 1)
			goto out;
	}
	if (count == 1 && BN_mod_exp_mont_consttime(z[0], base[0], m->odd, m->n, m->ctx, m->mont) != 1)
		goto out;
	if (count == 2 && BN_mod_exp_mont_consttime_x2(z[0], base[0], m->odd, m->n, m->mont, z[1], base[1], m->odd,
			      m->n, m->mont, m->ctx) != 1)
		goto out;
	for (unsigned int i = 0; i < count; i++)
		if (round_passes(m, z[i], &passes[i]) != 0)
			goto out;
	*ret = passes[0] && passes[1];
	rc = 0;
out:
	BN_CTX_end(m->ctx);
	return rc;
}

int
ca_prime_confirm(const BIGNUM *n, bool *ret, BN_CTX *ctx, struct err *e)
{
	const unsigned int bits = (unsigned int)BN_num_bits(n), rounds = ca_prime_rounds(bits);
	struct miller_rabin m;
	bool passes = true;
	int rc;

	BN_CTX_start(ctx);
	rc = miller_rabin_init(&m, n, ctx);
	for (unsigned int i = 0; i < rounds && passes && rc == 0; i += 2)
		rc = rounds_pass(&m, i + 1 < rounds ? 2 : 1, &passes);
	BN_MONT_CTX_free(m.mont);
	BN_CTX_end(ctx);
	if (rc != 0)
		return err_openssl(e, ERR_FAILED, "prime of %u bits: Miller-Rabin", bits);
	*ret = passes;
	return 0;
}

/* Up to so many numbers that the sieve left; fewer at the end of the window. Returns how many, or -1. */
static int
candidates(struct ca_prime *s, const BIGNUM *start, BIGNUM *const *n)
{
	size_t count = 0;
	BN_ULONG offset;

	while (count < s->engine->lanes && ca_sieve_next(s->sieve, &offset) == 0) {
		if (BN_copy(n[count], start) == NULL || BN_add_word(n[count], offset) != 1)
			return -1;
		if ((unsigned int)BN_num_bits(n[count]) != s->bits)
			break;
		count++;
	}
	return (int)count;
}

/* The next batch of candidates; *left tells whether there was any. */
static int
batch_test(struct ca_prime *s, const BIGNUM *start, BIGNUM *const *n, BIGNUM *ret, bool *left, bool *found, BN_CTX *ctx,
    struct err *e)
{
	const BIGNUM *tested[CA_ENGINE_LANES_MAX];
	const int count = candidates(s, start, n);
	unsigned int proposed = 0;

	*left = count > 0;
	if (count == 0)
		return 0;
	for (int i = 0; i < count; i++)
		tested[i] = n[i];
	if (count < 0 || s->engine->test(tested, (size_t)count, s->bits, ctx, &proposed) != 0)
		return err_openssl(e, ERR_FAILED, "prime of %u bits: engine %s", s->bits, s->engine->name);
	for (int i = 0; i < count && !*found; i++) {
		if ((proposed >> i & 1) == 0)
			continue;
		if (ca_prime_confirm(n[i], found, ctx, e) != 0)
			return -1;
		if (*found && BN_copy(ret, n[i]) == NULL)
			return err_openssl(e, ERR_FAILED, "prime of %u bits", s->bits);
	}
	return 0;
}

int
ca_prime_window(struct ca_prime *s, const BIGNUM *start, BIGNUM *ret, bool *found, BN_CTX *ctx, struct err *e)
{
	BIGNUM *n[CA_ENGINE_LANES_MAX];
	bool left = true;
	int rc = -1;

	*found = false;
	BN_CTX_start(ctx);
	for (size_t i = 0; i < CA_ENGINE_LANES_MAX; i++) {
		n[i] = BN_CTX_get(ctx);
		if (n[i] != NULL)
			BN_set_flags(n[i], BN_FLG_CONSTTIME);
	}
	if (n[CA_ENGINE_LANES_MAX - 1] == NULL || ca_sieve_fill(s->sieve, start) != 0) {
		err_openssl(e, ERR_FAILED, "prime of %u bits: sieve", s->bits);
		goto out;
	}
	while (left && !*found)
		if (batch_test(s, start, n, ret, &left, found, ctx, e) != 0)
			goto out;
	rc = 0;
out:
	ca_sieve_clear(s->sieve);
	BN_CTX_end(ctx);
	return rc;
}

int
ca_prime_find(struct ca_prime *s, BIGNUM *ret, BN_CTX *ctx, struct err *e)
{
	BIGNUM *start;
	bool found = false;
	int rc = 0;

	BN_CTX_start(ctx);
	start = BN_CTX_get(ctx);
	while (rc == 0 && !found) {
		if (start == NULL || BN_priv_rand(start, (int)s->bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) != 1)
			rc = err_openssl(e, ERR_FAILED, "prime of %u bits: random start", s->bits);
		else
			rc = ca_prime_window(s, start, ret, &found, ctx, e);
	}
	BN_CTX_end(ctx);
	return rc;
}
