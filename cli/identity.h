/* SPDX-License-Identifier: ISC */
#ifndef CLI_IDENTITY_H
#define CLI_IDENTITY_H

#include "ca/cert.h"
#include "cli/settings.h"
#include "db/db.h"

/* A CA or a server: key, certificate, and the DER of both. */
struct identity {
	EVP_PKEY *key;
	X509 *cert;
	struct buf key_der, cert_der;
	time_t not_before, not_after;
	struct ca_cert_params params;
};

#define IDENTITY_INIT { .key_der = BUF_INIT(DB_DER_MAX), .cert_der = BUF_INIT(DB_DER_MAX) }

/* What the certificate of the server that the settings name shall say; borrows from s. */
struct ca_cert_params identity_server(const struct settings *s, time_t now);

/* The same of a CA's; name is its common name. */
struct ca_cert_params identity_root(const struct settings *s, const char *name, time_t now);

/* Bits of a CA's key, of an option; without one, the default. */
int identity_bits(const char *value, unsigned int *ret, struct err *e);

/*
 * Make the certificate that id->params describe, with a serial of its own, for id->key, or for a new RSA key of so many
 * bits where there is none, made as the settings say; signed by the issuer, or by itself (both NULL). Release with
 * identity_release(), also after a failure.
 */
int identity_make(struct identity *id, unsigned int bits, const struct settings *s, X509 *issuer, EVP_PKEY *issuer_key,
    struct err *e);

/* For a certificate and a key that are there: their DER, validity and serial. */
int identity_fill(struct identity *id, struct err *e);

/* A CA's first CRL, which is empty; the caller releases ret->der. */
int identity_crl(const struct identity *ca, const struct settings *s, time_t now, struct db_crl *ret, struct err *e);

/* For the database; borrows from id. */
struct db_certificate_new identity_certificate(const struct identity *id);

void identity_release(struct identity *id);

#endif
