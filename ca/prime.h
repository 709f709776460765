/* SPDX-License-Identifier: ISC */
#ifndef CA_PRIME_H
#define CA_PRIME_H

#include "ca/prime_engine.h"
#include "common/err.h"

#include <openssl/bn.h>
#include <stdbool.h>

/*
 * Random primes for RSA keys of twice their bits, as FIPS 186-5 A.1.3 wants them: with the two topmost bits set, so that
 * p >= 1.5 * 2^(bits - 1) > sqrt(2) * 2^(bits - 1), and gcd(p - 1, 65537) = 1.
 *
 * Search: a start is drawn from libcrypto's private random generator (RAND_priv_bytes(3)); the window above it is sieved
 * (ca/prime_sieve.h); an engine tests what is left in ascending order (ca/prime_engine.h), and the first number that it
 * proposes and that ca_prime_confirm() confirms is the prime. A window without one is given up for a new start.
 *
 * Entropy: A.1.3 draws a new number for every candidate, while this, as libcrypto's BN_generate_prime_ex(), goes on from
 * one start. A prime is then the likelier, the wider the gap below it. The window bounds that: of the 2^(bits - 3)
 * starts at most CA_SIEVE_WINDOW, 2^12, lead to the same prime, so that the min-entropy is at least bits - 15 (for 1024
 * bits 1009, where all primes of the range have 1012); with random gaps the mean loss is 0.6 bits.
 *
 * Error: the rounds are at least those of FIPS 186-5 table B.1, which stand for 2^-112 at 1024 bits and 2^-128 above. They
 * rest on Damgaard, Landrock and Pomerance (1993) for candidates drawn one by one: p(1024, 5) < 2^-120, p(1536, 4) <
 * 2^-133, p(2048, 4) < 2^-157. For a window the sum over its candidates counts, which is 12 times as much at most (the
 * window's mean number of primes), and the range without the two topmost bits' other values twice as much: 4.6 bits.
 *
 * Secrets: what is exponentiated is, in time and memory accesses, independent of the candidates. The sieve is not, nor is
 * the number of candidates that were tested. All of a search is cleansed when it ends; numbers of ctx when it is freed.
 */

struct ca_prime;

/*
 * What a search for primes of 1024, 1536 or 2048 bits needs; it belongs to one thread. engine NULL is the fastest of this
 * CPU. The caller frees it with ca_prime_free(). NULL on failure.
 */
struct ca_prime *ca_prime_new(unsigned int bits, const struct ca_engine *engine, struct err *e);

/* A new prime. 0 or -1. */
int ca_prime_find(struct ca_prime *s, BIGNUM *ret, BN_CTX *ctx, struct err *e);

/* The first prime p of the window of start (see ca_sieve_fill()); *found tells whether there is one. 0 or -1. */
int ca_prime_window(struct ca_prime *s, const BIGNUM *start, BIGNUM *ret, bool *found, BN_CTX *ctx, struct err *e);

/*
 * Miller and Rabin's test of an odd n > 3 with random bases and libcrypto's exponentiation: FIPS 186-5 B.3.1, in
 * ca_prime_rounds() rounds. *ret is false for a composite. 0 or -1. (BN_check_prime() cannot be asked for fewer than 64.)
 */
int ca_prime_confirm(const BIGNUM *n, bool *ret, BN_CTX *ctx, struct err *e);

unsigned int ca_prime_rounds(unsigned int bits);

const struct ca_engine *ca_prime_engine(const struct ca_prime *s);

void ca_prime_free(struct ca_prime *s);

#endif
