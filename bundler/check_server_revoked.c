/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "ca/facts.h"
#include "common/text.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

/* Certificates that must be turned down, and whether the server does. */

#define WHY_SIZE 512

/* A CA's certificate may have been renewed with its key. */
static bool
authority_is(X509 *a, X509 *b)
{
	return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	       EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

static bool
is_among(const STACK_OF(X509) * cas, X509 *ca)
{
	for (int i = 0; i < sk_X509_num(cas); i++)
		if (authority_is(sk_X509_value(cas, i), ca))
			return true;
	return false;
}

/* Where there is a capath OpenVPN has OpenSSL look for CRLs in it as well: tls_ctx_load_ca() in ssl_openssl.c. */
static bool
capath_lists(X509_STORE_CTX *ctx, X509 *ca, const unsigned char *serial, size_t len)
{
	STACK_OF(X509_CRL) *crls = X509_STORE_CTX_get1_crls(ctx, X509_get_subject_name(ca));
	bool listed = false;

	for (int i = 0; i < sk_X509_CRL_num(crls) && !listed; i++)
		listed = ca_crl_lists_serial(sk_X509_CRL_value(crls, i), serial, len) &&
		         ca_crl_signed_by(sk_X509_CRL_value(crls, i), ca);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return listed;
}

/* A phone of this CA comes as far as the crl-verify line. */
static bool
comes_in(const struct check_server *s, X509 *ca, const unsigned char *serial, size_t len)
{
	X509_STORE_CTX *ctx = s->has_capath ? X509_STORE_CTX_new() : NULL;
	bool known = is_among(s->cas, ca);

	if (ctx != NULL && X509_STORE_CTX_init(ctx, s->store, NULL, NULL) == 1) {
		STACK_OF(X509) *cas = X509_STORE_CTX_get1_certs(ctx, X509_get_subject_name(ca));

		known = (known || is_among(cas, ca)) && !capath_lists(ctx, ca, serial, len);
		sk_X509_pop_free(cas, X509_free);
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return known;
}

/* What is not read as the user that the server becomes is not there for it. */
static enum server_gap
folder_gap(const struct check_server *s, const unsigned char *serial, size_t len)
{
	BIGNUM *number = BN_bin2bn(serial, (int)len, NULL);
	enum server_listing listing;
	char why[WHY_SIZE];

	listing = server_crl_folder(s, number, why, sizeof(why));
	BN_free(number);
	if (s->crl_dir_known && listing == SERVER_LISTING_ABSENT)
		return SERVER_GAP_NO_FILE;
	return s->crl_dir_unreadable || listing == SERVER_LISTING_UNREADABLE ? SERVER_GAP_UNREADABLE : SERVER_GAP_NONE;
}

/* A file without a CRL, or one that is not in force, keeps everybody out, and that is said. */
static enum server_gap
file_gap(const struct check_server *s, X509 *ca, const unsigned char *serial, size_t len)
{
	const struct server_authority *a = s->authority;
	size_t i = 0;

	while (i < s->authority_count && !authority_is(a[i].cert, ca))
		i++;
	if (i == s->authority_count)
		return SERVER_GAP_NONE;
	if (a[i].crl == NULL)
		return SERVER_GAP_NO_CRL;
	if (a[i].expired || a[i].not_yet || ca_crl_lists_serial(a[i].crl, serial, len))
		return SERVER_GAP_NONE;
	return SERVER_GAP_NOT_LISTED;
}

void
check_server_revoked(struct check_server *s, const char *name, X509 *ca, const unsigned char *serial, size_t len)
{
	enum server_gap gap = SERVER_GAP_NO_VERIFY;
	char hex[2 * 64 + 1];

	if (len > sizeof(hex) / 2 || !comes_in(s, ca, serial, len))
		return;
	if (s->crl_dir != NULL)
		gap = folder_gap(s, serial, len);
	else if (config_find(&s->config, "crl-verify") != NULL)
		gap = file_gap(s, ca, serial, len);
	if (gap != SERVER_GAP_NONE && server_ccd_refuses(s, name))
		gap = SERVER_GAP_NAME;
	if (gap == SERVER_GAP_NONE || s->let_in[gap].count++ > 0)
		return;
	text_hex_number(serial, len, hex);
	(void)snprintf(s->let_in[gap].first, sizeof(s->let_in[gap].first), "%s, serial %s", name, hex);
}

void
check_server_revoked_report(const struct check_server *s, struct findings *out)
{
	static const char *const texts[SERVER_GAP_COUNT] = {
		[SERVER_GAP_NO_VERIFY] = "expected crl-verify, found none",
		[SERVER_GAP_NO_CRL] = "expected a CRL of their CA, found none",
		[SERVER_GAP_NOT_LISTED] = "expected their serials in the CRL, found them missing",
		[SERVER_GAP_NO_FILE] = "expected a file named by each serial in decimal, found none",
		[SERVER_GAP_UNREADABLE] = "expected files that the server's user can read, found others",
		[SERVER_GAP_NAME] = "expected crl-verify to refuse them, found client-config-dir alone to do so",
	};

	for (unsigned int gap = SERVER_GAP_NONE + 1; gap < SERVER_GAP_COUNT; gap++) {
		const struct server_let_in *in = &s->let_in[gap];

		if (in->count > 0)
			server_found(s, out, gap == SERVER_GAP_NAME ? SERVER_REVOKED_BY_NAME : SERVER_NOT_REVOKED,
			    config_find(&s->config, "crl-verify"), "%zu revoked certificate%s, %s%s: %s", in->count,
			    in->count == 1 ? "" : "s", in->count == 1 ? "of " : "the first of ", in->first, texts[gap]);
	}
}
