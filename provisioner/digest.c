/* SPDX-License-Identifier: ISC */
#include "provisioner/digest.h"

#include "common/process.h"
#include "common/text.h"
#include "provisioner/digest_header.h"
#include "provisioner/digest_window.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NONCE_TIME 8
#define NONCE_RANDOM 8
#define NONCE_PLAIN (NONCE_TIME + NONCE_RANDOM) /* what it says before its hash */
#define NONCE_MAC 16
#define NONCE_SIZE (2 * (NONCE_PLAIN + NONCE_MAC) + 1)
#define NONCE_AHEAD_SECONDS 5 /* our own clock may be set back a little */

#define BASIC_SCHEME "Basic"
#define BASIC_MAX 1024

static EVP_MAC_CTX *
mac_new(const struct digest_server *s)
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_init(ctx, s->key, sizeof(s->key), params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

EVP_MAC_CTX *
digest_mac_new(const struct digest_server *s, struct err *e)
{
	EVP_MAC_CTX *ctx = mac_new(s);

	if (ctx == NULL)
		(void)err_openssl(e, ERR_FAILED, "digest nonce: cannot be made");
	return ctx;
}

/* hex(plain || first 16 bytes of HMAC-SHA-256(key, plain || client)); plain is the time in network order and random bytes. */
static int
nonce_encode(const struct digest_server *s, const struct digest_request *r, const unsigned char plain[NONCE_PLAIN],
    char out[NONCE_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE], nonce[NONCE_PLAIN + NONCE_MAC];
	EVP_MAC_CTX *ctx = s->mac != NULL ? EVP_MAC_CTX_dup(s->mac) : mac_new(s);
	size_t len = 0;
	bool good;

	good = ctx != NULL && EVP_MAC_update(ctx, plain, NONCE_PLAIN) == 1 &&
	       EVP_MAC_update(ctx, r->client, r->client_len) == 1 && EVP_MAC_final(ctx, sum, &len, sizeof(sum)) == 1 &&
	       len >= NONCE_MAC;
	EVP_MAC_CTX_free(ctx);
	if (!good)
		return -1;
	memcpy(nonce, plain, NONCE_PLAIN);
	memcpy(nonce + NONCE_PLAIN, sum, NONCE_MAC);
	text_hex(nonce, sizeof(nonce), out);
	return 0;
}

/* Each is another, so that a count of one that has been used says something. */
static int
nonce_make(const struct digest_server *s, const struct digest_request *r, char out[NONCE_SIZE])
{
	unsigned char plain[NONCE_PLAIN];

	for (int i = 0; i < NONCE_TIME; i++)
		plain[i] = (unsigned char)((uint64_t)r->now >> (8 * (NONCE_TIME - 1 - i)));
	if (process_random(plain + NONCE_TIME, NONCE_RANDOM, NULL) != 0)
		return -1;
	return nonce_encode(s, r, plain, out);
}

/*
 * DIGEST_OK, DIGEST_STALE, or DIGEST_WRONG when it is not ours, another client's or from the future. *ret_tag becomes a
 * part of its hash.
 */
static enum digest_result
nonce_check(const struct digest_server *s, const struct digest_request *r, const char *nonce, uint64_t *ret_tag)
{
	unsigned char bytes[NONCE_PLAIN + NONCE_MAC];
	char expected[NONCE_SIZE];
	uint64_t when = 0, now = (uint64_t)r->now;

	if (!text_is_hex(nonce, NONCE_SIZE - 1) || !text_unhex(nonce, bytes, sizeof(bytes)))
		return DIGEST_WRONG;
	for (int i = 0; i < NONCE_TIME; i++)
		when = when << 8 | bytes[i];
	if (nonce_encode(s, r, bytes, expected) != 0 || CRYPTO_memcmp(nonce, expected, NONCE_SIZE) != 0)
		return DIGEST_WRONG;
	memcpy(ret_tag, bytes + NONCE_PLAIN, sizeof(*ret_tag));
	if (when > now)
		return when - now > NONCE_AHEAD_SECONDS ? DIGEST_WRONG : DIGEST_OK;
	return now - when > DIGEST_NONCE_SECONDS ? DIGEST_STALE : DIGEST_OK;
}

/* A client that sends the same once more, for whatever reason, gets a new nonce and no refusal. */
static enum digest_result
count_check(const struct digest_server *s, const struct digest_header *h, uint64_t tag)
{
	if (s->window == NULL || h->qop == NULL)
		return DIGEST_OK;
	return digest_window_use(s->window, tag, (uint32_t)strtoul(h->nc, NULL, 16)) ? DIGEST_OK : DIGEST_STALE;
}

static bool
realm_good(const char *realm)
{
	return text_is_clean(realm, strlen(realm)) && strpbrk(realm, "\"\\") == NULL;
}

int
digest_challenge(const struct digest_server *s, const struct digest_request *r, enum digest_algorithm algorithm,
    bool stale, struct buf *out, struct err *e)
{
	char nonce[NONCE_SIZE];

	if (!realm_good(s->realm))
		return err_set(e, ERR_INPUT,
		    "realm: expected text without quotes, backslashes and control characters, "
		    "found others");
	if (nonce_make(s, r, nonce) != 0)
		return err_openssl(e, ERR_FAILED, "digest nonce: cannot be made");
	buf_addf(out, "Digest realm=\"%s\", qop=\"auth\", algorithm=%s, nonce=\"%s\"%s", s->realm,
	    algorithm == DIGEST_SHA256 ? "SHA-256" : "MD5", nonce, stale ? ", stale=true" : "");
	return buf_check(out, "digest challenge", e);
}

/* What digest_user() and digest_check() both ask of a header before anything is compared. */
static enum digest_result
header_take(const struct digest_request *r, struct digest_header *h, enum digest_algorithm *ret_algorithm)
{
	enum digest_result result = digest_header_parse(r->authorization, h);

	if (result != DIGEST_OK)
		return result;
	if (h->userhash != NULL && strcasecmp(h->userhash, "false") != 0)
		return DIGEST_WRONG; /* never offered */
	return digest_header_algorithm(h, ret_algorithm) ? DIGEST_OK : DIGEST_WRONG;
}

enum digest_result
digest_user(const struct digest_request *r, struct buf *user)
{
	enum digest_algorithm algorithm;
	enum digest_result result;
	struct digest_header h;

	result = header_take(r, &h, &algorithm);
	if (result != DIGEST_OK)
		return result;
	buf_add_string(user, h.username);
	return user->broken ? DIGEST_MALFORMED : DIGEST_OK;
}

static bool
same_string(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strlen(b) == len && CRYPTO_memcmp(a, b, len) == 0;
}

enum digest_result
digest_check(const struct digest_server *s, const struct digest_request *r, const char *password)
{
	enum digest_algorithm algorithm;
	enum digest_result result, nonce;
	char expected[DIGEST_HEX_SIZE];
	struct digest_header h;
	uint64_t tag = 0;
	bool good;

	result = header_take(r, &h, &algorithm);
	if (result != DIGEST_OK)
		return result;
	/* All is compared always, so that the time taken does not tell which of them was wrong. */
	good = digest_response(&h, algorithm, r->method, password, expected, NULL) == 0;
	good = good && same_string(expected, h.response);
	OPENSSL_cleanse(expected, sizeof(expected));
	nonce = nonce_check(s, r, h.nonce, &tag);
	/*
	 * RFC 7616 section 3.4.6: uri and the request line are to name the same resource. cURL, also behind a proxy,
	 * writes the same bytes into both, so nothing else is taken.
	 */
	if (!same_string(h.uri, r->target) || !same_string(h.realm, s->realm) || !good)
		return DIGEST_WRONG;
	return nonce == DIGEST_OK ? count_check(s, &h, tag) : nonce;
}

/* base64 with its padding (RFC 4648 section 4) into out. */
static bool
base64_decode(const char *s, size_t len, struct buf *out)
{
	unsigned char bytes[BASIC_MAX + 1];
	size_t padding = 0;
	int n;

	if (len == 0 || len % 4 != 0 || len > BASIC_MAX)
		return false;
	while (padding < 2 && s[len - 1 - padding] == '=')
		padding++;
	if (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != len - padding)
		return false;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)s, (int)len);
	if (n >= (int)padding)
		buf_add(out, bytes, (size_t)n - padding);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return n >= (int)padding && !out->broken;
}

enum digest_result
basic_parse(const char *authorization, struct buf *user, struct buf *password)
{
	struct buf pair = BUF_INIT(BASIC_MAX);
	enum digest_result result = DIGEST_MALFORMED;
	const char *s = authorization, *colon;
	size_t len;

	if (s == NULL || strncasecmp(s, BASIC_SCHEME, strlen(BASIC_SCHEME)) != 0)
		return DIGEST_ABSENT;
	s += strlen(BASIC_SCHEME);
	if (*s != '\0' && *s != ' ')
		return DIGEST_ABSENT;
	s += strspn(s, " ");
	len = strlen(s);
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (!base64_decode(s, len, &pair))
		goto out;
	/* RFC 7617 section 2: no control characters in either; the first colon parts them. */
	for (size_t i = 0; i < pair.len; i++) {
		if (pair.data[i] < 0x20 || pair.data[i] == 0x7f)
			goto out;
	}
	colon = strchr(buf_string(&pair), ':');
	if (colon == NULL)
		goto out;
	buf_add(user, pair.data, (size_t)(colon - buf_string(&pair)));
	buf_add_string(password, colon + 1);
	if (!user->broken && !password->broken)
		result = DIGEST_OK;
out:
	buf_release(&pair);
	return result;
}
