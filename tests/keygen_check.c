/* SPDX-License-Identifier: ISC */
#include "ca/key.h"
#include "ca/keygen.h"
#include "ca/prime_engine.h"
#include "common/text.h"

#include <gnutls/x509.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 16
#define KEYS_MAX 1000000
#define DER_MAX 8192

/*
 * keygen_check BITS KEYS: make so many keys with each engine of this CPU; libcrypto's check, the one of "openssl rsa
 * -check", and GnuTLS's find each of them good, and no two moduli of all share a factor. On all processors, as the check
 * takes ten times as long as the key.
 */
struct work {
	unsigned int bits;
	unsigned long keys;
	const struct ca_engine *engine;
	pthread_mutex_t lock;
	unsigned long begun, bad;
	BIGNUM **modulus;
	unsigned long moduli;
};

/* Fails for a key that GnuTLS cannot read, or whose numbers do not belong together. */
static int
gnutls_opinion(EVP_PKEY *key, struct err *e)
{
	struct buf der = BUF_INIT(DER_MAX);
	gnutls_x509_privkey_t theirs = NULL;
	int status = -1;

	if (ca_key_encode(key, &der, e) == 0 && gnutls_x509_privkey_init(&theirs) == 0) {
		const gnutls_datum_t data = { der.data, (unsigned int)der.len };

		status = gnutls_x509_privkey_import2(theirs, &data, GNUTLS_X509_FMT_DER, NULL, 0);
		if (status == 0)
			status = gnutls_x509_privkey_verify_params(theirs);
		if (status != 0)
			err_set(e, ERR_INTEGRITY, "GnuTLS: %s", gnutls_strerror(status));
	}
	gnutls_x509_privkey_deinit(theirs);
	buf_release(&der);
	return status == 0 ? 0 : -1;
}

static int
libcrypto_opinion(EVP_PKEY *key, unsigned int bits, struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int rc = 0;

	if (EVP_PKEY_get_bits(key) != (int)bits)
		rc = err_set(e, ERR_INTEGRITY, "%d bits", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_check(ctx) != 1)
		rc = err_openssl(e, ERR_INTEGRITY, "libcrypto");
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static bool
next(struct work *w, unsigned long *ret)
{
	bool more;

	pthread_mutex_lock(&w->lock);
	more = w->begun < w->keys && w->bad == 0;
	*ret = w->moduli + w->begun;
	w->begun += more;
	pthread_mutex_unlock(&w->lock);
	return more;
}

static void *
worker(void *arg)
{
	struct work *w = arg;
	struct err e = ERR_INIT;
	struct ca_keygen *g = ca_keygen_new(w->bits, CA_KEYGEN_NATIVE, w->engine, &e);
	unsigned long at;
	bool bad = g == NULL;

	while (!bad && next(w, &at)) {
		EVP_PKEY *key = ca_keygen_next(g, &e);

		bad = key == NULL || libcrypto_opinion(key, w->bits, &e) != 0 || gnutls_opinion(key, &e) != 0 ||
		      EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &w->modulus[at]) != 1;
		EVP_PKEY_free(key);
	}
	if (bad) {
		pthread_mutex_lock(&w->lock);
		w->bad++;
		(void)fprintf(stderr, "%s: %s\n", w->engine->name, e.text);
		pthread_mutex_unlock(&w->lock);
	}
	ca_keygen_free(g);
	return NULL;
}

static int
engine_check(struct work *w)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[THREADS];
	int threads = 0;

	w->begun = 0;
	while (threads < processors && threads < THREADS && pthread_create(&thread[threads], NULL, worker, w) == 0)
		threads++;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (threads == 0 || w->bad != 0)
		return -1;
	w->moduli += w->keys;
	printf("%s: %lu keys of %u bits are good\n", w->engine->name, w->keys, w->bits);
	return 0;
}

/* Each modulus against the product of all before it. */
static int
moduli_check(const struct work *w)
{
	BIGNUM *product = BN_new(), *rest = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool good = product != NULL && rest != NULL && ctx != NULL && BN_one(product);

	for (unsigned long i = 0; i < w->moduli && good; i++) {
		good = BN_mod(rest, product, w->modulus[i], ctx) == 1 && BN_gcd(rest, rest, w->modulus[i], ctx) == 1 &&
		       BN_is_one(rest) && BN_mul(product, product, w->modulus[i], ctx) == 1;
		if (!good)
			(void)fprintf(stderr, "modulus %lu shares a factor with one before it\n", i);
	}
	if (good)
		printf("%lu moduli share no factor\n", w->moduli);
	BN_free(product);
	BN_free(rest);
	BN_CTX_free(ctx);
	return good ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct work w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err e = ERR_INIT;
	unsigned long bits;
	int rc = 0;

	if (argc != 3 || text_number(argv[1], 2048, 4096, "bits", &bits, &e) != 0 ||
	    text_number(argv[2], 1, KEYS_MAX, "keys", &w.keys, &e) != 0) {
		(void)fprintf(stderr, "usage: keygen_check BITS KEYS\n");
		return 2;
	}
	w.bits = (unsigned int)bits;
	w.modulus = calloc(w.keys * 3, sizeof(BIGNUM *));
	if (w.modulus == NULL)
		return 1;
	for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL && rc == 0; engine++) {
		w.engine = *engine;
		if ((*engine)->supported(w.bits / 2))
			rc = engine_check(&w);
		else
			printf("%s: not on this CPU for %u bits\n", (*engine)->name, w.bits);
	}
	if (rc == 0)
		rc = moduli_check(&w);
	for (unsigned long i = 0; i < w.keys * 3; i++)
		BN_free(w.modulus[i]);
	free(w.modulus);
	return rc == 0 ? 0 : 1;
}
