/* SPDX-License-Identifier: ISC */
#include "ca/prime_sieve.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BITS_MAX 2048
#define ABREAST 4 /* groups */

/* As many primes as a word holds the product of, so that the start is divided once for all of them. */
struct group {
	uint64_t product;
	uint64_t inverse;      /* -1/product mod 2^64 */
	uint64_t factor;       /* what makes of start / 2^bits the index of the first multiple */
	uint32_t first, count; /* of its primes */
};

struct divisor {
	uint64_t inverse; /* 2^64 / prime */
	uint32_t prime;
};

struct ca_sieve {
	struct divisor *divisor;
	struct group *group;
	size_t divisors, groups;
	size_t words; /* of a start */
	uint64_t start[BITS_MAX / 64];
	uint8_t out[CA_SIEVE_WINDOW]; /* index i is start + 2 i */
	size_t next;
};

/* -1/x mod 2^64, x odd: Newton's iteration from x * x = 1 mod 8. */
static uint64_t
negative_inverse(uint64_t x)
{
	uint64_t y = x;

	for (int right = 3; right < 64; right *= 2)
		y *= 2 - x * y;
	return -y;
}

static uint64_t
product_above(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	return (uint64_t)((unsigned __int128)a * b >> 64);
#else
	const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	const uint64_t middle = a1 * b0 + (a0 * b0 >> 32), rest = a0 * b1 + (uint32_t)middle;

	return a1 * b1 + (middle >> 32) + (rest >> 32);
#endif
}

/* a b / 2^64 modulo the group's product (Montgomery, 1985): a lower half of zeros, and a carry unless it was zero before. */
static uint64_t
group_multiply(const struct group *g, uint64_t a, uint64_t b)
{
	const uint64_t low = a * b;
	const uint64_t r = product_above(a, b) + product_above(low * g->inverse, g->product) + (low != 0);

	return r >= g->product ? r - g->product : r;
}

/* start + 2 i = 0 means i = -start / 2, which is start / 2^bits times -2^(bits - 1); the latter in Montgomery's form. */
static uint64_t
index_factor(const struct group *g, unsigned int bits)
{
	uint64_t r = -g->product % g->product; /* 2^64, which is the form of 1 */

	for (unsigned int bit = BITS_MAX; bit > 0; bit /= 2) {
		r = group_multiply(g, r, r);
		if ((bits - 1) & bit)
			r = r * 2 >= g->product ? r * 2 - g->product : r * 2;
	}
	return g->product - r;
}

/* The sieve of Eratosthenes. */
static int
divisors_make(struct ca_sieve *s, uint32_t limit)
{
	uint8_t *composite = OPENSSL_zalloc(limit);

	/* pi(x) < 1.26 x / ln x (Rosser and Schoenfeld, 1962), and ln x > 6.9 from 2^10 on. */
	s->divisor = OPENSSL_malloc(limit / 5 * sizeof(*s->divisor));
	if (composite == NULL || s->divisor == NULL) {
		OPENSSL_free(composite);
		return -1;
	}
	for (uint32_t i = 3; i < limit; i += 2) {
		if (composite[i])
			continue;
		s->divisor[s->divisors++] = (struct divisor){ .inverse = UINT64_MAX / i, .prime = i };
		for (uint64_t j = (uint64_t)i * i; j < limit; j += 2 * i)
			composite[j] = 1;
	}
	OPENSSL_free(composite);
	return 0;
}

static int
groups_make(struct ca_sieve *s, unsigned int bits)
{
	uint32_t i = 0;

	s->group = OPENSSL_malloc((s->divisors / 3 + ABREAST) * sizeof(*s->group));
	if (s->group == NULL)
		return -1;
	/* The last ones may be empty. */
	for (; i < s->divisors || s->groups % ABREAST != 0; s->groups++) {
		struct group *g = &s->group[s->groups];

		*g = (struct group){ .product = 1, .first = i };
		/* Below 2^63, so that a remainder and a carry fit into a word. */
		for (; i < s->divisors && g->product < (1ULL << 63) / s->divisor[i].prime; i++, g->count++)
			g->product *= s->divisor[i].prime;
		g->inverse = negative_inverse(g->product);
		g->factor = index_factor(g, bits);
	}
	return 0;
}

struct ca_sieve *
ca_sieve_new(unsigned int bits, unsigned int limit)
{
	struct ca_sieve *s = OPENSSL_zalloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->words = bits / 64;
	s->next = CA_SIEVE_WINDOW;
	if (divisors_make(s, 1U << limit) != 0 || groups_make(s, bits) != 0) {
		ca_sieve_free(s);
		return NULL;
	}
	return s;
}

/*
 * The first index that each of the groups' primes divides, modulo their products: a word of the start at a time, and some
 * groups at a time, as each step waits for the one before.
 */
static void
groups_index(const struct ca_sieve *s, const struct group *g, uint64_t *ret)
{
	uint64_t r[ABREAST] = { 0 };

	for (size_t i = 0; i < s->words; i++) {
#pragma GCC unroll 4
		for (int k = 0; k < ABREAST; k++) {
			const uint64_t sum = s->start[i] + r[k];

			r[k] = product_above(sum * g[k].inverse, g[k].product) + (sum < r[k]) + (sum != 0);
		}
	}
	for (int k = 0; k < ABREAST; k++)
		ret[k] = group_multiply(&g[k], r[k], g[k].factor);
}

static uint32_t
divisor_remainder(const struct divisor *d, uint64_t n)
{
	const uint64_t r = n - product_above(n, d->inverse) * d->prime;

	return (uint32_t)(r >= d->prime ? r - d->prime : r);
}

static void
mark(struct ca_sieve *s, uint32_t first, uint32_t step)
{
	for (uint32_t i = first; i < CA_SIEVE_WINDOW; i += step)
		s->out[i] = 1;
}

static void
group_mark(struct ca_sieve *s, const struct group *g, uint64_t index)
{
	for (const struct divisor *d = &s->divisor[g->first]; d < &s->divisor[g->first + g->count]; d++)
		mark(s, divisor_remainder(d, index), d->prime);
}

int
ca_sieve_fill(struct ca_sieve *s, const BIGNUM *start)
{
	const BN_ULONG e = CA_RSA_E, r = BN_mod_word(start, e);
	uint64_t index[ABREAST];

	if (r == (BN_ULONG)-1 ||
	    BN_bn2lebinpad(start, (unsigned char *)s->start, (int)(s->words * sizeof(s->start[0]))) < 0)
		return -1;
	for (size_t i = 0; i < s->words; i++)
		s->start[i] = le64toh(s->start[i]);
	memset(s->out, 0, sizeof(s->out));
	for (size_t i = 0; i < s->groups; i += ABREAST) {
		groups_index(s, &s->group[i], index);
		for (size_t k = 0; k < ABREAST; k++)
			group_mark(s, &s->group[i + k], index[k]);
	}
	OPENSSL_cleanse(index, sizeof(index));
	/* start + 2 i = 1 mod e: (1 - start) / 2. */
	mark(s, (uint32_t)((e + 1 - r) * ((e + 1) / 2) % e), CA_RSA_E);
	s->next = 0;
	return 0;
}

int
ca_sieve_next(struct ca_sieve *s, BN_ULONG *ret)
{
	while (s->next < CA_SIEVE_WINDOW && s->out[s->next])
		s->next++;
	if (s->next == CA_SIEVE_WINDOW)
		return -1;
	*ret = 2 * (BN_ULONG)s->next++;
	return 0;
}

void
ca_sieve_clear(struct ca_sieve *s)
{
	OPENSSL_cleanse(s->start, sizeof(s->start));
	OPENSSL_cleanse(s->out, sizeof(s->out));
	s->next = CA_SIEVE_WINDOW;
}

void
ca_sieve_free(struct ca_sieve *s)
{
	if (s != NULL) {
		OPENSSL_free(s->divisor);
		OPENSSL_free(s->group);
	}
	OPENSSL_clear_free(s, sizeof(*s));
}
