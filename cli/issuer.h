/* SPDX-License-Identifier: ISC */
#ifndef CLI_ISSUER_H
#define CLI_ISSUER_H

#include "ca/cert.h"
#include "ca/crl.h"
#include "cli/settings.h"
#include "db/authority.h"
#include "db/db.h"

/* An authority with its key, ready to sign. */
struct issuer {
	struct db_authority authority;
	X509 *cert;
	EVP_PKEY *key;
};

/* The one that issues now. Release it with issuer_release(), also after a failure. */
int issuer_open(struct db *db, struct issuer *ret, struct err *e);

/* A given one, by its id. */
int issuer_open_id(struct db *db, int64_t id, struct issuer *ret, struct err *e);

void issuer_release(struct issuer *i);

/*
 * The issuer's next CRL: what the database has as revoked, and further entries. The caller releases ret->der.
 */
int issuer_crl(struct db *db, const struct issuer *i, const struct settings *s, const struct ca_crl_entry *further,
    size_t count, time_t now, struct db_crl *ret, struct err *e);

/* The end of a life of so many days from now, kept within time_t and the certificate's four-digit year. */
time_t issuer_days(time_t now, unsigned long days);

#endif
