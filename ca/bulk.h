/* SPDX-License-Identifier: ISC */
#ifndef CA_BULK_H
#define CA_BULK_H

#include "common/err.h"

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

/*
 * Certificates by the thousand. Most of the time that it takes to decode and to verify one goes into the public key, which
 * OpenSSL 3 looks for in all its providers, and into a chain that is the same for all. Neither is needed for what is
 * alike.
 */

/* ---- without the public key ---- */

struct ca_reader;

struct ca_reader *ca_reader_new(struct err *e);
void ca_reader_free(struct ca_reader *r);	/* behind its certificates; NULL is taken */

/*
 * As ca_cert_decode(), but an RSA key is left as it stands. ca_cert_facts() takes such a certificate; what needs its key
 * or a digest does not, as X509_verify_cert(), X509_check_purpose() and whatever asks the latter for an extension: for them
 * ca_cert_whole() makes another one of it, which the caller frees. NULL without memory.
 */
X509 *ca_reader_decode(const struct ca_reader *r, const void *der, size_t len, struct err *e);
X509 *ca_cert_whole(X509 *cert);

/* ---- without the chain ---- */

/* Roots that have signed a certificate which X509_verify_cert() took. Not for two threads at once. */
struct ca_voucher;

struct ca_voucher *ca_voucher_new(void);	/* NULL without memory, which every function here takes */
void ca_voucher_free(struct ca_voucher *v);

/* ctx has verified a client's certificate, without any fault and a CRL, through cas alone: take note of its root. */
void ca_voucher_learn(struct ca_voucher *v, X509_STORE_CTX *ctx, const STACK_OF(X509) *cas);

/*
 * The root, borrowed, when it has signed cert, and that is as acceptable to a TLS server at the time when as the one that
 * was learned from. NULL says nothing: it has to be verified.
 */
X509 *ca_voucher_root(const struct ca_voucher *v, X509 *cert, time_t when);

#endif
