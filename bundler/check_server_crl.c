/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "ca/facts.h"
#include "common/text.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
enum server_listing
server_crl_folder(const struct check_server *s, const BIGNUM *serial, char *ret_why, size_t size)
{
	char *decimal = serial == NULL ? NULL : BN_bn2dec(serial);
	char *path = decimal == NULL ? NULL : text_format("%s/%s", s->crl_dir, decimal);
	enum server_listing listing = SERVER_LISTING_READ;
	struct stat st;

	if (path == NULL || stat(path, &st) != 0)
		listing = SERVER_LISTING_ABSENT;
	else if (!server_user_reads(s, path, ret_why, size))
		listing = SERVER_LISTING_UNREADABLE;
	else
		(void)snprintf(ret_why, size, "%s", path);
	OPENSSL_free(decimal);
	free(path);
	return listing;
}

/* False when it is refused. OpenVPN looks for each certificate of the chain, the CA's too. */
static bool
folder_check(const struct check_server *s, const char *name, X509 *cert, struct findings *out)
{
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	enum server_listing listing;
	char why[WHY_SIZE];

	listing = server_crl_folder(s, serial, why, sizeof(why));
	if (listing == SERVER_LISTING_READ)
		server_found_phone(s, out, SERVER_PHONE_REVOKED, name, "expected no file %s, found it", why);
	else if (listing == SERVER_LISTING_UNREADABLE)
		server_found_phone(s, out, SERVER_NOT_REVOKED, name,
		    "expected user %s to read the file of its serial in %s, found %s", server_word(s, "user", ""),
		    s->crl_dir, why);
	BN_free(serial);
	return listing != SERVER_LISTING_READ;
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
	int count = sk_X509_num(chain);
	bool ok = true;

	for (int i = 0; i < count && s->crl_dir != NULL && ok; i++)
		ok = folder_check(s, name, sk_X509_value(chain, i), out);
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
