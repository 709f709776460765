/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "common/text.h"
#include "dseries/cipher.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 48
#define SUITE_MAX 64 /* bytes of a suite's name; the page's longest has 22 */

/* ---- data channel ---- */

static bool
is_aead(const char *cipher)
{
	const char *last = strrchr(cipher, '-');

	return last != NULL &&
	       (strcasecmp(last, "-GCM") == 0 || strcasecmp(last, "-CCM") == 0 || strcasecmp(last, "-POLY1305") == 0);
}

/* In the phones' list, and in OpenSSL 3 only with the legacy provider: measured. */
static bool
is_legacy(const char *cipher)
{
	static const char *const names[] = { "BF-CBC", "CAST5-CBC", "DES-CBC", "DESX-CBC", "RC2-CBC", "RC2-40-CBC",
		"RC2-64-CBC", "SEED-CBC" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], cipher) == 0)
			return true;
	return false;
}

void
ovpn_cipher_check(struct ovpn_check *ck, const struct config_line *line)
{
	const struct model *m = ovpn_model(ck);
	const char *cipher = config_word(line, 1);
	char shown[SHOWN];

	/* Without an argument it says the default, which is told once for the whole file. */
	if (cipher == NULL)
		return;
	(void)text_printable(cipher, shown, sizeof(shown));
	if (strcmp(cipher, "none") == 0)
		ovpn_found(ck, OVPN_CIPHER_NONE, line->number, "cipher", "expected a cipher, found none");
	else if (cipher_data_support(m, cipher) == CIPHER_NO && m->ciphers_may_differ)
		ovpn_found(ck, OVPN_D80, line->number, "cipher",
		    "expected a cipher of the page's list, found %s, which a %s "
		    "may have or not",
		    shown, m->name);
	else if (cipher_data_support(m, cipher) == CIPHER_NO)
		ovpn_found(ck, is_aead(cipher) ? OVPN_CIPHER_AEAD : OVPN_CIPHER_UNSUPPORTED, line->number, "cipher",
		    "expected a data-channel cipher of the phone (AES-256-CBC), found %s", shown);
	else if (is_legacy(cipher))
		ovpn_found(ck, OVPN_CIPHER_LEGACY, line->number, "cipher",
		    "expected a cipher of OpenSSL's default provider (AES-256-CBC), found %s", shown);
	else if (strncasecmp(cipher, "DES-", 4) == 0)
		ovpn_found(ck, OVPN_CIPHER_SMALL_BLOCK, line->number, "cipher",
		    "expected blocks of 128 bits (AES-256-CBC), found %s with 64", shown);
}

/*
 * By one of the two names that OpenSSL 1.0 has of it; OpenSSL 3 has more of them, as SHA-1, and digests that are younger.
 * 2.3.2 with OpenSSL 1.0.1u: "Message hash algorithm 'SHA3-256' not found".
 */
static bool
is_digest_of_old(const char *name)
{
	static const char *const younger[] = { "SHA3-", "SHAKE", "BLAKE2", "SHA512-", "SM3", "MD5-SHA1" };
	int nid = OBJ_sn2nid(name) != NID_undef ? OBJ_sn2nid(name) : OBJ_ln2nid(name);

	for (size_t i = 0; i < sizeof(younger) / sizeof(younger[0]); i++)
		if (strncasecmp(younger[i], name, strlen(younger[i])) == 0)
			return false;
	return nid != NID_undef && EVP_get_digestbynid(nid) != NULL;
}

void
ovpn_auth_check(struct ovpn_check *ck, const struct config_line *line)
{
	static const char *const old[] = { "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512" };
	const char *digest = config_word(line, 1);
	char shown[SHOWN];
	bool known = false;

	if (digest == NULL)
		return;
	for (size_t i = 0; i < COUNT(old); i++)
		known = known || strcasecmp(old[i], digest) == 0;
	(void)text_printable(digest, shown, sizeof(shown));
	if (strcmp(digest, "none") == 0)
		ovpn_found(ck, OVPN_AUTH_NONE, line->number, "auth", "expected a digest, found none");
	else if (!is_digest_of_old(digest))
		ovpn_found(ck, OVPN_AUTH_UNKNOWN, line->number, "auth",
		    "expected the name of a digest (SHA1, SHA256), found %s", shown);
	else if (!known)
		ovpn_found(ck, OVPN_AUTH_UNMEASURED, line->number, "auth",
		    "expected MD5, SHA1, SHA224, SHA256, SHA384 or SHA512, found %s", shown);
}

/* ---- control channel ---- */

/* The suites of the page by the names that OpenVPN has had for them since 2.3 (ssl.c), which are those of IANA. */
static void
suite_name(const char *text, size_t len, char out[SUITE_MAX])
{
	static const struct {
		const char *iana, *openssl;
	} bulk[] = {
		{ "RC4-128-SHA", "RC4-SHA" },
		{ "RC4-128-MD5", "RC4-MD5" },
		{ "DES-CBC-SHA", "DES-CBC-SHA" },
		{ "3DES-EDE-CBC-SHA", "DES-CBC3-SHA" },
		{ "AES-128-CBC-SHA", "AES128-SHA" },
		{ "AES-256-CBC-SHA", "AES256-SHA" },
		{ "CAMELLIA-128-CBC-SHA", "CAMELLIA128-SHA" },
		{ "CAMELLIA-256-CBC-SHA", "CAMELLIA256-SHA" },
		{ "SEED-CBC-SHA", "SEED-SHA" },
	};
	static const char rsa[] = "TLS-RSA-WITH-", ecdhe[] = "TLS-ECDHE-RSA-WITH-";
	const char *exchange = "", *rest = NULL;

	(void)snprintf(out, SUITE_MAX, "%.*s", (int)len, text);
	if (strncmp(out, rsa, strlen(rsa)) == 0)
		rest = out + strlen(rsa);
	else if (strncmp(out, ecdhe, strlen(ecdhe)) == 0) {
		rest = out + strlen(ecdhe);
		exchange = "ECDHE-RSA-";
	}
	for (size_t i = 0; rest != NULL && i < COUNT(bulk); i++) {
		if (strcmp(bulk[i].iana, rest) == 0) {
			(void)snprintf(out, SUITE_MAX, "%s%s", exchange, bulk[i].openssl);
			return;
		}
	}
}

/* A rule of OpenSSL's, as "HIGH", "!aNULL" or "ECDHE+AES", and no suite: what it leaves is not worked out here. */
static bool
is_rule(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	return name[0] == '-' || strchr(name, '-') == NULL || name[strspn(name, letters)] != '\0';
}

/* Debian's OpenSSL 3 has none of these at any security level: measured. */
static bool
is_gone(const char *suite)
{
	return strstr(suite, "RC4") != NULL || strstr(suite, "DES-") != NULL;
}

struct suites {
	bool rule, phone, today; /* one is a rule; the phone has one; and a server of today has it, too */
};

static void
suites_read(const struct ovpn_check *ck, const char *list, struct suites *ret)
{
	char name[SUITE_MAX];

	for (size_t len; *list != '\0'; list += len + (list[len] == ':')) {
		len = strcspn(list, ":");
		if (len == 0)
			continue;
		suite_name(list, len, name);
		if (is_rule(name))
			ret->rule = true;
		else if (cipher_control_support(ovpn_model(ck), ck->params->firmware, name) != CIPHER_NO) {
			ret->phone = true;
			ret->today = ret->today || !is_gone(name);
		}
	}
}

void
ovpn_tls_cipher_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *list = config_word(line, 1);
	struct suites s = { .rule = list[0] == '\0' };

	for (const char *at = strchr(list, '@'); at != NULL; at = strchr(at + 1, '@')) {
		if (strncmp(at, "@STRENGTH", strlen("@STRENGTH")) != 0) {
			ovpn_found(ck, OVPN_TLS_CIPHER_COMMAND, line->number, "tls-cipher",
			    "expected no command but @STRENGTH, found another");
			return;
		}
	}
	suites_read(ck, list, &s);
	if (!s.rule && !s.phone)
		ovpn_found(ck, OVPN_TLS_CIPHER_UNSUPPORTED, line->number, "tls-cipher",
		    "expected one of the phone's control-channel ciphers (ECDHE-RSA-AES256-SHA), found none");
	else if (!s.rule && !s.today)
		ovpn_found(ck, OVPN_TLS_CIPHER_GONE, line->number, "tls-cipher",
		    "expected one that today's OpenSSL has as well (ECDHE-RSA-AES256-SHA), found none");
}
