/* SPDX-License-Identifier: ISC */
#ifndef CLI_REVOCATION_H
#define CLI_REVOCATION_H

#include "ca/crl.h"
#include "cli/settings.h"
#include "db/db.h"

/* Certificates of one authority that shall be revoked, and the CRL that will say so. */
struct revocation {
	int64_t authority;
	unsigned char (*serials)[DB_SERIAL_SIZE];
	size_t count, size;
	time_t when;
	enum ca_reason reason;
	struct db_crl crl;
};

#define REVOCATION_INIT { .crl = { .der = BUF_INIT(DB_CRL_MAX) } }

/*
 * Gather what is not revoked yet of a phone's certificates of one authority; count may be 0 then.
 */
int revocation_of_phone(struct db *db, const char *mac, int64_t authority, struct revocation *ret, struct err *e);

/* One certificate by its serial. */
int revocation_of_serial(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct revocation *ret,
    struct err *e);

/* One more of r->authority's. */
int revocation_add(struct revocation *r, const unsigned char serial[DB_SERIAL_SIZE], struct err *e);

/* Sign the CRL for what was gathered. Nothing is stored yet: db_revoke() or db_phone_remove() does that. */
int revocation_sign(struct db *db, const struct settings *s, enum ca_reason reason, struct revocation *r,
    struct err *e);

void revocation_release(struct revocation *r);

#endif
