/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "ca/facts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the server makes of one phone's certificate. */

/* x509_verify_cert_eku() in ssl_verify_openssl.c: by OpenSSL's name for it, or by its numbers. */
static bool
has_purpose(X509 *cert, const char *wanted)
{
	EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(list) && !found; i++) {
		for (int numbers = 0; numbers < 2 && !found; numbers++) {
			char text[256];

			found = OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(list, i), numbers) > 0 &&
			        strcmp(text, wanted) == 0;
		}
	}
	EXTENDED_KEY_USAGE_free(list);
	return found;
}

static bool
is_server(X509 *cert)
{
	X509 *whole = ca_cert_whole(cert);
	bool ok = whole != NULL && X509_check_purpose(whole, X509_PURPOSE_SSL_SERVER, 0) == 1;

	X509_free(whole);
	return ok;
}

/* remote-cert-tls says what remote-cert-eku does as well, and the later line counts. */
static void
extended_usage_check(const struct check_server *s, const char *name, X509 *cert, const struct ca_cert_facts *f,
    struct findings *out)
{
	const struct config_line *tls = config_find(&s->config, "remote-cert-tls");
	const struct config_line *eku = config_find(&s->config, "remote-cert-eku");
	const char *wanted = config_word(eku, 1), *kind = config_word(tls, 1);

	if (wanted != NULL && (tls == NULL || eku > tls)) {
		if (!has_purpose(cert, wanted))
			server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
			    "expected extendedKeyUsage %s, for remote-cert-eku, found %s", wanted,
			    f->has_purpose ? "another" : "none");
	} else if (kind != NULL && strcmp(kind, "client") == 0 && !f->purpose_client) {
		server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
		    "expected extendedKeyUsage clientAuth, for remote-cert-tls client, found %s",
		    f->has_purpose ? "another" : "none");
	} else if (kind != NULL && strcmp(kind, "server") == 0 && !f->purpose_server) {
		server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
		    "expected remote-cert-tls client on the server, found server, which no phone's certificate is for");
	}
}

/* x509_verify_cert_ku(): one of the numbers in hex, all of whose bits it has; without any, the extension is enough. */
static bool
has_usage(const struct config_line *line, X509 *cert)
{
	const unsigned long usage = X509_get_key_usage(cert) & 0xff;

	for (size_t i = 1; i < line->words; i++) {
		const unsigned long wanted = strtoul(line->word[i], NULL, 16);

		if (wanted != 0 && (usage & wanted) == wanted)
			return true;
	}
	return line->words < 2;
}

/* remote-cert-tls asks for the extension alone, and the later line counts. */
static void
usage_check(const struct check_server *s, const char *name, X509 *cert, const struct ca_cert_facts *f,
    struct findings *out)
{
	const struct config_line *ku = config_find(&s->config, "remote-cert-ku"),
				 *tls = config_find(&s->config, "remote-cert-tls");

	if (ku == NULL || (tls != NULL && tls > ku))
		return;
	if (!f->has_key_usage || !has_usage(ku, cert))
		server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
		    "expected keyUsage of remote-cert-ku's, found %s", f->has_key_usage ? "another" : "none");
}

/* Beside the CA's signature, not in its place, as long as there is a CA: verify_cert() in ssl_verify.c. */
static void
fingerprint_check(const struct check_server *s, const char *name, X509 *cert, struct findings *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[3 * sizeof(digest)] = "";
	const struct config_line *line = config_find(&s->config, "peer-fingerprint");
	unsigned int len = 0;

	if (line == NULL || X509_digest(cert, EVP_sha256(), digest, &len) != 1)
		return;
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(text + 3 * i, sizeof(text) - 3 * i, i + 1 < len ? "%02X:" : "%02X", digest[i]);
	for (line = NULL; (line = config_next(&s->config, line, "peer-fingerprint")) != NULL;) {
		const char *word = config_word(line, 1);
		char *block = line->content != NULL ? strndup(line->content, line->content_len) : NULL;
		bool listed = block != NULL ? strcasestr(block, text) != NULL
		                            : word != NULL && strcasecmp(word, text) == 0;

		free(block);
		if (listed)
			return;
	}
	server_found_phone(s, out, SERVER_PHONE_REFUSED, name, "expected %s in peer-fingerprint, found others", text);
}

/*
 * verify_peer_cert() in ssl_verify.c of 2.6.14. For ns-cert-type it takes what OpenSSL takes for such a certificate, which
 * a client's was when it was verified, and then the extension itself.
 */
static void
purpose_check(const struct check_server *s, const char *name, X509 *cert, const struct ca_cert_facts *f,
    struct findings *out)
{
	if (server_has(s, "remote-cert-tls") && !f->has_key_usage)
		server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
		    "expected keyUsage, for remote-cert-tls, found none");
	else
		extended_usage_check(s, name, cert, f, out);
	usage_check(s, name, cert, f, out);
	if (strcmp(server_word(s, "ns-cert-type", ""), "server") == 0 && !f->netscape_server && !is_server(cert))
		server_found_phone(s, out, SERVER_PHONE_PURPOSE, name,
		    "expected no ns-cert-type server on the server, found it, which no phone's certificate is for");
}

static void
name_check(const struct check_server *s, const char *name, X509 *cert, const struct ca_cert_facts *f,
    struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "verify-x509-name");
	const char *wanted = config_word(line, 1), *kind = config_word(line, 2);
	char subject[1024];
	bool ok;

	if (wanted == NULL)
		return;
	if (kind != NULL && strcmp(kind, "name") == 0)
		ok = strcmp(f->common_name, wanted) == 0;
	else if (kind != NULL && strcmp(kind, "name-prefix") == 0)
		ok = strncmp(f->common_name, wanted, strlen(wanted)) == 0;
	else
		ok = ca_subject_openvpn(cert, subject, sizeof(subject)) && strcmp(subject, wanted) == 0;
	if (!ok)
		server_found_phone(s, out, SERVER_PHONE_NAME, name, "expected %s, for verify-x509-name, found %s",
		    wanted, f->subject);
}

static void
refused_found(const struct check_server *s, const char *name, X509_STORE_CTX *ctx, struct findings *out)
{
	int error = X509_STORE_CTX_get_error(ctx);
	bool foreign = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	               error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	               error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;

	server_found_phone(s, out, foreign ? SERVER_PHONE_CA : SERVER_PHONE_REFUSED, name,
	    "expected a certificate that the server verifies, found at depth %d \"%s\"",
	    X509_STORE_CTX_get_error_depth(ctx), X509_verify_cert_error_string(error));
}

/* As OpenSSL verifies a client; CRLs come afterwards, as the signature of a long one costs too much for each phone. */
static bool
verify_chain(struct check_server *s, const char *name, X509 *cert, struct findings *out)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *whole = ca_cert_whole(cert);
	bool ok = false;

	if (ctx == NULL || whole == NULL || X509_STORE_CTX_init(ctx, s->store, whole, s->phone_chain) != 1)
		goto out;
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	X509_STORE_CTX_set_time(ctx, 0, s->clock->now);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), s->level);
	if (X509_verify_cert(ctx) == 1) {
		ca_voucher_learn(s->voucher, ctx, s->cas);
		ok = server_crl_phone(s, name, X509_STORE_CTX_get0_chain(ctx), out);
	} else {
		refused_found(s, name, ctx, out);
	}
out:
	X509_STORE_CTX_free(ctx);
	X509_free(whole);
	ERR_clear_error();
	return ok;
}

static bool
verify(struct check_server *s, const char *name, X509 *cert, struct findings *out)
{
	X509 *root = ca_voucher_root(s->voucher, cert, s->clock->now);
	STACK_OF(X509) *chain = root == NULL ? NULL : sk_X509_new_null();
	bool ok;

	if (chain != NULL && sk_X509_push(chain, cert) > 0 && sk_X509_push(chain, root) > 0)
		ok = server_crl_phone(s, name, chain, out);
	else
		ok = verify_chain(s, name, cert, out);
	sk_X509_free(chain);
	return ok;
}

void
check_server_phone(struct check_server *s, const char *name, X509 *cert, struct findings *out)
{
	struct ca_cert_facts f;

	/* Without a CA the server does not start, and that is said. */
	if (s->store == NULL || (sk_X509_num(s->cas) <= 0 && !s->has_capath))
		return;
	ca_cert_facts(cert, &f);
	if (!verify(s, name, cert, out))
		return;
	purpose_check(s, name, cert, &f, out);
	name_check(s, name, cert, &f, out);
	fingerprint_check(s, name, cert, out);
	server_ccd_phone(s, name, f.common_name, out);
}
