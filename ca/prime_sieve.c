/* SPDX-License-Identifier: ISC */
#include "ca/prime_sieve.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BITS_MAX 2048

/* As many primes as a word holds the product of, so that the start is divided once for all of them. */
struct group {
	uint64_t product;
	uint64_t inverse;      /* -1/product mod 2^64 */
	uint32_t first, count; /* of its primes */
};

struct divisor {
	uint32_t prime;
	uint32_t factor; /* what makes of Montgomery's remainder the first index that is divisible */
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

/* start + 2 i = 0 means i = -start / 2, and start is 2^bits times the remainder: -2^(bits - 1) mod p. */
static uint32_t
index_factor(uint32_t p, unsigned int bits)
{
	uint64_t r = 1;

	for (uint32_t bit = BITS_MAX; bit > 0; bit /= 2) {
		r = r * r % p;
		if ((bits - 1) & bit)
			r = r * 2 % p;
	}
	return p - (uint32_t)r;
}

/* The sieve of Eratosthenes. */
static int
divisors_make(struct ca_sieve *s, uint32_t limit, unsigned int bits)
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
		s->divisor[s->divisors++] = (struct divisor){ i, index_factor(i, bits) };
		for (uint64_t j = (uint64_t)i * i; j < limit; j += 2 * i)
			composite[j] = 1;
	}
	OPENSSL_free(composite);
	return 0;
}

static int
groups_make(struct ca_sieve *s)
{
	uint32_t i = 0;

	s->group = OPENSSL_malloc((s->divisors / 3 + 1) * sizeof(*s->group));
	if (s->group == NULL)
		return -1;
	for (; i < s->divisors; s->groups++) {
		struct group *g = &s->group[s->groups];

		*g = (struct group){ .product = 1, .first = i };
		/* Below 2^63, so that a remainder and a carry fit into a word. */
		for (; i < s->divisors && g->product < (1ULL << 63) / s->divisor[i].prime; i++, g->count++)
			g->product *= s->divisor[i].prime;
		g->inverse = negative_inverse(g->product);
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
	if (divisors_make(s, 1U << limit, bits) != 0 || groups_make(s) != 0) {
		ca_sieve_free(s);
		return NULL;
	}
	return s;
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

/* start / 2^bits modulo the group's product, or that and the product once: a word at a time (Montgomery, 1985). */
static uint64_t
group_remainder(const struct ca_sieve *s, const struct group *g)
{
	uint64_t r = 0;

	for (size_t i = 0; i < s->words; i++) {
		const uint64_t sum = s->start[i] + r;

		/* The lower half of sum + q * product is 0, and there is a carry out of it unless both are. */
		r = product_above(sum * g->inverse, g->product) + (sum < r) + (sum != 0);
	}
	return r;
}

static void
mark(struct ca_sieve *s, uint32_t first, uint32_t step)
{
	for (uint32_t i = first; i < CA_SIEVE_WINDOW; i += step)
		s->out[i] = 1;
}

int
ca_sieve_fill(struct ca_sieve *s, const BIGNUM *start)
{
	const BN_ULONG e = CA_RSA_E, r = BN_mod_word(start, e);

	if (r == (BN_ULONG)-1 ||
	    BN_bn2lebinpad(start, (unsigned char *)s->start, (int)(s->words * sizeof(s->start[0]))) < 0)
		return -1;
	for (size_t i = 0; i < s->words; i++)
		s->start[i] = le64toh(s->start[i]);
	memset(s->out, 0, sizeof(s->out));
	for (size_t i = 0; i < s->groups; i++) {
		const struct group *g = &s->group[i];
		const uint64_t remainder = group_remainder(s, g);

		for (uint32_t k = g->first; k < g->first + g->count; k++) {
			const struct divisor d = s->divisor[k];

			mark(s, (uint32_t)(remainder % d.prime * d.factor % d.prime), d.prime);
		}
	}
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
