/* SPDX-License-Identifier: ISC */
#include "phone/fleet_nonce.h"

#include "common/text.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_HEX_SIZE (2 * EVP_MAX_MD_SIZE + 1)

/*
 * One "name=value" or "name=\"value\"" of the list at *at, which moves behind it and its comma; false at the end. A
 * value that does not fit is cut to nothing.
 */
static bool
next_part(const char **at, char *name, size_t name_size, char *value, size_t value_size)
{
	const char *s = *at + strspn(*at, " \t,");
	size_t len = strcspn(s, "= \t,"), used = 0;
	bool fits = len < name_size, quoted;

	if (len == 0 || s[len] != '=')
		return false;
	(void)snprintf(name, name_size, "%.*s", fits ? (int)len : 0, s);
	s += len + 1;
	quoted = *s == '"';
	s += quoted;
	for (; *s != '\0' && (quoted ? *s != '"' : strchr(" \t,", *s) == NULL); s++) {
		if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		if (used + 1 < value_size)
			value[used] = *s;
		used++;
	}
	value[used < value_size ? used : 0] = '\0';
	*at = s + (quoted && *s == '"');
	return true;
}

/* qop is a list: auth may be one of it. */
static bool
has_auth(const char *qop)
{
	for (size_t len; *qop != '\0'; qop += len) {
		qop += strspn(qop, " \t,");
		len = strcspn(qop, " \t,");
		if (len == 4 && strncasecmp(qop, "auth", len) == 0)
			return true;
	}
	return false;
}

bool
challenge_parse(const char *header, struct challenge *ret)
{
	static const char scheme[] = "Digest ";
	struct challenge c = { .auth = false };
	char name[32], value[256];

	if (strncasecmp(header, scheme, strlen(scheme)) != 0)
		return false;
	header += strlen(scheme);
	while (next_part(&header, name, sizeof(name), value, sizeof(value))) {
		if (strcasecmp(name, "realm") == 0)
			(void)text_copy(c.realm, sizeof(c.realm), value, name, NULL);
		else if (strcasecmp(name, "nonce") == 0)
			(void)text_copy(c.nonce, sizeof(c.nonce), value, name, NULL);
		else if (strcasecmp(name, "opaque") == 0)
			(void)text_copy(c.opaque, sizeof(c.opaque), value, name, NULL);
		else if (strcasecmp(name, "algorithm") == 0)
			(void)text_copy(c.algorithm, sizeof(c.algorithm), value, name, NULL);
		else if (strcasecmp(name, "qop") == 0)
			c.auth = has_auth(value);
	}
	if (c.nonce[0] == '\0' ||
	    (c.algorithm[0] != '\0' && strcasecmp(c.algorithm, "MD5") != 0 && strcasecmp(c.algorithm, "SHA-256") != 0))
		return false;
	*ret = c;
	return true;
}

void
challenge_age(struct challenge *c)
{
	/* lighttpd's nonce begins with the time in hex and is checked for no more than that; others are keyed hashes. */
	c->nonce[0] = c->nonce[0] == '0' ? '1' : '0';
}

static int hash(const char *algorithm, char out[HASH_HEX_SIZE], struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int
hash(const char *algorithm, char out[HASH_HEX_SIZE], struct err *e, const char *fmt, ...)
{
	const EVP_MD *md = strcasecmp(algorithm, "SHA-256") == 0 ? EVP_sha256() : EVP_md5();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char *text = NULL;
	va_list ap;
	int rc = 0;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text == NULL)
		return err_set(e, ERR_FAILED, "digest: no memory");
	if (EVP_Digest(text, strlen(text), digest, &len, md, NULL) != 1)
		rc = err_openssl(e, ERR_FAILED, "digest");
	text_hex(digest, len, out);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	return rc;
}

/* A quoted-string, RFC 9110 section 5.6.4. */
static void
add_quoted(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_add_string(out, "\\");
		buf_add(out, value, 1);
	}
	buf_add_string(out, "\"");
}

int
challenge_answer(const struct challenge *c, const char *user, const char *password, const char *method, const char *uri,
    const char *cnonce, struct buf *out, struct err *e)
{
	static const char count[] = "00000001";
	char a1[HASH_HEX_SIZE], a2[HASH_HEX_SIZE], response[HASH_HEX_SIZE];
	int rc;

	if (hash(c->algorithm, a1, e, "%s:%s:%s", user, c->realm, password) != 0 ||
	    hash(c->algorithm, a2, e, "%s:%s", method, uri) != 0)
		return -1;
	if (c->auth)
		rc = hash(c->algorithm, response, e, "%s:%s:%s:%s:auth:%s", a1, c->nonce, count, cnonce, a2);
	else
		rc = hash(c->algorithm, response, e, "%s:%s:%s", a1, c->nonce, a2);
	OPENSSL_cleanse(a1, sizeof(a1));
	if (rc != 0)
		return -1;
	add_quoted(out, "Digest username", user);
	add_quoted(out, ", realm", c->realm);
	add_quoted(out, ", nonce", c->nonce);
	add_quoted(out, ", uri", uri);
	if (c->algorithm[0] != '\0')
		buf_addf(out, ", algorithm=%s", c->algorithm);
	if (c->auth)
		buf_addf(out, ", qop=auth, nc=%s, cnonce=\"%s\"", count, cnonce);
	add_quoted(out, ", response", response);
	if (c->opaque[0] != '\0')
		add_quoted(out, ", opaque", c->opaque);
	return buf_check(out, "digest", e);
}
