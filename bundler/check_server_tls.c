/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "dseries/cipher.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITES_MAX 4096
/* tls_ctx_restrict_ciphers() in ssl_openssl.c of 2.6.14 */
#define SUITES_DEFAULT "DEFAULT:!EXP:!LOW:!MEDIUM:!kDH:!kECDH:!DSS:!PSK:!SRP:!kRSA"
#define ALL_SUITES "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
/* What OpenSSL 1.0 has of the curves that are left. */
#define PHONE_GROUPS "P-256:P-384:P-521"
#define ROUNDS_MAX 16
#define PROFILE_SUITEB 3

/* ---- what the server's configuration makes of OpenSSL ---- */

void
server_library_free(struct check_server *s)
{
	while (s->provider_count > 0)
		(void)OSSL_PROVIDER_unload(s->provider[--s->provider_count]);
	OSSL_LIB_CTX_free(s->library);
	s->library = NULL;
}

/* "providers" in their order, the default one only when it is named or when there is no such line. */
static bool
library_make(struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "providers");
	bool has_default = line == NULL;

	s->library = OSSL_LIB_CTX_new();
	for (size_t i = 1; s->library != NULL && line != NULL && i < line->words; i++) {
		OSSL_PROVIDER *provider = OSSL_PROVIDER_load(s->library, line->word[i]);

		if (provider != NULL)
			s->provider[s->provider_count++] = provider;
		else
			server_found(s, out, SERVER_PROVIDERS, line,
			    "expected providers of OpenSSL, found %s, which this machine's does not load",
			    line->word[i]);
		has_default = has_default || strcmp(line->word[i], "default") == 0 ||
		              strcmp(line->word[i], "fips") == 0;
	}
	ERR_clear_error();
	if (s->library == NULL)
		return false;
	if (has_default)
		return true;
	server_found(s, out, SERVER_PROVIDERS, line, "expected default among the providers, found none");
	server_library_free(s);
	return false;
}

/* OpenVPN takes IANA's names with '-' for '_' and calls OpenSSL's own deprecated. */
static bool
name_is_iana(const SSL_CIPHER *cipher, const char *name, size_t len)
{
	const char *iana = SSL_CIPHER_standard_name(cipher);
	size_t i = 0;

	while (iana != NULL && i < len && iana[i] != '\0' && (iana[i] == '_' ? '-' : iana[i]) == name[i])
		i++;
	return iana != NULL && i == len && iana[i] == '\0';
}

/* convert_tls_list_to_openssl() in ssl_openssl.c. */
static void
suites_translate(SSL_CTX *all, const char *list, struct buf *out)
{
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(all);

	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		const SSL_CIPHER *match = NULL;

		for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && match == NULL; i++)
			if (name_is_iana(sk_SSL_CIPHER_value(ciphers, i), list, len))
				match = sk_SSL_CIPHER_value(ciphers, i);
		if (match != NULL)
			buf_add_string(out, SSL_CIPHER_get_name(match));
		else
			buf_add(out, list, len);
		list += len;
		if (*list == ':') {
			buf_add_string(out, ":");
			list++;
		}
	}
}

/* Set a list of OpenVPN's; false when OpenSSL refuses it. */
static bool
suites_set(OSSL_LIB_CTX *library, SSL_CTX *ssl, const char *list)
{
	struct buf text = BUF_INIT(SUITES_MAX);
	SSL_CTX *all = SSL_CTX_new_ex(library, NULL, TLS_method());
	bool ok = false;

	if (all == NULL || SSL_CTX_set_cipher_list(all, ALL_SUITES) != 1)
		goto out;
	suites_translate(all, list, &text);
	ok = !text.broken && SSL_CTX_set_cipher_list(ssl, buf_string(&text)) == 1;
out:
	ERR_clear_error();
	SSL_CTX_free(all);
	buf_release(&text);
	return ok;
}

/* tls_ctx_set_cert_profile(); -1 when it is none of its words. */
static int
profile_level(const char *profile)
{
	static const char *const profiles[] = { "insecure", "legacy", "preferred", "suiteb" };

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profile, profiles[i]) == 0)
			return (int)i;
	return -1;
}

/*
 * tls_ctx_load_dh_params(): before profile and suites, so that OpenSSL's own level counts, which is 2 on Debian. The
 * 1024 bits that were the custom up to easy-rsa 2 are too few for it.
 */
static void
dh_set(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "dh");
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	EVP_PKEY *dh = NULL;
	BIO *bio = NULL;

	if (line == NULL || (line->content == NULL && strcmp(server_word(s, "dh", "none"), "none") == 0) ||
	    !server_file_text(s, line, &text))
		goto out;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	dh = bio == NULL ? NULL : PEM_read_bio_Parameters_ex(bio, NULL, s->library, NULL);
	if (dh == NULL)
		server_found(s, out, SERVER_FILE_BROKEN, line, "expected Diffie-Hellman parameters in PEM, found none");
	else if (SSL_CTX_set0_tmp_dh_pkey(s->ssl, dh) != 1)
		server_found(s, out, SERVER_FILE_BROKEN, line,
		    "expected dh none, or parameters of 2048 bits, found %d: \"%s\"", EVP_PKEY_get_bits(dh),
		    ERR_reason_error_string(ERR_peek_last_error()));
	else
		dh = NULL;
out:
	ERR_clear_error();
	EVP_PKEY_free(dh);
	BIO_free(bio);
	buf_release(&text);
}

/* Those of TLS 1.3: no phone has it, and a name that there is not ends the server. */
static void
ciphersuites_set(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "tls-ciphersuites");
	char *list = config_word(line, 1) == NULL ? NULL : strdup(line->word[1]);

	for (char *c = list; c != NULL && *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	if (list != NULL && SSL_CTX_set_ciphersuites(s->ssl, list) != 1)
		server_found(s, out, SERVER_OPTIONS, line, "Failed to set restricted TLS 1.3 cipher list: %s",
		    line->word[1]);
	ERR_clear_error();
	free(list);
}

static void
level_set(struct check_server *s, struct findings *out)
{
	const struct config_line *profile = config_find(&s->config, "tls-cert-profile");
	const struct config_line *suites = config_find(&s->config, "tls-cipher");
	const struct config_line *groups = config_find(&s->config, "tls-groups");
	int level = profile_level(server_word(s, "tls-cert-profile", "legacy"));

	if (level < 0) {
		server_found(s, out, SERVER_OPTIONS, profile, "ERROR: Invalid cert profile: %s", profile->word[1]);
		level = 1;
	}
	SSL_CTX_set_security_level(s->ssl, level);
	/* It asks for elliptic certificates, whatever tls-cipher says afterwards. */
	if (level == PROFILE_SUITEB)
		(void)SSL_CTX_set_cipher_list(s->ssl, "SUITEB128");
	if (!suites_set(s->library, s->ssl, server_word(s, "tls-cipher", SUITES_DEFAULT))) {
		server_found(s, out, SERVER_OPTIONS, suites, "Failed to set restricted TLS cipher list: %s",
		    server_word(s, "tls-cipher", ""));
		s->suites_refused = true;
	}
	s->level = SSL_CTX_get_security_level(s->ssl);
	if (config_word(groups, 1) != NULL && SSL_CTX_set1_groups_list(s->ssl, groups->word[1]) != 1)
		server_found(s, out, SERVER_OPTIONS, groups, "Failed to set allowed TLS group list: %s",
		    groups->word[1]);
	ERR_clear_error();
}

/* "1.0" as 10; 0 for what OpenVPN does not take. */
static unsigned int
version_of(const char *s)
{
	static const char *const versions[] = { "1.0", "1.1", "1.2", "1.3" };

	for (unsigned int i = 0; i < 4; i++)
		if (strcmp(s, versions[i]) == 0)
			return 10 + i;
	return 0;
}

/* options_set_backwards_compatible_options() in options.c of 2.6.14. */
static void
version_check(struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "tls-version-min");
	const char *given = config_word(line, 1), *most = server_word(s, "tls-version-max", NULL);
	unsigned int min = given != NULL ? version_of(given) : 0, max = most != NULL ? version_of(most) : 13;

	if (given != NULL && min == 0)
		server_found(s, out, SERVER_OPTIONS, line, "Options error: unknown tls-version-min parameter: %s",
		    given);
	if (most != NULL && max == 0)
		server_found(s, out, SERVER_OPTIONS, config_find(&s->config, "tls-version-max"),
		    "Options error: unknown tls-version-max parameter: %s", most);
	if ((given != NULL && min == 0) || max == 0)
		return;
	if (given == NULL && s->compat != 0 && s->compat < 20307)
		min = 10;
	else if (given == NULL)
		min = max < 12 ? max : 12;
	if (min > max)
		server_found(s, out, SERVER_OPTIONS, line,
		    "Options error: --tls-version-min bigger than "
		    "--tls-version-max");
	else
		s->tls_min = min;
}

void
server_tls_old(struct check_server *s, struct findings *out)
{
	const struct config_line *min = config_find(&s->config, "tls-version-min");

	if (s->tls_told)
		return;
	s->tls_told = true;
	if (s->tls_min > 10)
		server_found(s, out, SERVER_TLS_VERSION, min, "expected 1.0, found %s1.%u",
		    config_word(min, 1) == NULL ? "none, which is " : "", s->tls_min - 10);
	if (s->ssl != NULL && s->level > 0)
		server_found(s, out, SERVER_SECURITY_LEVEL,
		    config_find(&s->config, server_has(s, "tls-cipher") ? "tls-cipher" : "tls-cert-profile"),
		    "expected security level 0, found %d", s->level);
}

void
server_tls_open(struct check_server *s, struct findings *out)
{
	version_check(s, out);
	if (!library_make(s, out))
		return;
	s->ssl = SSL_CTX_new_ex(s->library, NULL, TLS_server_method());
	if (s->ssl == NULL)
		return;
	dh_set(s, out);
	level_set(s, out);
	ciphersuites_set(s, out);
}

/* ---- a handshake, as the phone would make it ---- */

/* The page's suites, of them those that the phone's own tls-cipher leaves. False when nothing is left. */
static bool
phone_suites_set(SSL_CTX *phone, OSSL_LIB_CTX *library, const char *own)
{
	struct buf list = BUF_INIT(SUITES_MAX);
	STACK_OF(SSL_CIPHER) * ciphers;
	bool ok;

	/* A list of which this OpenSSL has none has none in common with it. */
	if (!suites_set(library, phone, own != NULL ? own : ALL_SUITES))
		return false;
	ciphers = SSL_CTX_get_ciphers(phone);
	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));

		for (size_t p = 0; cipher_control_at(p) != NULL; p++)
			if (strcmp(name, cipher_control_at(p)) == 0)
				buf_addf(&list, "%s:", name);
	}
	buf_add_string(&list, "@SECLEVEL=0");
	ok = strchr(buf_string(&list), ':') != NULL && SSL_CTX_set_cipher_list(phone, buf_string(&list)) == 1;
	buf_release(&list);
	return ok;
}

static SSL_CTX *
phone_make(OSSL_LIB_CTX *library, const char *own)
{
	SSL_CTX *phone = SSL_CTX_new_ex(library, NULL, TLS_client_method());
	char groups[] = PHONE_GROUPS;

	if (phone != NULL && SSL_CTX_set_min_proto_version(phone, TLS1_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(phone, TLS1_VERSION) == 1 && phone_suites_set(phone, library, own) &&
	    SSL_CTX_set1_groups_list(phone, groups) == 1)
		return phone;
	SSL_CTX_free(phone);
	return NULL;
}

/* Turn by turn, until both are done or one fails; 0 or the server's error, or the phone's. */
static unsigned long
shake_hands(SSL *server, SSL *phone)
{
	unsigned long error = 0;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		int there = SSL_do_handshake(phone), here = SSL_do_handshake(server);

		if (here == 1 && there == 1)
			return 0;
		if (here != 1 && SSL_get_error(server, here) != SSL_ERROR_WANT_READ)
			return ERR_peek_last_error();
		if (there != 1 && SSL_get_error(phone, there) != SSL_ERROR_WANT_READ)
			error = ERR_peek_last_error();
		if (error != 0)
			return error;
	}
	return ERR_PACK(ERR_LIB_SSL, 0, SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

/* 0 when it succeeds; else OpenSSL's error. What is judged already, version and level, is left aside. */
static unsigned long
handshake(const struct check_server *s, const char *suites)
{
	SSL_CTX *ctx = phone_make(s->library, suites);
	SSL *server = SSL_new(s->ssl), *phone = ctx == NULL ? NULL : SSL_new(ctx);
	BIO *here = NULL, *there = NULL;
	unsigned long error = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_NO_SHARED_CIPHER);

	ERR_clear_error();
	if (server == NULL || phone == NULL || BIO_new_bio_pair(&here, 0, &there, 0) != 1)
		goto out;
	SSL_set_bio(server, here, here);
	SSL_set_bio(phone, there, there);
	SSL_set_accept_state(server);
	SSL_set_connect_state(phone);
	SSL_set_security_level(server, 0);
	(void)SSL_set_min_proto_version(server, TLS1_VERSION);
	(void)SSL_set_max_proto_version(server, 0);
	error = shake_hands(server, phone);
out:
	ERR_clear_error();
	SSL_free(server);
	SSL_free(phone);
	SSL_CTX_free(ctx);
	return error;
}

static void
handshake_check(const struct check_server *s, const char *name, const char *suites, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "tls-cipher");
	unsigned long error;
	bool rsa;

	/* Without certificate and key there is nothing to try, and that is said already. */
	if (s->ssl == NULL || s->suites_refused || s->cert == NULL || SSL_CTX_check_private_key(s->ssl) != 1 ||
	    (error = handshake(s, suites)) == 0) {
		ERR_clear_error();
		return;
	}
	rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(s->cert)) == EVP_PKEY_RSA;
	if (!rsa)
		server_found(s, out, SERVER_CERT_NOT_RSA, config_find(&s->config, "cert"),
		    "expected an RSA key, found %s", OBJ_nid2sn(EVP_PKEY_get_base_id(X509_get0_pubkey(s->cert))));
	else if (ERR_GET_REASON(error) == SSL_R_NO_SHARED_CIPHER)
		server_found(s, out, SERVER_TLS_SUITES, line, "expected one of %s, found %s%s%s%s",
		    suites == NULL ? "the page's suites" : suites, server_word(s, "tls-cipher", "OpenVPN's default"),
		    name[0] != '\0' ? " (" : "", name, name[0] != '\0' ? ")" : "");
	else
		server_found(s, out, SERVER_HANDSHAKE, line, "expected a handshake in TLS 1.0, found \"%s\"",
		    ERR_reason_error_string(error));
}

void
server_tls_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	handshake_check(s, name, c->tls_cipher, out);
}

void
server_tls_alone(const struct check_server *s, struct findings *out)
{
	handshake_check(s, "", NULL, out);
}
