/* SPDX-License-Identifier: ISC */
#include "provisioner/digest_nonce.h"

#include "common/process.h"
#include "common/text.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_TIME 8
#define NONCE_NUMBER 8
#define NONCE_PLAIN (NONCE_TIME + NONCE_NUMBER) /* what it says before its hash */
#define NONCE_MAC 16
#define NONCE_AHEAD_SECONDS 5 /* our own clock may be set back a little */

_Static_assert(DIGEST_NONCE_SIZE == 2 * (NONCE_PLAIN + NONCE_MAC) + 1, "a nonce and NUL");

/* To set up HMAC costs more than to run it, so it is done once. */
struct digest_nonces {
	pthread_mutex_t lock;
	EVP_MAC_CTX *mac;
	uint64_t number; /* of the next: from a random one on, so that no other server's, or run's, is the same */
};

static EVP_MAC_CTX *
mac_new(const unsigned char key[DIGEST_KEY_SIZE])
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_init(ctx, key, DIGEST_KEY_SIZE, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

struct digest_nonces *
digest_nonces_new(const unsigned char key[DIGEST_KEY_SIZE], struct err *e)
{
	struct digest_nonces *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		(void)err_set(e, ERR_FAILED, "digest nonce: no memory is left to make one");
		return NULL;
	}
	(void)pthread_mutex_init(&n->lock, NULL);
	n->mac = mac_new(key);
	if (n->mac == NULL || process_random(&n->number, sizeof(n->number), NULL) != 0) {
		(void)err_openssl(e, ERR_FAILED, "digest nonce: cannot be made");
		digest_nonces_free(n);
		return NULL;
	}
	return n;
}

void
digest_nonces_free(struct digest_nonces *n)
{
	if (n == NULL)
		return;
	EVP_MAC_CTX_free(n->mac);
	(void)pthread_mutex_destroy(&n->lock);
	free(n);
}

static struct digest_nonces *
nonces_of(const struct digest_server *s)
{
	return s->nonces != NULL ? s->nonces : digest_nonces_new(s->key, NULL);
}

static void
nonces_done(const struct digest_server *s, struct digest_nonces *n)
{
	if (n != s->nonces)
		digest_nonces_free(n);
}

static uint64_t
number_next(struct digest_nonces *n)
{
	uint64_t number;

	(void)pthread_mutex_lock(&n->lock);
	number = n->number++;
	(void)pthread_mutex_unlock(&n->lock);
	return number;
}

/* hex(plain || first 16 bytes of HMAC-SHA-256(key, plain || client)); plain is time and number in network order. */
static int
encode(struct digest_nonces *n, const struct digest_request *r, const unsigned char plain[NONCE_PLAIN],
    char out[DIGEST_NONCE_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE], nonce[NONCE_PLAIN + NONCE_MAC];
	size_t len = 0;
	bool good;

	(void)pthread_mutex_lock(&n->lock);
	good = EVP_MAC_init(n->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(n->mac, plain, NONCE_PLAIN) == 1 &&
	       EVP_MAC_update(n->mac, r->client, r->client_len) == 1 &&
	       EVP_MAC_final(n->mac, sum, &len, sizeof(sum)) == 1 && len >= NONCE_MAC;
	(void)pthread_mutex_unlock(&n->lock);
	if (!good)
		return -1;
	memcpy(nonce, plain, NONCE_PLAIN);
	memcpy(nonce + NONCE_PLAIN, sum, NONCE_MAC);
	text_hex(nonce, sizeof(nonce), out);
	return 0;
}

static void
put_number(unsigned char out[8], uint64_t number)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(number >> (8 * (7 - i)));
}

/* Each is another, so that a count of one that has been used says something. */
int
digest_nonce_make(const struct digest_server *s, const struct digest_request *r, char out[DIGEST_NONCE_SIZE],
    struct err *e)
{
	unsigned char plain[NONCE_PLAIN];

	struct digest_nonces *n = nonces_of(s);
	int rc = -1;

	if (n != NULL) {
		put_number(plain, (uint64_t)r->now);
		put_number(plain + NONCE_TIME, number_next(n));
		rc = encode(n, r, plain, out);
	}
	nonces_done(s, n);
	return rc == 0 ? 0 : err_openssl(e, ERR_FAILED, "digest nonce: cannot be made");
}

static bool
is_ours(const struct digest_server *s, const struct digest_request *r, const unsigned char plain[NONCE_PLAIN],
    const char *nonce)
{
	struct digest_nonces *n = nonces_of(s);
	char expected[DIGEST_NONCE_SIZE];
	bool ours = n != NULL && encode(n, r, plain, expected) == 0 &&
	            CRYPTO_memcmp(nonce, expected, DIGEST_NONCE_SIZE) == 0;

	nonces_done(s, n);
	return ours;
}

enum digest_result
digest_nonce_check(const struct digest_server *s, const struct digest_request *r, const char *nonce, uint64_t *ret_tag)
{
	unsigned char bytes[NONCE_PLAIN + NONCE_MAC];
	uint64_t when = 0, now = (uint64_t)r->now;

	if (!text_is_hex(nonce, DIGEST_NONCE_SIZE - 1) || !text_unhex(nonce, bytes, sizeof(bytes)))
		return DIGEST_WRONG;
	for (int i = 0; i < NONCE_TIME; i++)
		when = when << 8 | bytes[i];
	if (!is_ours(s, r, bytes, nonce))
		return DIGEST_WRONG;
	memcpy(ret_tag, bytes + NONCE_PLAIN, sizeof(*ret_tag));
	if (when > now)
		return when - now > NONCE_AHEAD_SECONDS ? DIGEST_WRONG : DIGEST_OK;
	return now - when > DIGEST_NONCE_SECONDS ? DIGEST_STALE : DIGEST_OK;
}
