/* SPDX-License-Identifier: ISC */
#include "ca/keygen.h"

#include "ca/prime.h"
#include "ca/prime_sieve.h"
#include "ca/rsa.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

struct ca_keygen {
	unsigned int bits;
	struct ca_prime *prime; /* NULL: LIBRARY */
};

struct ca_keygen *
ca_keygen_new(unsigned int bits, enum ca_keygen_how how, const struct ca_engine *engine, struct err *e)
{
	struct ca_keygen *g;

	if (bits != 2048 && bits != 3072 && bits != 4096) {
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
	if (BN_sub(p1, m[CA_RSA_P], BN_value_one()) != 1 || BN_sub(q1, m[CA_RSA_Q], BN_value_one()) != 1 ||
	    lambda(l, p1, q1, ctx) != 0 || e_inverse(m[CA_RSA_PRIVATE], l) != 0 || e_inverse(m[CA_RSA_DP], p1) != 0 ||
	    e_inverse(m[CA_RSA_DQ], q1) != 0 || BN_mod_inverse(m[CA_RSA_QINV], m[CA_RSA_Q], m[CA_RSA_P], ctx) == NULL ||
	    BN_mul(m[CA_RSA_MODULUS], m[CA_RSA_P], m[CA_RSA_Q], ctx) != 1 ||
	    BN_set_word(m[CA_RSA_PUBLIC], CA_RSA_E) != 1)
		goto out;
	rc = 0;
out:
	BN_CTX_end(ctx);
	return rc;
}

/* FIPS 186-5 A.1.3, step 5.5: |p - q| > 2^(nlen/2 - 100). Then p > q, as is usual. */
static int
primes_order(BIGNUM *const *m, unsigned int bits, bool *ret_apart, BN_CTX *ctx)
{
	BIGNUM *difference;
	int rc = -1;

	BN_CTX_start(ctx);
	difference = BN_CTX_get(ctx);
	if (difference == NULL || BN_sub(difference, m[CA_RSA_P], m[CA_RSA_Q]) != 1)
		goto out;
	if (BN_is_negative(difference))
		BN_swap(m[CA_RSA_P], m[CA_RSA_Q]);
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
		if (ca_prime_find(g->prime, m[CA_RSA_P], ctx, e) != 0 ||
		    ca_prime_find(g->prime, m[CA_RSA_Q], ctx, e) != 0)
			return -1;
		if (primes_order(m, g->bits, &apart, ctx) != 0 || (apart && members_compute(m, ctx) != 0))
			return err_openssl(e, ERR_FAILED, "RSA key of %u bits", g->bits);
	} while (!apart || BN_num_bits(m[CA_RSA_PRIVATE]) <= (int)g->bits / 2);
	return 0;
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
	BIGNUM *m[CA_RSA_MEMBERS];
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
	for (int i = 0; i < CA_RSA_MEMBERS; i++) {
		m[i] = BN_CTX_get(ctx);
		if (m[i] != NULL)
			BN_set_flags(m[i], BN_FLG_CONSTTIME);
	}
	if (m[CA_RSA_MEMBERS - 1] == NULL)
		err_openssl(e, ERR_FAILED, "RSA key of %u bits", g->bits);
	else if (members_find(g, m, ctx, e) == 0)
		key = ca_rsa_key(m, ctx, e);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return key;
}
