/* SPDX-License-Identifier: ISC */
#include "provisioner/digest_header.h"

#include "common/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define SCHEME "Digest"
#define HASH_PARTS 11
#define NC_DIGITS 8

/* RFC 9110 section 5.6.2. */
static const bool token_chars[256] = {
	['0' ... '9'] = true,
	['a' ... 'z'] = true,
	['A' ... 'Z'] = true,
	['!'] = true,
	['#' ... '\''] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['.'] = true,
	['^'] = true,
	['_'] = true,
	['`'] = true,
	['|'] = true,
	['~'] = true,
};

static const char *
skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* A quoted-string (RFC 9110 section 5.6.4) without quotes and backslashes. NULL when it is none. */
static const char *
take_quoted(const char *s, char **out)
{
	char *to = *out;

	for (s++; *s != '"'; s++) {
		if (*s == '\\')
			s++;
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return NULL;
		*to++ = *s;
	}
	*to++ = '\0';
	*out = to;
	return s + 1;
}

static const char *
take_token(const char *s, char **out)
{
	size_t len = 0;

	while (token_chars[(unsigned char)s[len]])
		len++;
	if (len == 0)
		return NULL;
	memcpy(*out, s, len);
	(*out)[len] = '\0';
	*out += len + 1;
	return s + len;
}

/* name = value, blanks around '=' allowed: auth-param of RFC 9110 section 11.2. */
static const char *
take_field(const char *s, char **out, const char **ret_name, const char **ret_value)
{
	*ret_name = *out;
	s = take_token(s, out);
	if (s == NULL)
		return NULL;
	s = skip_blanks(s);
	if (*s != '=')
		return NULL;
	s = skip_blanks(s + 1);
	*ret_value = *out;
	return *s == '"' ? take_quoted(s, out) : take_token(s, out);
}

/* Keep a field that is ours; others are ignored, as section 3.4 wants. False when it is there already. */
static bool
keep_field(struct digest_header *h, const char *name, const char *value)
{
	static const struct {
		const char *name;
		size_t len, field;
	} fields[] = {
#define FIELD(name) { #name, sizeof(#name) - 1, offsetof(struct digest_header, name) }
		FIELD(username),
		FIELD(realm),
		FIELD(nonce),
		FIELD(uri),
		FIELD(response),
		FIELD(algorithm),
		FIELD(cnonce),
		FIELD(qop),
		FIELD(nc),
		FIELD(userhash),
#undef FIELD
	};
	size_t len = strlen(name);
	const char **field;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (len != fields[i].len || strcasecmp(name, fields[i].name) != 0)
			continue;
		field = (const char **)((char *)h + fields[i].field);
		if (*field != NULL)
			return false;
		*field = value;
		break;
	}
	return true;
}

static bool
fields_whole(const struct digest_header *h)
{
	if (h->username == NULL || h->realm == NULL || h->nonce == NULL || h->uri == NULL || h->response == NULL)
		return false;
	if (h->qop == NULL)
		return true;
	return strcasecmp(h->qop, "auth") == 0 && h->cnonce != NULL && h->cnonce[0] != '\0' && h->nc != NULL &&
	       strlen(h->nc) == NC_DIGITS && strspn(h->nc, "0123456789abcdefABCDEF") == NC_DIGITS;
}

enum digest_result
digest_header_parse(const char *authorization, struct digest_header *ret)
{
	const char *s = authorization, *name, *value;
	char *out = ret->storage;

	memset(ret, 0, offsetof(struct digest_header, storage));
	if (s == NULL || strncasecmp(s, SCHEME, strlen(SCHEME)) != 0)
		return DIGEST_ABSENT;
	s += strlen(SCHEME);
	if (*s != '\0' && *s != ' ' && *s != '\t')
		return DIGEST_ABSENT;
	/* Each field and its NUL are no longer than its text, its '=' and its comma; storage holds twice that. */
	if (strlen(s) > DIGEST_HEADER_MAX)
		return DIGEST_MALFORMED;
	for (;;) {
		/* Empty elements of a list are to be taken: RFC 9110 section 5.6.1.2. */
		while (*s == ' ' || *s == '\t' || *s == ',')
			s++;
		if (*s == '\0')
			break;
		s = take_field(s, &out, &name, &value);
		if (s == NULL || !keep_field(ret, name, value))
			return DIGEST_MALFORMED;
		s = skip_blanks(s);
		if (*s != '\0' && *s != ',')
			return DIGEST_MALFORMED;
	}
	return fields_whole(ret) ? DIGEST_OK : DIGEST_MALFORMED;
}

bool
digest_header_algorithm(const struct digest_header *h, enum digest_algorithm *ret)
{
	if (h->algorithm == NULL || strcasecmp(h->algorithm, "MD5") == 0)
		*ret = DIGEST_MD5;
	else if (strcasecmp(h->algorithm, "SHA-256") == 0)
		*ret = DIGEST_SHA256;
	else
		return false;
	return true;
}

/* Hash strings, up to a NULL, into lower-case hex, with a context that was set up for it. */
static bool
hash_strings(EVP_MD_CTX *ctx, const char *const *parts, char out[DIGEST_HEX_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	bool good = EVP_DigestInit_ex(ctx, NULL, NULL) == 1;

	for (; good && *parts != NULL; parts++)
		good = EVP_DigestUpdate(ctx, *parts, strlen(*parts)) == 1;
	if (!good || EVP_DigestFinal_ex(ctx, sum, &len) != 1 || 2 * len >= DIGEST_HEX_SIZE)
		return false;
	text_hex(sum, len, out);
	OPENSSL_cleanse(sum, sizeof(sum));
	return true;
}

int
digest_response(const struct digest_header *h, enum digest_algorithm algorithm, const char *method,
    const char *password, char out[DIGEST_HEX_SIZE], struct err *e)
{
	const EVP_MD *md = algorithm == DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	const char *a1[] = { h->username, ":", h->realm, ":", password, NULL };
	const char *a2[] = { method, ":", h->uri, NULL };
	const char *whole[HASH_PARTS + 1] = { NULL };
	char ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 0;
	int rc = -1;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, md, NULL) != 1 || !hash_strings(ctx, a1, ha1) ||
	    !hash_strings(ctx, a2, ha2))
		goto out;
	whole[n++] = ha1;
	whole[n++] = ":";
	whole[n++] = h->nonce;
	whole[n++] = ":";
	if (h->qop != NULL) {
		whole[n++] = h->nc;
		whole[n++] = ":";
		whole[n++] = h->cnonce;
		whole[n++] = ":";
		whole[n++] = h->qop;
		whole[n++] = ":";
	}
	whole[n] = ha2;
	if (hash_strings(ctx, whole, out))
		rc = 0;
out:
	EVP_MD_CTX_free(ctx);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	return rc == 0 ? 0 : err_openssl(e, ERR_FAILED, "digest response: cannot be hashed");
}
