/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 16
#define KEY_ID_MAX 64

/*
 * A certificate with its chain, and its key. One that has been replaced stays until the server ends, as handshakes may
 * be under way with it.
 */
struct http_tls {
	struct http_tls *former;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int count;
	gnutls_privkey_t key;
	time_t end;
};

static void
tls_free(struct http_tls *t)
{
	for (unsigned int i = 0; i < t->count; i++)
		gnutls_pcert_deinit(&t->chain[i]);
	if (t->key != NULL)
		gnutls_privkey_deinit(t->key);
	free(t);
}

static gnutls_datum_t
datum_of(const char *pem)
{
	return (gnutls_datum_t){ .data = (unsigned char *)(uintptr_t)pem, .size = (unsigned int)strlen(pem) };
}

static int
tls_fail(struct err *e, const char *what, int rc)
{
	return err_set(e, ERR_INPUT, "TLS certificate: expected %s in PEM, found another text: %s", what,
	    gnutls_strerror(rc));
}

static int
chain_read(struct http_tls *t, const char *pem, struct err *e)
{
	gnutls_datum_t text = datum_of(pem);
	gnutls_x509_crt_t first = NULL;
	unsigned int count = CHAIN_MAX;
	int rc = gnutls_pcert_list_import_x509_raw(t->chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);

	if (rc == 0 && count > 0) {
		t->count = count;
		rc = gnutls_x509_crt_init(&first);
	}
	if (rc == 0 && first != NULL)
		rc = gnutls_x509_crt_import(first, &t->chain[0].cert, GNUTLS_X509_FMT_DER);
	if (rc == 0 && first != NULL)
		t->end = gnutls_x509_crt_get_expiration_time(first);
	if (first != NULL)
		gnutls_x509_crt_deinit(first);
	return rc == 0 && t->count > 0 ? 0 : tls_fail(e, "a certificate and its chain", rc);
}

static int
key_read(struct http_tls *t, const char *pem, struct err *e)
{
	gnutls_datum_t text = datum_of(pem);
	int rc = gnutls_privkey_init(&t->key);

	if (rc == 0)
		rc = gnutls_privkey_import_x509_raw(t->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	return rc == 0 ? 0 : tls_fail(e, "its key", rc);
}

/* A file of a new pair may be there and the other not yet. */
static int
check_pair(const struct http_tls *t, struct err *e)
{
	unsigned char of_key[KEY_ID_MAX], of_cert[KEY_ID_MAX];
	size_t key_len = sizeof(of_key), cert_len = sizeof(of_cert);
	gnutls_pubkey_t public = NULL;
	int rc = gnutls_pubkey_init(&public);

	if (rc == 0)
		rc = gnutls_pubkey_import_privkey(public, t->key, 0, 0);
	if (rc == 0)
		rc = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &key_len);
	if (rc == 0)
		rc = gnutls_pubkey_get_key_id(t->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_cert, &cert_len);
	if (public != NULL)
		gnutls_pubkey_deinit(public);
	if (rc != 0)
		return tls_fail(e, "a public key that can be read", rc);
	if (key_len == cert_len && memcmp(of_key, of_cert, key_len) == 0)
		return 0;
	return err_set(e, ERR_INPUT, "TLS certificate: expected the key of the first certificate, found another's");
}

static bool
is_same(const struct http_tls *a, const struct http_tls *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned int i = 0; i < a->count; i++)
		if (a->chain[i].cert.size != b->chain[i].cert.size ||
		    memcmp(a->chain[i].cert.data, b->chain[i].cert.data, a->chain[i].cert.size) != 0)
			return false;
	return true;
}

int
http_tls_load(struct http_server *s, const char *cert, const char *key, struct err *e)
{
	struct http_tls *former = atomic_load(&s->tls), *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_FAILED, "TLS certificate: no memory");
	if (chain_read(t, cert, e) != 0 || key_read(t, key, e) != 0 || check_pair(t, e) != 0) {
		tls_free(t);
		return -1;
	}
	if (former != NULL && is_same(t, former)) {
		tls_free(t);
		return 0;
	}
	t->former = former;
	atomic_store(&s->tls, t);
	return 0;
}

void
http_tls_release(struct http_server *s)
{
	struct http_tls *t = atomic_load(&s->tls), *former;

	for (; t != NULL; t = former) {
		former = t->former;
		tls_free(t);
	}
}

time_t
http_tls_end(struct http_server *s)
{
	const struct http_tls *t = atomic_load(&s->tls);

	return t != NULL ? t->end : 0;
}

/* The library makes its connection the session's pointer, as its own callback for PSK needs it. */
int
http_tls_pair(gnutls_session_t session, const gnutls_datum_t *authorities, int authorities_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithms_count, gnutls_pcert_st **ret_chain, unsigned int *ret_count,
    gnutls_privkey_t *ret_key)
{
	const struct http_peer *p = http_peer_of(gnutls_session_get_ptr(session));
	struct http_tls *t = p != NULL ? atomic_load(&p->server->tls) : NULL;

	(void)authorities;
	(void)authorities_count;
	(void)algorithms;
	(void)algorithms_count;
	if (t == NULL)
		return -1;
	*ret_chain = t->chain;
	*ret_count = t->count;
	*ret_key = t->key;
	return 0;
}
