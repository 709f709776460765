/* SPDX-License-Identifier: ISC */
#include "ca/keygen.h"

#include "ca/prime.h"
#include "ca/prime_sieve.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#define BITS_MAX 4096

struct ca_keygen {
	unsigned int bits;
	struct ca_prime *prime; /* NULL: LIBRARY */
};

struct ca_keygen *
ca_keygen_new(unsigned int bits, enum ca_keygen_how how, const struct ca_engine *engine, struct err *e)
{
	struct ca_keygen *g;

	if (bits != 2048 && bits != 3072 && bits != BITS_MAX) {
		err_set(e, ERR_INPUT, "RSA key: expected 2048, 3072 or 4096 bits, found %u", bits);
		return NULL;
	}
	g = OPENSSL_zalloc(sizeof(*g));
	if (g == NULL) {
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", bits);
		return NULL;
	}
	g->bits = bits;
	if (how == CA_KEYGEN_LIBRARY)
		return g;
	g->prime = ca_prime_new(bits / 2, engine, e);
	if (g->prime == NULL) {
		ca_keygen_free(g);
		return NULL;
	}
	return g;
}

const char *
ca_keygen_name(const struct ca_keygen *g)
{
	return g->prime == NULL ? "library" : ca_prime_engine(g->prime)->name;
}

void
ca_keygen_free(struct ca_keygen *g)
{
	if (g != NULL)
		ca_prime_free(g->prime);
	OPENSSL_free(g);
}

/* The members of RFC 8017's RSAPrivateKey, in its order; those after the public ones are secrets. */
enum member { N, PUBLIC, D, P, Q, DP, DQ, QINV, MEMBERS };

static const char *const member_name[MEMBERS] = {
	[N] = OSSL_PKEY_PARAM_RSA_N,
	[PUBLIC] = OSSL_PKEY_PARAM_RSA_E,
	[D] = OSSL_PKEY_PARAM_RSA_D,
	[P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
	[QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/*
 * r = 1/e mod m. As r e = 1 + k m, and k = -1/m mod e fits into a word, the long division is one by a word. e is prime, so
 * that 1/m is m^(e - 2) there; e - 2 is sixteen ones.
 */
static int
e_inverse(BIGNUM *r, const BIGNUM *m)
{
	const BN_ULONG left = BN_mod_word(m, CA_RSA_E);
	uint64_t inverse = 1;

	if (left == (BN_ULONG)-1 || left == 0 || BN_copy(r, m) == NULL)
		return -1;
	for (int i = 0; i < 16; i++)
		inverse = inverse * inverse % CA_RSA_E * left % CA_RSA_E;
	if (BN_mul_word(r, CA_RSA_E - (BN_ULONG)inverse) != 1 || BN_add_word(r, 1) != 1 ||
	    BN_div_word(r, CA_RSA_E) != 0)
		return -1;
	return 0;
}

/* r = lcm(p - 1, q - 1) */
static int
lambda(BIGNUM *r, const BIGNUM *p1, const BIGNUM *q1, BN_CTX *ctx)
{
	BIGNUM *gcd, *quotient;
	int rc = -1;

	BN_CTX_start(ctx);
	gcd = BN_CTX_get(ctx);
	quotient = BN_CTX_get(ctx);
	if (quotient != NULL && BN_gcd(gcd, p1, q1, ctx) == 1 && BN_div(quotient, NULL, q1, gcd, ctx) == 1 &&
	    BN_mul(r, p1, quotient, ctx) == 1)
		rc = 0;
	BN_CTX_end(ctx);
	return rc;
}

/* All members from p and q. */
static int
members_compute(BIGNUM *const *m, BN_CTX *ctx)
{
	BIGNUM *p1, *q1, *l;
	int rc = -1;

	BN_CTX_start(ctx);
	p1 = BN_CTX_get(ctx);
	q1 = BN_CTX_get(ctx);
	l = BN_CTX_get(ctx);
	if (l == NULL)
		goto out;
	BN_set_flags(p1, BN_FLG_CONSTTIME);
	BN_set_flags(q1, BN_FLG_CONSTTIME);
	if (BN_sub(p1, m[P], BN_value_one()) != 1 || BN_sub(q1, m[Q], BN_value_one()) != 1 ||
	    lambda(l, p1, q1, ctx) != 0 || e_inverse(m[D], l) != 0 || e_inverse(m[DP], p1) != 0 ||
	    e_inverse(m[DQ], q1) != 0 || BN_mod_inverse(m[QINV], m[Q], m[P], ctx) == NULL ||
	    BN_mul(m[N], m[P], m[Q], ctx) != 1 || BN_set_word(m[PUBLIC], CA_RSA_E) != 1)
		goto out;
	rc = 0;
out:
	BN_CTX_end(ctx);
	return rc;
}

/* a b = 1 mod (modulus - less)? */
static bool
is_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *modulus, BN_ULONG less, BN_CTX *ctx)
{
	BIGNUM *product, *m;
	bool is = false;

	BN_CTX_start(ctx);
	product = BN_CTX_get(ctx);
	m = BN_CTX_get(ctx);
	if (m != NULL && BN_copy(m, modulus) != NULL && BN_sub_word(m, less) == 1) {
		BN_set_flags(m, BN_FLG_CONSTTIME);
		is = BN_mod_mul(product, a, b, m, ctx) == 1 && BN_is_one(product);
	}
	BN_CTX_end(ctx);
	return is;
}

/*
 * What RFC 8017 section 3.2 says of the members, by divisions that had no part in making them: a key that is wrong would
 * show on the phone only, and checking it by a signature costs as much as a twentieth of finding it.
 */
static bool
members_hold(BIGNUM *const *m, BN_CTX *ctx)
{
	return is_inverse(m[D], m[PUBLIC], m[P], 1, ctx) && is_inverse(m[D], m[PUBLIC], m[Q], 1, ctx) &&
	       is_inverse(m[DP], m[PUBLIC], m[P], 1, ctx) && is_inverse(m[DQ], m[PUBLIC], m[Q], 1, ctx) &&
	       is_inverse(m[QINV], m[Q], m[P], 0, ctx);
}

/* FIPS 186-5 A.1.3, step 5.5: |p - q| > 2^(nlen/2 - 100). Then p > q, as is usual. */
static int
primes_order(BIGNUM *const *m, unsigned int bits, bool *ret_apart, BN_CTX *ctx)
{
	BIGNUM *difference;
	int rc = -1;

	BN_CTX_start(ctx);
	difference = BN_CTX_get(ctx);
	if (difference == NULL || BN_sub(difference, m[P], m[Q]) != 1)
		goto out;
	if (BN_is_negative(difference))
		BN_swap(m[P], m[Q]);
	*ret_apart = BN_num_bits(difference) > (int)bits / 2 - 100 + 1;
	rc = 0;
out:
	BN_CTX_end(ctx);
	return rc;
}

/* Two primes and all that follows from them, within the bounds of FIPS 186-5 A.1.1 (d) and A.1.3 (the primes). */
static int
members_find(struct ca_keygen *g, BIGNUM *const *m, BN_CTX *ctx, struct err *e)
{
	bool apart = false;

	do {
		if (ca_prime_find(g->prime, m[P], ctx, e) != 0 || ca_prime_find(g->prime, m[Q], ctx, e) != 0)
			return -1;
		if (primes_order(m, g->bits, &apart, ctx) != 0 || (apart && members_compute(m, ctx) != 0))
			return err_openssl(e, ERR_FAILED, "RSA key of %u bits", g->bits);
	} while (!apart || BN_num_bits(m[D]) <= (int)g->bits / 2);
	if (!members_hold(m, ctx))
		return err_openssl(e, ERR_INTEGRITY,
		    "RSA key of %u bits (RFC 8017 section 3.2): expected members that belong together, found others",
		    g->bits);
	return 0;
}

/* libcrypto makes its own copies, in memory that it cleanses; ours is on the stack, so that we can. */
static EVP_PKEY *
members_key(BIGNUM *const *m, unsigned int bits, struct err *e)
{
	unsigned char bytes[MEMBERS][BITS_MAX / 8];
	OSSL_PARAM params[MEMBERS + 1];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	bool good = ctx != NULL;

	for (int i = 0; i < MEMBERS && good; i++) {
		const int len = i == PUBLIC ? (int)sizeof(uint32_t) : (int)(i == N || i == D ? bits / 8 : bits / 16);

		good = BN_bn2nativepad(m[i], bytes[i], len) == len;
		params[i] = OSSL_PARAM_construct_BN(member_name[i], bytes[i], (size_t)len);
	}
	params[MEMBERS] = OSSL_PARAM_construct_end();
	if (!good || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", bits);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
library_key(unsigned int bits, struct err *e)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	if (key == NULL)
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", bits);
	return key;
}

EVP_PKEY *
ca_keygen_next(struct ca_keygen *g, struct err *e)
{
	BIGNUM *m[MEMBERS];
	BN_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (g->prime == NULL)
		return library_key(g->bits, e);
	/* Its numbers are cleansed when it is freed: one for each key. */
	ctx = BN_CTX_new();
	if (ctx == NULL) {
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", g->bits);
		return NULL;
	}
	BN_CTX_start(ctx);
	for (int i = 0; i < MEMBERS; i++) {
		m[i] = BN_CTX_get(ctx);
		if (m[i] != NULL)
			BN_set_flags(m[i], BN_FLG_CONSTTIME);
	}
	if (m[MEMBERS - 1] == NULL)
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", g->bits);
	else if (members_find(g, m, ctx, e) == 0)
		key = members_key(m, g->bits, e);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return key;
}
