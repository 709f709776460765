/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "ca/facts.h"
#include "common/text.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY 86400
#define WHY_SIZE 512

static const struct config_line *
crl_line(const struct check_server *s)
{
	return config_find(&s->config, "crl-verify");
}

bool
server_crl_is_dir(const struct check_server *s)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "crl-verify")) != NULL) {
		const char *kind = config_word(line, 2);

		if (kind != NULL && strcmp(kind, "dir") == 0)
			return true;
	}
	return false;
}

/* As many as OpenVPN loads: up to the first that is broken (backend_tls_ctx_reload_crl() in ssl_openssl.c). */
static STACK_OF(X509_CRL) * crls_read(const struct buf *text)
{
	BIO *bio = BIO_new_mem_buf(buf_string(text), (int)text->len);
	STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();
	X509_CRL *crl;

	while (bio != NULL && list != NULL && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_CRL_push(list, crl) <= 0) {
			X509_CRL_free(crl);
			break;
		}
	}
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

/* OpenSSL takes the one that is in force; of several, the last that ends. */
static X509_CRL *
crl_of(const struct check_server *s, X509 *ca)
{
	X509_CRL *best = NULL;
	time_t until = 0;

	for (int i = 0; i < sk_X509_CRL_num(s->crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(s->crls, i);
		struct ca_crl_facts f;

		if (!ca_crl_signed_by(crl, ca))
			continue;
		ca_crl_facts(crl, &f);
		if (best != NULL && f.next_update != 0 && (f.next_update < until || f.this_update > s->clock->now))
			continue;
		best = crl;
		until = f.next_update == 0 ? (time_t)LONG_MAX : f.next_update;
	}
	if (best != NULL)
		X509_CRL_up_ref(best);
	return best;
}

static void
authority_check(const struct check_server *s, struct server_authority *a, struct findings *out)
{
	char name[CA_FACTS_NAME_SIZE], when[TEXT_TIME_SIZE];
	struct ca_crl_facts f;

	ca_name_print(X509_get_subject_name(a->cert), name);
	if (a->crl == NULL) {
		server_found(s, out, SERVER_CRL_OTHER, crl_line(s), "expected a CRL of %s, found none", name);
		return;
	}
	ca_crl_facts(a->crl, &f);
	a->expired = f.next_update != 0 && f.next_update < s->clock->now;
	a->not_yet = f.this_update > s->clock->now;
	text_time(a->not_yet ? f.this_update : f.next_update, when);
	if (a->not_yet)
		server_found(s, out, SERVER_CRL_NOT_YET, crl_line(s),
		    "expected the CRL of %s to be in force, found one from %s", name, when);
	else if (f.next_update != 0 && !a->expired && f.next_update < s->clock->now + (time_t)s->clock->days * DAY)
		server_found(s, out, SERVER_CRL_EXPIRING, crl_line(s),
		    "expected more than %u days, found the CRL of %s until %s", s->clock->days, name, when);
}

static void
expired_found(const struct check_server *s, struct server_authority *a, enum server_rule rule, struct findings *out)
{
	char name[CA_FACTS_NAME_SIZE], when[TEXT_TIME_SIZE];
	struct ca_crl_facts f;

	ca_name_print(X509_get_subject_name(a->cert), name);
	ca_crl_facts(a->crl, &f);
	text_time(f.next_update, when);
	server_found(s, out, rule, crl_line(s), "expected the CRL of %s to be in force, found one until %s", name,
	    when);
	a->told = rule == SERVER_CRL_EXPIRED;
}

/*
 * With one CA an expired CRL keeps everybody out; with several only the phones of that CA, if it has any left: then
 * check_server_phone() says so.
 */
static void
authorities_open(struct check_server *s, struct findings *out)
{
	size_t count = (size_t)(sk_X509_num(s->cas) > 0 ? sk_X509_num(s->cas) : 0), fresh = 0;

	s->authority = calloc(count + 1, sizeof(*s->authority));
	if (s->authority == NULL)
		return;
	s->authority_count = count;
	for (size_t i = 0; i < count; i++) {
		struct server_authority *a = &s->authority[i];

		a->cert = sk_X509_value(s->cas, (int)i);
		a->crl = crl_of(s, a->cert);
		authority_check(s, a, out);
		fresh += a->expired ? 0 : 1;
	}
	for (size_t i = 0; i < count; i++)
		if (s->authority[i].expired)
			expired_found(s, &s->authority[i], fresh == 0 ? SERVER_CRL_EXPIRED : SERVER_CRL_STALE, out);
}

static void
file_open(struct check_server *s, struct findings *out)
{
	const char *name = config_word(crl_line(s), 1);
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	char why[WHY_SIZE], *path = name == NULL ? NULL : server_path(s, name, true);

	if (!server_file_text(s, crl_line(s), &text))
		goto out;
	s->crls = crls_read(&text);
	if (sk_X509_CRL_num(s->crls) <= 0)
		server_found(s, out, SERVER_CRL_EMPTY, crl_line(s), "expected a CRL in PEM, found none");
	else
		authorities_open(s, out);
	if (path != NULL && !server_user_reads(s, path, why, sizeof(why)))
		server_found(s, out, SERVER_CRL_UNREADABLE, crl_line(s), "expected user %s to read it, found %s",
		    server_word(s, "user", ""), why);
out:
	free(path);
	buf_release(&text);
}

static void
folder_open(struct check_server *s, struct findings *out)
{
	char why[WHY_SIZE];

	s->crl_dir = server_path(s, crl_line(s)->word[1], true);
	s->crl_dir_known = s->crl_dir != NULL && access(s->crl_dir, R_OK | X_OK) == 0;
	s->crl_dir_unreadable = s->crl_dir != NULL && !server_user_reads(s, s->crl_dir, why, sizeof(why));
	if (s->crl_dir_unreadable)
		server_found(s, out, SERVER_CRL_DIR_UNREADABLE, crl_line(s), "expected user %s to read it, found %s",
		    server_word(s, "user", ""), why);
}

void
server_crl_open(struct check_server *s, struct findings *out)
{
	if (crl_line(s) == NULL)
		return;
	if (server_crl_is_dir(s) && crl_line(s)->content == NULL)
		folder_open(s, out);
	else
		file_open(s, out);
}

/* verify_check_crl_dir() in ssl_verify.c: a file that is named by the serial in decimal, whatever it holds. */
static char *
folder_path(const struct check_server *s, const BIGNUM *number)
{
	char *serial = number == NULL ? NULL : BN_bn2dec(number);
	char *path = serial == NULL ? NULL : text_format("%s/%s", s->crl_dir, serial);

	OPENSSL_free(serial);
	return path;
}

static bool
file_opens(const char *path)
{
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
folder_lists(const struct check_server *s, X509 *cert, char *ret_serial, size_t size)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *path = folder_path(s, number);
	bool listed = file_opens(path);

	(void)snprintf(ret_serial, size, "%s", path != NULL ? path + strlen(s->crl_dir) + 1 : "");
	free(path);
	BN_free(number);
	return listed;
}

static struct server_authority *
authority_find(struct check_server *s, const X509 *cert)
{
	for (size_t i = 0; i < s->authority_count; i++)
		if (s->authority[i].cert == cert || X509_cmp(s->authority[i].cert, cert) == 0)
			return &s->authority[i];
	return NULL;
}

bool
server_crl_phone(struct check_server *s, const char *name, STACK_OF(X509) * chain, struct findings *out)
{
	struct ca_cert_facts f;
	char serial[64];
	bool ok = true;
	int count = sk_X509_num(chain);

	if (s->crl_dir != NULL && !s->crl_dir_unreadable &&
	    folder_lists(s, sk_X509_value(chain, 0), serial, sizeof(serial))) {
		server_found_phone(s, out, SERVER_PHONE_REVOKED, name, "expected no file %s in %s, found it", serial,
		    s->crl_dir);
		return false;
	}
	for (int i = 0; i < count; i++) {
		struct server_authority *a = authority_find(s, sk_X509_value(chain, i + 1 < count ? i + 1 : i));

		if (a == NULL || a->crl == NULL)
			continue;
		if (a->expired && !a->told)
			expired_found(s, a, SERVER_CRL_EXPIRED, out);
		ok = ok && !a->expired;
		if (!ca_crl_lists(a->crl, sk_X509_value(chain, i)))
			continue;
		ca_cert_facts(sk_X509_value(chain, i), &f);
		server_found_phone(s, out, SERVER_PHONE_REVOKED, name,
		    "expected a certificate that is not revoked, found "
		    "%s of serial %s in the CRL",
		    f.subject, f.serial);
		ok = false;
	}
	return ok;
}

/* ---- what must be turned down ---- */

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
	enum server_gap gap = SERVER_GAP_NONE;
	char why[WHY_SIZE], *path = folder_path(s, number);

	if (s->crl_dir_known && !file_opens(path))
		gap = SERVER_GAP_NO_FILE;
	else if (s->crl_dir_unreadable || (s->crl_dir_known && !server_user_reads(s, path, why, sizeof(why))))
		gap = SERVER_GAP_UNREADABLE;
	free(path);
	BN_free(number);
	return gap;
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
	else if (crl_line(s) != NULL)
		gap = file_gap(s, ca, serial, len);
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
	};

	for (unsigned int gap = SERVER_GAP_NONE + 1; gap < SERVER_GAP_COUNT; gap++) {
		const struct server_let_in *in = &s->let_in[gap];

		if (in->count > 0)
			server_found(s, out, SERVER_NOT_REVOKED, crl_line(s), "%zu revoked certificate%s, %s%s: %s",
			    in->count, in->count == 1 ? "" : "s", in->count == 1 ? "of " : "the first of ", in->first,
			    texts[gap]);
	}
}
