/* SPDX-License-Identifier: ISC */
#include "ca/prime_engine.h"
#include "common/text.h"

#include <openssl/bn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define THREADS 16
#define CANDIDATES_MAX 100000000
#define BATCH CA_ENGINE_LANES_MAX

/*
 * prime_check BITS CANDIDATES: every engine of this CPU says the same of so many random odd numbers as libcrypto's
 * BN_check_prime(). (That a random number of such a length is a pseudoprime to base 2 has not been seen yet; the unit
 * test has some that were made.) On all processors.
 */
struct work {
	unsigned int bits;
	unsigned long candidates;
	pthread_mutex_t lock;
	unsigned long begun, primes, bad;
};

static bool
batch_next(struct work *w)
{
	bool more;

	pthread_mutex_lock(&w->lock);
	more = w->begun < w->candidates && w->bad == 0;
	w->begun += more ? BATCH : 0;
	pthread_mutex_unlock(&w->lock);
	return more;
}

/* Bit i of *ret: n[i] is a prime. */
static int
batch_ask(const struct ca_engine *engine, const BIGNUM *const *n, unsigned int bits, BN_CTX *ctx, unsigned int *ret)
{
	*ret = 0;
	for (size_t i = 0; i < BATCH; i += engine->lanes) {
		unsigned int some = 0;

		if (engine->test(n + i, engine->lanes, bits, ctx, &some) != 0)
			return -1;
		*ret |= some << i;
	}
	return 0;
}

static int
batch_check(struct work *w, BIGNUM *const *n, BN_CTX *ctx)
{
	const BIGNUM *candidate[BATCH];
	unsigned int expected = 0, found = 0;

	for (size_t i = 0; i < BATCH; i++) {
		if (BN_rand(n[i], (int)w->bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) != 1)
			return -1;
		candidate[i] = n[i];
		if (BN_check_prime(n[i], ctx, NULL) == 1)
			expected |= 1U << i;
	}
	for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL; engine++) {
		if (!(*engine)->supported(w->bits))
			continue;
		if (batch_ask(*engine, candidate, w->bits, ctx, &found) != 0 || found != expected) {
			(void)fprintf(stderr, "%s: expected %02x, found %02x\n", (*engine)->name, expected, found);
			for (size_t i = 0; i < BATCH; i++)
				(void)(fputs("  ", stderr), BN_print_fp(stderr, n[i]), fputs("\n", stderr));
			return -1;
		}
	}
	pthread_mutex_lock(&w->lock);
	w->primes += (unsigned int)__builtin_popcount(expected);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static void *
worker(void *arg)
{
	struct work *w = arg;
	BIGNUM *n[BATCH];
	BN_CTX *ctx = BN_CTX_new();
	bool good = ctx != NULL;

	for (size_t i = 0; i < BATCH; i++)
		n[i] = BN_new();
	while (good && batch_next(w))
		good = batch_check(w, n, ctx) == 0;
	if (!good) {
		pthread_mutex_lock(&w->lock);
		w->bad++;
		pthread_mutex_unlock(&w->lock);
	}
	for (size_t i = 0; i < BATCH; i++)
		BN_free(n[i]);
	BN_CTX_free(ctx);
	return NULL;
}

int
main(int argc, char **argv)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct work w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread[THREADS];
	struct err e = ERR_INIT;
	unsigned long bits;
	int threads = 0;

	if (argc != 3 || text_number(argv[1], 1024, 2048, "bits", &bits, &e) != 0 || bits % 512 != 0 ||
	    text_number(argv[2], 1, CANDIDATES_MAX, "candidates", &w.candidates, &e) != 0) {
		(void)fprintf(stderr, "usage: prime_check 1024|1536|2048 CANDIDATES\n");
		return 2;
	}
	w.bits = (unsigned int)bits;
	while (threads < processors && threads < THREADS && pthread_create(&thread[threads], NULL, worker, &w) == 0)
		threads++;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (threads == 0 || w.bad != 0)
		return 1;
	printf("%lu numbers of %u bits, %lu primes among them:", w.begun, w.bits, w.primes);
	for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL; engine++)
		if ((*engine)->supported(w.bits))
			printf(" %s", (*engine)->name);
	printf(" agree\n");
	return 0;
}
