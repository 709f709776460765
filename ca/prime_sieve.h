/* SPDX-License-Identifier: ISC */
#ifndef CA_PRIME_SIEVE_H
#define CA_PRIME_SIEVE_H

#include <openssl/bn.h>
#include <stddef.h>

/*
 * A window of odd numbers above a start, without those that a prime below some limit divides, nor those of which one less
 * is a multiple of e = 65537. With 2^16 for a limit, of the rest one in 36 is a prime at 1024 bits, in 54 at 1536, in 72
 * at 2048 (Mertens' third theorem: e^-gamma / ln limit of all numbers are left).
 *
 * The sieve reads and marks at places that depend on the start modulo the primes, as every sieve does, libcrypto's too; the
 * divisions themselves are done by multiplication, and take no longer for one start than for another.
 */
#define CA_SIEVE_WINDOW 4096 /* odd numbers: 11 primes on average at 1024 bits, 6 at 2048 */
#define CA_SIEVE_LIMIT_MAX 20
#define CA_RSA_E 65537 /* the public exponent of all keys */

struct ca_sieve;

/*
 * Its tables, for starts of so many bits, a multiple of 64 up to 2048, and primes below 2^limit, 10 to 20; at 20 they
 * take 15 ms and 2.5 MB. The caller frees it with ca_sieve_free(). NULL without memory.
 */
struct ca_sieve *ca_sieve_new(unsigned int bits, unsigned int limit);

/* Sieve the window of start, which is odd and of that length; its end may lie beyond 2^bits. 0 or -1. */
int ca_sieve_fill(struct ca_sieve *s, const BIGNUM *start);

/* The next number left is start + *ret. 0, or -1 when the window is used up. */
int ca_sieve_next(struct ca_sieve *s, BN_ULONG *ret);

/* Forget the window. */
void ca_sieve_clear(struct ca_sieve *s);

void ca_sieve_free(struct ca_sieve *s);

#endif
