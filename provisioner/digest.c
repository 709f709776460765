/* SPDX-License-Identifier: ISC */
#include "provisioner/digest.h"

#include "common/text.h"
#include "provisioner/digest_header.h"
#include "provisioner/digest_nonce.h"
#include "provisioner/digest_window.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BASIC_SCHEME "Basic"
#define BASIC_MAX 1024

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
	char nonce[DIGEST_NONCE_SIZE];

	if (!realm_good(s->realm))
		return err_set(e, ERR_INPUT,
		    "realm: expected text without quotes, backslashes and control characters, "
		    "found others");
	if (digest_nonce_make(s, r, nonce, e) != 0)
		return -1;
	buf_add_string(out, "Digest realm=\"");
	buf_add_string(out, s->realm);
	buf_add_string(out, algorithm == DIGEST_SHA256 ? "\", qop=\"auth\", algorithm=SHA-256, nonce=\""
						       : "\", qop=\"auth\", algorithm=MD5, nonce=\"");
	buf_add_string(out, nonce);
	buf_add_string(out, stale ? "\", stale=true" : "\"");
	return buf_check(out, "digest challenge", e);
}

enum digest_result
digest_take(const struct digest_request *r, struct digest_header *ret)
{
	enum digest_result result = digest_header_parse(r->authorization, ret);
	enum digest_algorithm algorithm;

	if (result != DIGEST_OK)
		return result;
	if (ret->userhash != NULL && strcasecmp(ret->userhash, "false") != 0)
		return DIGEST_WRONG; /* never offered */
	return digest_header_algorithm(ret, &algorithm) ? DIGEST_OK : DIGEST_WRONG;
}

static bool
same_string(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strlen(b) == len && CRYPTO_memcmp(a, b, len) == 0;
}

enum digest_result
digest_check(const struct digest_server *s, const struct digest_request *r, const struct digest_header *h,
    const char *password)
{
	enum digest_algorithm algorithm;
	enum digest_result nonce;
	char expected[DIGEST_HEX_SIZE];
	uint64_t tag = 0;
	bool good;

	if (!digest_header_algorithm(h, &algorithm))
		return DIGEST_WRONG;
	/* All is compared always, so that the time taken does not tell which of them was wrong. */
	good = digest_response(h, algorithm, r->method, password, expected, NULL) == 0;
	good = good && same_string(expected, h->response);
	OPENSSL_cleanse(expected, sizeof(expected));
	nonce = digest_nonce_check(s, r, h->nonce, &tag);
	/*
	 * RFC 7616 section 3.4.6: uri and the request line are to name the same resource. cURL, also behind a proxy,
	 * writes the same bytes into both, so nothing else is taken.
	 */
	if (!same_string(h->uri, r->target) || !same_string(h->realm, s->realm) || !good)
		return DIGEST_WRONG;
	return nonce == DIGEST_OK ? count_check(s, h, tag) : nonce;
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
