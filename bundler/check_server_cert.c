/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "ca/facts.h"
#include "ca/pem.h"
#include "common/text.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* The server's own certificate and key, and the CAs that it trusts. */

#define DAY 86400
#define BITS_MIN 1024 /* OpenSSL's level 1 */

static STACK_OF(X509) * certs_read(const struct check_server *s, const char *name, struct findings *out)
{
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	const struct config_line *line = config_find(&s->config, name);
	STACK_OF(X509) *list = NULL;
	struct err e = ERR_INIT;

	if (!server_file_text(s, line, &text))
		goto out;
	list = ca_pem_certs(buf_string(&text), text.len, name, &e);
	if (list == NULL)
		server_found(s, out, SERVER_FILE_BROKEN, line, "%s", e.text);
	else if (sk_X509_num(list) == 0)
		server_found(s, out, SERVER_FILE_BROKEN, line, "expected a certificate in PEM, found none");
out:
	buf_release(&text);
	return list;
}

static void
life_check(const struct check_server *s, const struct ca_cert_facts *f, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "cert");
	char when[TEXT_TIME_SIZE];

	text_time(f->not_before > s->clock->now ? f->not_before : f->not_after, when);
	if (f->not_before > s->clock->now)
		server_found(s, out, SERVER_CERT_NOT_YET, line,
		    "expected a certificate that is valid, found one from %s", when);
	else if (f->not_after < s->clock->now)
		server_found(s, out, SERVER_CERT_EXPIRED, line,
		    "expected a certificate that is valid, found one until %s", when);
	else if (f->not_after < s->clock->now + (time_t)s->clock->days * DAY)
		server_found(s, out, SERVER_CERT_EXPIRING, line, "expected more than %u days, found one until %s",
		    s->clock->days, when);
}

static void
cert_check(struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "cert");
	struct ca_cert_facts f;

	ca_cert_facts(s->cert, &f);
	life_check(s, &f, out);
	if (strcmp(f.signature_digest, "SHA1") == 0 || strncmp(f.signature_digest, "MD", 2) == 0)
		server_found(s, out, SERVER_CERT_WEAK, line, "expected a signature with SHA256, found %s",
		    f.signature_digest);
	else if (f.rsa && f.bits < BITS_MIN)
		server_found(s, out, SERVER_CERT_WEAK, line, "expected RSA of 2048 bits, found %d", f.bits);
	if (s->ssl == NULL)
		return;
	ERR_clear_error();
	if (SSL_CTX_use_certificate(s->ssl, s->cert) != 1) {
		server_found(s, out, SERVER_CERT_REFUSED, line,
		    "expected a certificate for security level %d, found \"%s\"", s->level,
		    ERR_reason_error_string(ERR_peek_last_error()));
		SSL_CTX_set_security_level(s->ssl, 0);
		(void)SSL_CTX_use_certificate(s->ssl, s->cert);
	}
	ERR_clear_error();
}

static void
key_check(struct check_server *s, struct findings *out)
{
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	const struct config_line *line = config_find(&s->config, "key");
	EVP_PKEY *key = NULL;
	struct err e = ERR_INIT;

	if (!server_file_text(s, line, &text))
		goto out;
	key = ca_pem_key(buf_string(&text), text.len, NULL, "key", &e);
	if (key == NULL && e.code == ERR_DENIED) {
		if (!server_has(s, "askpass"))
			server_found(s, out, SERVER_KEY_ENCRYPTED, line, "expected askpass beside it, found none");
	} else if (key == NULL) {
		server_found(s, out, SERVER_FILE_BROKEN, line, "%s", e.text);
	} else if (s->cert != NULL && !ca_cert_owns(s->cert, key)) {
		server_found(s, out, SERVER_KEY_MISMATCH, line, "expected the key of %s, found another",
		    server_word(s, "cert", "<cert>"));
	} else if (s->cert != NULL && s->ssl != NULL) {
		(void)SSL_CTX_use_PrivateKey(s->ssl, key);
	}
	ERR_clear_error();
out:
	EVP_PKEY_free(key);
	buf_release(&text);
}

/* What it sends behind its certificate: the rest of cert, and extra-certs. */
static void
identity_open(struct check_server *s, struct findings *out)
{
	STACK_OF(X509) *extra = certs_read(s, "extra-certs", out);
	X509 *cert;

	s->sent = certs_read(s, "cert", out);
	s->cert = s->sent == NULL ? NULL : sk_X509_shift(s->sent);
	if (s->cert != NULL)
		cert_check(s, out);
	key_check(s, out);
	while (s->sent != NULL && extra != NULL && (cert = sk_X509_shift(extra)) != NULL)
		if (sk_X509_push(s->sent, cert) <= 0)
			X509_free(cert);
	sk_X509_pop_free(extra, X509_free);
}

/* tls_ctx_load_ca() in ssl_openssl.c: it counts names, and each must be new. */
static void
names_check(const struct check_server *s, struct findings *out)
{
	char name[CA_FACTS_NAME_SIZE];

	for (int i = 1; i < sk_X509_num(s->cas); i++) {
		X509_NAME *subject = X509_get_subject_name(sk_X509_value(s->cas, i));

		for (int before = 0; before < i; before++) {
			if (X509_NAME_cmp(subject, X509_get_subject_name(sk_X509_value(s->cas, before))) != 0)
				continue;
			ca_name_print(subject, name);
			server_found(s, out, SERVER_CA_SAME_NAME, config_find(&s->config, "ca"),
			    "expected each subject once, found %s as number %d and %d", name, before + 1, i + 1);
			break;
		}
	}
}

static void
authorities_open(struct check_server *s, struct findings *out)
{
	const char *folder = server_word(s, "capath", NULL);
	char *path = folder == NULL ? NULL : server_path(s, folder, true);
	X509_LOOKUP *lookup;

	s->cas = certs_read(s, "ca", out);
	s->store = X509_STORE_new();
	for (int i = 0; s->store != NULL && i < sk_X509_num(s->cas); i++)
		(void)X509_STORE_add_cert(s->store, sk_X509_value(s->cas, i));
	if (s->store != NULL && path != NULL &&
	    (lookup = X509_STORE_add_lookup(s->store, X509_LOOKUP_hash_dir())) != NULL)
		s->has_capath = X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) == 1;
	s->voucher = ca_voucher_new();
	names_check(s, out);
	ERR_clear_error();
	free(path);
}

void
server_cert_open(struct check_server *s, struct findings *out)
{
	identity_open(s, out);
	authorities_open(s, out);
}

/* ---- against a phone ---- */

/* The server's own dates are judged by themselves. */
static int
chain_callback(int ok, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);

	return ok == 1 ||
	       (depth == 0 && (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID));
}

/*
 * Up to a self-signed certificate in <ca>. A server that sends none behind its own adds what its ca file has (OpenSSL,
 * SSL_MODE_NO_AUTO_CHAIN).
 */
static int
chain_verify(const struct check_server *s, STACK_OF(X509) * cas, int *ret_depth)
{
	STACK_OF(X509) *sent = sk_X509_num(s->sent) > 0 ? s->sent : s->cas;
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	for (int i = 0; store != NULL && i < sk_X509_num(cas); i++)
		(void)X509_STORE_add_cert(store, sk_X509_value(cas, i));
	if (store == NULL || ctx == NULL || X509_STORE_CTX_init(ctx, store, s->cert, sent) != 1)
		goto out;
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 0);
	X509_STORE_CTX_set_time(ctx, 0, s->clock->now);
	X509_STORE_CTX_set_verify_cb(ctx, chain_callback);
	error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	*ret_depth = X509_STORE_CTX_get_error_depth(ctx);
out:
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return error;
}

static void
chain_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	int depth = 0, error;

	if (sk_X509_num(c->cas) == 0)
		return;
	error = chain_verify(s, c->cas, &depth);
	if (error != X509_V_OK)
		server_found(s, out, SERVER_CERT_CHAIN, config_find(&s->config, "cert"),
		    "expected a chain to a CA in <ca> of %s, found at depth %d \"%s\"", name, depth,
		    X509_verify_cert_error_string(error));
}

/* x509_verify_cert_eku() of 2.3.2: by a name of OpenSSL's or by number. */
static bool
purpose_has(X509 *cert, const char *wanted)
{
	EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool ok = false;
	char text[128];

	for (int i = 0; i < sk_ASN1_OBJECT_num(list) && !ok; i++)
		for (int number = 0; number < 2; number++)
			ok = ok || (OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(list, i), number) > 0 &&
				       strcmp(text, wanted) == 0);
	EXTENDED_KEY_USAGE_free(list);
	ERR_clear_error();
	return ok;
}

/* x509_verify_cert_ku() of 2.3.2: exactly one of them. */
static bool
usage_is(const struct ca_cert_facts *f, const uint32_t wanted[CLIENT_USAGES_MAX])
{
	for (size_t i = 0; i < CLIENT_USAGES_MAX; i++)
		if (wanted[i] != 0 && f->has_key_usage && (f->key_usage & 0xff) == wanted[i])
			return true;
	return wanted[0] == 0;
}

static void
purpose_against(const struct check_server *s, const char *name, const struct client_side *c,
    const struct ca_cert_facts *f, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "cert");

	if (c->ns_cert_type && !f->netscape_server)
		server_found(s, out, SERVER_CERT_PURPOSE, line,
		    "expected nsCertType server, for ns-cert-type in %s, found %s", name,
		    f->has_netscape ? "another" : "none");
	if (!usage_is(f, c->key_usage))
		server_found(s, out, SERVER_CERT_PURPOSE, line,
		    "expected exactly keyUsage %02x%s, for remote-cert-tls or remote-cert-ku in %s, found %s%02x",
		    (unsigned int)c->key_usage[0], c->key_usage[1] != 0 ? " or another that is named" : "", name,
		    f->has_key_usage ? "" : "none, ", (unsigned int)f->key_usage);
	if (c->purpose != NULL && !purpose_has(s->cert, c->purpose))
		server_found(s, out, SERVER_CERT_PURPOSE, line,
		    "expected extendedKeyUsage \"%s\", for remote-cert-tls or remote-cert-eku in %s, found %s",
		    c->purpose, name, f->has_purpose ? "others" : "none");
	if (X509_check_purpose(s->cert, X509_PURPOSE_SSL_SERVER, 0) != 1)
		server_found(s, out, SERVER_CERT_PURPOSE, line,
		    "expected a server's certificate, found one for something "
		    "else: OpenSSL refuses it whatever %s says",
		    name);
}

/* COMMON_NAME_CHAR_CLASS in ssl_verify.c of 2.3.2: tls-remote sees an underscore in place of any other character. */
static bool
remapped_begins(const char *name, const char *with)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@/";

	for (; *with != '\0'; name++, with++)
		if (*name == '\0' || (strchr(plain, *name) != NULL ? *name : '_') != *with)
			return false;
	return true;
}

static void
name_against(const struct check_server *s, const char *name, const struct client_side *c, const struct ca_cert_facts *f,
    struct findings *out)
{
	char subject[1024];
	bool ok = true;

	switch (c->name_kind) {
	case CLIENT_NAME_NONE:
		return;
	case CLIENT_NAME_SUBJECT:
		ok = ca_subject_openvpn(s->cert, subject, sizeof(subject)) && strcmp(subject, c->name) == 0;
		break;
	case CLIENT_NAME_COMMON:
		ok = strcmp(f->common_name, c->name) == 0;
		break;
	case CLIENT_NAME_PREFIX:
		ok = strncmp(f->common_name, c->name, strlen(c->name)) == 0;
		break;
	case CLIENT_NAME_TLS_REMOTE:
		/* With a slash it is the whole subject, in an older form. */
		ok = strchr(c->name, '/') != NULL || remapped_begins(f->common_name, c->name);
		break;
	}
	if (!ok)
		server_found(s, out, SERVER_CERT_NAME, config_find(&s->config, "cert"),
		    "expected %s, as in %s, found %s", c->name, name, f->subject);
}

void
server_cert_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	struct ca_cert_facts f;

	if (s->cert == NULL)
		return;
	ca_cert_facts(s->cert, &f);
	purpose_against(s, name, c, &f, out);
	name_against(s, name, c, &f, out);
	chain_against(s, name, c, out);
	ERR_clear_error();
}
