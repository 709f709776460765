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

/* What a server's certificate says, by the settings; borrows strings from s. */
struct ca_cert_params identity_server_params(const struct settings *s, time_t now);

/* Make a key of so many bits and the certificate that params ask for; issuer NULL for a CA. Release it in any case. */
int identity_make(struct identity *id, unsigned int bits, const struct identity *issuer, struct err *e);

/* For certificate and key that are there: their DER, validity and serial. */
int identity_fill(struct identity *id, struct err *e);

/* For db_create(); borrows from id. */
struct db_certificate_new identity_new(const struct identity *id);

void identity_release(struct identity *id);

#endif
