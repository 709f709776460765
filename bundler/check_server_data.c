/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"
#include "dseries/cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LIST_DEFAULT "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305"
#define LIST_MAX 127 /* MAX_NCP_CIPHERS_LENGTH, ssl_ncp.h */
#define AUTH_DEFAULT "SHA1"
#define MTU_DEFAULT 1500

static bool
mode_is_taken(const EVP_CIPHER *cipher)
{
	int mode = EVP_CIPHER_get_mode(cipher);

	return mode == EVP_CIPH_CBC_MODE || mode == EVP_CIPH_CFB_MODE || mode == EVP_CIPH_OFB_MODE ||
	       (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER) != 0;
}

/* As cipher_valid() in crypto_openssl.c and mutate_ncp_cipher_list() in ssl_ncp.c. */
static bool
cipher_is_taken(OSSL_LIB_CTX *library, const char *name)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, name, NULL);
	bool ok = strcmp(name, "none") == 0 || (cipher != NULL && mode_is_taken(cipher));

	EVP_CIPHER_free(cipher);
	ERR_clear_error();
	return ok;
}

/* Another provider has it. */
static bool
cipher_is_legacy(const char *name)
{
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *provider = library == NULL ? NULL : OSSL_PROVIDER_load(library, "legacy");
	bool ok = provider != NULL && cipher_is_taken(library, name);

	if (provider != NULL)
		(void)OSSL_PROVIDER_unload(provider);
	OSSL_LIB_CTX_free(library);
	ERR_clear_error();
	return ok;
}

static void
refuse(struct check_server *s, const struct config_line *line, const char *name, struct findings *out)
{
	s->ciphers_refused = true;
	server_found(s, out, cipher_is_legacy(name) ? SERVER_CIPHER_LEGACY : SERVER_CIPHER_UNSUPPORTED, line,
	    "expected ciphers that OpenSSL has with this configuration, found %s", name);
}

static bool
listed(const struct check_server *s, const char *name)
{
	for (size_t i = 0; i < s->cipher_count; i++)
		if (strcasecmp(s->cipher[i], name) == 0)
			return true;
	return false;
}

/* One name of the list, "?" before it when the server may do without; *len is of the list that OpenVPN makes anew. */
static void
token_read(struct check_server *s, const struct config_line *line, const char *token, size_t *len, struct findings *out)
{
	bool optional = token[0] == '?';
	const char *name = token + (optional ? 1 : 0);

	if (!cipher_is_taken(s->library, name)) {
		if (!optional)
			refuse(s, line, name, out);
		return;
	}
	*len += *len > 0 ? 1 : 0;
	if (LIST_MAX - *len <= strlen(name) + 2) {
		server_found(s, out, SERVER_CIPHER_UNSUPPORTED, line,
		    "expected a list of at most %d characters, found more", LIST_MAX);
		return;
	}
	*len += strlen(name);
	if (s->cipher_count < SERVER_CIPHERS_MAX && strlen(name) < SERVER_CIPHER_SIZE)
		(void)snprintf(s->cipher[s->cipher_count++], SERVER_CIPHER_SIZE, "%s", name);
}

static void
list_read(struct check_server *s, const struct config_line *line, const char *list, struct findings *out)
{
	size_t length = 0;

	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		char token[128];

		(void)snprintf(token, sizeof(token), "%.*s", (int)len, list);
		if (len > 0)
			token_read(s, line, token, &length, out);
		list += len + (list[len] == ':' ? 1 : 0);
	}
}

static const struct config_line *
later(const struct config_line *a, const struct config_line *b)
{
	return a == NULL || (b != NULL && b > a) ? b : a;
}

/*
 * options_set_backwards_compatible_options() and options_postprocess_cipher() in options.c: "cipher" counts for old
 * clients below compat-mode 2.5.0 only, and must be one that OpenSSL has in any case, but for BF-CBC.
 */
static void
ciphers_read(struct check_server *s, struct findings *out)
{
	const struct config *c = &s->config;
	const struct config_line *list = later(config_find(c, "data-ciphers"), config_find(c, "ncp-ciphers"));
	const struct config_line *fallback = config_find(c, "data-ciphers-fallback");
	const struct config_line *one = later(config_find(c, "cipher"), fallback);
	const struct config_line *compat = config_find(c, "compat-mode");
	const char *cipher = config_word(one, 1);

	list_read(s, list, config_word(list, 1) != NULL ? list->word[1] : LIST_DEFAULT, out);
	if (cipher == NULL && s->compat != 0 && s->compat < 20400)
		cipher = "BF-CBC";
	if (cipher != NULL && s->compat != 0 && s->compat < 20500 && !listed(s, cipher))
		list_read(s, one != NULL ? one : compat, cipher, out);
	else if (one != NULL && cipher != NULL && !cipher_is_taken(s->library, cipher) &&
		 (fallback != NULL || strcasecmp(cipher, "BF-CBC") != 0))
		refuse(s, one, cipher, out);
}

void
server_data_open(struct check_server *s, struct findings *out)
{
	const char *auth = server_word(s, "auth", AUTH_DEFAULT);
	EVP_MD *md;

	if (s->library == NULL)
		return;
	ciphers_read(s, out);
	md = EVP_MD_fetch(s->library, auth, NULL);
	if (md == NULL && strcmp(auth, "none") != 0)
		server_found(s, out, SERVER_AUTH_UNSUPPORTED, config_find(&s->config, "auth"),
		    "expected a digest as SHA1 or SHA256, found %s", auth);
	EVP_MD_free(md);
	ERR_clear_error();
}

static const struct config_line *
list_line(const struct check_server *s)
{
	return later(config_find(&s->config, "data-ciphers"), config_find(&s->config, "ncp-ciphers"));
}

static void
list_print(const struct check_server *s, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->cipher_count && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? ":" : "", s->cipher[i]);
}

static void
cipher_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	const char *fallback = server_word(s, "data-ciphers-fallback", server_word(s, "cipher", ""));
	char list[512];

	if (listed(s, c->cipher) || s->ciphers_refused)
		return;
	list_print(s, list, sizeof(list));
	server_found(s, out, SERVER_DATA_CIPHER, list_line(s), "expected %s, as in %s, found %s%s", c->cipher, name,
	    list, strcasecmp(fallback, c->cipher) == 0 ? "; to be the fallback does not suffice" : "");
}

/* Names of one digest are alike, as SHA1, sha1 and RSA-SHA1. */
static bool
digests_equal(const char *a, const char *b)
{
	const EVP_MD *one = EVP_get_digestbyname(a), *other = EVP_get_digestbyname(b);

	return strcasecmp(a, b) == 0 ||
	       (one != NULL && other != NULL && EVP_MD_get_type(one) == EVP_MD_get_type(other));
}

static void
mtu_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	unsigned long here = MTU_DEFAULT, there = c->tun_mtu != 0 ? c->tun_mtu : MTU_DEFAULT;
	const char *mtu = server_word(s, "tun-mtu", NULL);

	if (mtu != NULL && text_number(mtu, 1, UINT16_MAX, "tun-mtu", &here, NULL) != 0)
		return;
	if (here != there)
		server_found(s, out, SERVER_MTU, config_find(&s->config, "tun-mtu"),
		    "expected tun-mtu %lu, as in %s, found %lu", there, name, here);
}

void
server_data_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	const char *auth = server_word(s, "auth", AUTH_DEFAULT);
	bool fragment = server_has(s, "fragment");

	if (s->library == NULL)
		return;
	cipher_against(s, name, c, out);
	if (!digests_equal(auth, c->auth))
		server_found(s, out, SERVER_AUTH, config_find(&s->config, "auth"),
		    "expected auth %s, as in %s, found %s", c->auth, name, auth);
	if (fragment != c->fragment)
		server_found(s, out, SERVER_FRAGMENT, config_find(&s->config, "fragment"),
		    "expected %s, as in %s, found %s", c->fragment ? "fragment" : "no fragment", name,
		    fragment ? "one" : "none");
	if (server_has(s, "no-replay") != c->no_replay || c->no_iv)
		server_found(s, out, SERVER_REPLAY, config_find(&s->config, "no-replay"),
		    "expected %s, as in %s, found %s",
		    c->no_iv ? "no-iv" : (c->no_replay ? "no-replay" : "no no-replay"), name,
		    server_has(s, "no-replay") && !c->no_iv ? "it" : "none");
	mtu_against(s, name, c, out);
}

void
server_data_alone(const struct check_server *s, struct findings *out)
{
	char list[512];

	if (s->library == NULL || s->ciphers_refused)
		return;
	for (size_t i = 0; cipher_data_at(i) != NULL; i++)
		if (listed(s, cipher_data_at(i)))
			return;
	list_print(s, list, sizeof(list));
	server_found(s, out, SERVER_DATA_CIPHER, list_line(s),
	    "expected one of the phones' ciphers, as AES-256-CBC, found %s", list);
}
