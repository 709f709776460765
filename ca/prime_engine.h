/* SPDX-License-Identifier: ISC */
#ifndef CA_PRIME_ENGINE_H
#define CA_PRIME_ENGINE_H

#include "common/err.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What tells composites from probable primes, some candidates at a time: Fermat's test to base 2, 2^(n-1) = 1 mod n. It
 * never refuses a prime, so that nothing is lost by it; the few composites that it lets pass (Pomerance, 1981: rarer than
 * one in 2^60 at these sizes) fall to the random bases of ca_prime_confirm(). So an engine only proposes, and one that
 * computed wrong could waste time but never make a weak key.
 *
 * All compute the same, in time and memory accesses that do not depend on the candidates: one of them will be the secret
 * prime.
 */
#define CA_ENGINE_LANES_MAX 8

struct ca_engine {
	const char *name;
	size_t lanes;	    /* candidates that it takes at once, at best */
	unsigned int sieve; /* the limit for ca_sieve_new() from which on more primes cost more than they save, at 1024 bits */

	/* Does this CPU, with this operating system, run it for primes of so many bits? */
	bool (*supported)(unsigned int bits);

	/*
	 * Test count (1 to lanes) odd numbers, all of the same length bits, a multiple of 512 from 1024 to 2048, with the
	 * two topmost bits set. Bit i of *ret is set where n[i] may be prime. Returns 0, or -1 without memory.
	 */
	int (*test)(const BIGNUM *const *n, size_t count, unsigned int bits, BN_CTX *ctx, unsigned int *ret);
};

/* Fastest first, NULL behind the last: "ifma8", "dual", "portable". Not all need run on this CPU. */
const struct ca_engine *const *ca_engines(void);

/* The fastest one of this CPU for primes of so many bits; never NULL, as "portable" always runs. */
const struct ca_engine *ca_engine_best(unsigned int bits);

/*
 * ifma8: our own, eight candidates in the eight lanes of AVX-512 IFMA. dual: libcrypto's two exponentiations at once,
 * faster than one after the other with AVX-512 IFMA at exactly 1024 bits. portable: libcrypto's, one by one.
 */
extern const struct ca_engine ca_engine_ifma8, ca_engine_dual, ca_engine_portable;

#endif
