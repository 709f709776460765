/* SPDX-License-Identifier: ISC */
#include "phone/certificate.h"

#include "common/text.h"
#include "phone/certificate_describe.h"
#include "phone/certificate_issuer.h"
#include "phone/certificate_key.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void
note(struct certificate_info *info, const char *fmt, ...)
{
	va_list ap;

	if (info->note_count >= CERTIFICATE_NOTES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(info->notes[info->note_count++], CERTIFICATE_NOTE_SIZE, fmt, ap);
	va_end(ap);
}

/* ---- reading ---- */

static BIO *
open_text(const void *text, size_t len)
{
	return len <= INT_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
}

/* The phone's own certificate, and behind it in the same block those that it sends along. */
struct own {
	X509 *cert;
	STACK_OF(X509) * others;
	bool broken; /* behind the first is one that cannot be read: 2.3.2 leaves it out, and what follows */
};

static void
own_release(struct own *own)
{
	X509_free(own->cert);
	sk_X509_pop_free(own->others, X509_free);
}

static int
own_read(const void *text, size_t len, struct own *ret, struct err *e)
{
	struct own own = { .others = sk_X509_new_null() };
	BIO *bio = open_text(text, len);
	X509 *next;

	own.cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, certificate_no_password, NULL) : NULL;
	if (own.others == NULL || own.cert == NULL) {
		err_openssl(e, ERR_INTEGRITY, "<cert>: expected PEM of a certificate, found none that can be read");
		BIO_free(bio);
		own_release(&own);
		return -1;
	}
	while ((next = PEM_read_bio_X509(bio, NULL, certificate_no_password, NULL)) != NULL) {
		if (sk_X509_push(own.others, next) == 0)
			X509_free(next);
	}
	own.broken = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(bio);
	*ret = own;
	return 0;
}

/* OpenSSL 1.0 knows no others, as Ed25519 or RSA for PSS alone, and ends: "Cannot load inline certificate file". */
static int
own_check_kind(const X509 *cert, struct err *e)
{
	static const int kinds[] = { EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_DSA, EVP_PKEY_DH };
	ASN1_OBJECT *kind = NULL;
	char name[64];

	(void)X509_PUBKEY_get0_param(&kind, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kind != NULL && OBJ_obj2nid(kind) == kinds[i])
			return 0;
	}
	if (kind == NULL || OBJ_obj2txt(name, sizeof(name), kind, 0) <= 0)
		(void)snprintf(name, sizeof(name), "none");
	return err_set(e, ERR_INTEGRITY,
	    "<cert>: expected a certificate of an RSA key, which the phone's OpenSSL knows, found %s", name);
}

/* One that cannot be read spoils the block, for the phone as well. */
static X509_STORE *
store_read(const void *text, size_t len, struct err *e)
{
	BIO *bio = open_text(text, len);
	STACK_OF(X509_INFO) *infos = bio != NULL ? PEM_X509_INFO_read_bio(bio, NULL, certificate_no_password, NULL)
	                                         : NULL;
	X509_STORE *store = X509_STORE_new();
	int added = 0;

	for (int i = 0; store != NULL && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->x509 != NULL && X509_STORE_add_cert(store, info->x509) == 1)
			added++;
	}
	if (added == 0) {
		err_openssl(e, ERR_INTEGRITY, "<ca>: expected PEM of CA certificates, found none that can be read");
		X509_STORE_free(store);
		store = NULL;
	}
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	ERR_clear_error();
	return store;
}

void
certificate_cache_release(struct certificate_cache *cache)
{
	certificate_issuer_free(cache->issuer);
	X509_STORE_free(cache->store);
	cache->issuer = NULL;
	cache->store = NULL;
	buf_release(&cache->pem);
}

/* A reference of its own, from the cache where it has it. */
static X509_STORE *
store_get1(const struct certificate_pem *pem, struct certificate_cache *cache, struct err *e)
{
	X509_STORE *store;

	if (cache != NULL && cache->store != NULL && cache->pem.len == pem->ca_len &&
	    memcmp(cache->pem.data, pem->ca, pem->ca_len) == 0 && X509_STORE_up_ref(cache->store) == 1)
		return cache->store;
	store = store_read(pem->ca, pem->ca_len, e);
	if (store == NULL || cache == NULL)
		return store;
	certificate_cache_release(cache);
	buf_add(&cache->pem, pem->ca, pem->ca_len);
	if (!cache->pem.broken && X509_STORE_up_ref(store) == 1)
		cache->store = store;
	return store;
}

/* ---- describing ---- */

/* What servers or older phones make of it; measured with OpenVPN 2.1.4 to 2.6.14. */
static void
describe_more(const struct own *own, struct certificate_info *ret)
{
	int digest = NID_undef;

	if (X509_get_signature_info(own->cert, &digest, NULL, NULL, NULL) == 1 &&
	    (digest == NID_md5 || digest == NID_sha1))
		note(ret,
		    "certificate: signed with %s: the phone takes it, and a server since OpenVPN 2.6 refuses it by "
		    "default (\"CA signature digest algorithm too weak\")",
		    digest == NID_md5 ? "MD5" : "SHA-1");
	if (sk_X509_num(own->others) > 0)
		note(ret,
		    "<cert>: %d certificates: OpenVPN 2.1 and 2.2 send only the first, so the server needs the others "
		    "itself",
		    sk_X509_num(own->others) + 1);
	if (own->broken)
		note(ret,
		    "<cert>: behind the first certificate stands one that cannot be read: it and what follows are "
		    "never sent");
}

/* ---- checking ---- */

static int
explain(X509_STORE_CTX *ctx, time_t clock, struct err *e)
{
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	int why = X509_STORE_CTX_get_error(ctx);
	char name[CERTIFICATE_NAME_SIZE], now[TEXT_TIME_SIZE], limit[TEXT_TIME_SIZE];
	const char *what = X509_STORE_CTX_get_error_depth(ctx) > 0 ? "CA certificate" : "certificate";

	if (cert == NULL)
		return err_openssl(e, ERR_FAILED, "certificate: %s", X509_verify_cert_error_string(why));
	ERR_clear_error();
	certificate_describe_name(cert, name);
	text_time(clock, now);
	if (why == X509_V_ERR_CERT_NOT_YET_VALID) {
		text_time(certificate_describe_time(X509_get0_notBefore(cert)), limit);
		return err_set(e, ERR_INTEGRITY,
		    "%s %s: expected to be valid at %s, which the phone's clock shows, found not yet valid, only from "
		    "%s",
		    what, name, now, limit);
	}
	if (why == X509_V_ERR_CERT_HAS_EXPIRED) {
		text_time(certificate_describe_time(X509_get0_notAfter(cert)), limit);
		return err_set(e, ERR_INTEGRITY,
		    "%s %s: expected to be valid at %s, which the phone's clock shows, found expired at %s", what, name,
		    now, limit);
	}
	return err_set(e, ERR_INTEGRITY, "%s %s: expected to be signed by a CA in <ca>, found not: %s", what, name,
	    X509_verify_cert_error_string(why));
}

/* No security level and no purpose: the phone's OpenSSL has none of the one, and the other is the server's to ask for. */
static int
verify(const struct own *own, X509_STORE *store, time_t clock, struct certificate_cache *cache,
    struct certificate_info *ret, struct err *e)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const STACK_OF(X509) * chain;
	int rc = -1;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, own->cert, own->others) != 1) {
		err_openssl(e, ERR_FAILED, "certificate");
		goto out;
	}
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), clock);
	if (X509_verify_cert(ctx) != 1) {
		explain(ctx, clock, e);
		goto out;
	}
	chain = X509_STORE_CTX_get0_chain(ctx);
	certificate_describe(own->cert, ret);
	certificate_describe_ca(sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0), ret);
	describe_more(own, ret);
	if (cache != NULL && cache->issuer == NULL && ret->note_count == 0)
		cache->issuer = certificate_issuer_new(ctx, ret);
	rc = 0;
out:
	X509_STORE_CTX_free(ctx);
	return rc;
}

int
certificate_check(const struct certificate_pem *pem, time_t clock, struct certificate_cache *cache,
    struct certificate_info *ret, struct err *e)
{
	struct certificate_info info = { .note_count = 0 };
	struct own own = { .cert = NULL };
	X509_STORE *store;
	int rc = -1;

	store = store_get1(pem, cache, e);
	if (store == NULL)
		goto out;
	if ((cache == NULL || cache->issuer == NULL || !certificate_issuer_vouches(cache->issuer, pem, clock, &info)) &&
	    (own_read(pem->cert, pem->cert_len, &own, e) != 0 || own_check_kind(own.cert, e) != 0 ||
		certificate_key_check(pem->key, pem->key_len, own.cert, cache == NULL, e) != 0 ||
		verify(&own, store, clock, cache, &info, e) != 0))
		goto out;
	*ret = info;
	rc = 0;
out:
	own_release(&own);
	X509_STORE_free(store);
	ERR_clear_error();
	return rc;
}
