/* SPDX-License-Identifier: ISC */
#include "cli/revocation.h"

#include "cli/issuer.h"
#include "cli/phone_report.h"

#include <stdlib.h>
#include <string.h>

int
revocation_add(struct revocation *r, const unsigned char serial[DB_SERIAL_SIZE], struct err *e)
{
	if (r->count == r->size) {
		size_t size = r->size == 0 ? 8 : r->size * 2;
		unsigned char(*serials)[DB_SERIAL_SIZE] = reallocarray(r->serials, size, sizeof(*serials));

		if (serials == NULL)
			return err_set(e, ERR_FAILED, "revocation of %zu certificates: no memory", r->count);
		r->serials = serials;
		r->size = size;
	}
	memcpy(r->serials[r->count++], serial, DB_SERIAL_SIZE);
	return 0;
}

static int
gather(const struct db_certificate *c, void *arg, struct err *e)
{
	return c->revoked != 0 || c->dropped ? 0 : revocation_add(arg, c->serial, e);
}

int
revocation_of_phone(struct db *db, const char *mac, int64_t authority, struct revocation *ret, struct err *e)
{
	const struct db_certificate_filter filter = { .authority = authority, .name = mac };

	ret->authority = authority;
	return db_certificate_each(db, &filter, gather, ret, e);
}

int
revocation_of_serial(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct revocation *ret, struct err *e)
{
	struct db_certificate c;
	char hex[SERIAL_HEX_SIZE];

	if (db_certificate_get(db, serial, &c, e) != 0)
		return -1;
	serial_hex(serial, hex);
	if (c.revoked != 0)
		return err_set(e, ERR_CONFLICT, "serial %s: revoked already", hex);
	if (c.dropped)
		return err_set(e, ERR_CONFLICT, "serial %s: its CA is dropped, so that no server takes it anyway", hex);
	if (c.server)
		return err_set(e, ERR_INPUT,
		    "serial %s: expected a phone's certificate, found the server's; phones read no CRL, so that "
		    "revoking it would stop nobody",
		    hex);
	ret->authority = c.authority;
	return revocation_add(ret, serial, e);
}

int
revocation_sign(struct db *db, const struct settings *s, enum ca_reason reason, struct revocation *r, struct err *e)
{
	struct ca_crl_entry *entries = calloc(r->count + 1, sizeof(*entries));
	struct issuer issuer = { 0 };
	int rc = -1;

	if (entries == NULL)
		return err_set(e, ERR_FAILED, "revocation of %zu certificates: no memory", r->count);
	r->when = time(NULL);
	r->reason = reason;
	for (size_t i = 0; i < r->count; i++) {
		entries[i] = (struct ca_crl_entry){ .revoked = r->when, .reason = reason };
		memcpy(entries[i].serial, r->serials[i], sizeof(entries[i].serial));
	}
	if (issuer_open_id(db, r->authority, &issuer, e) == 0)
		rc = issuer_crl(db, &issuer, s, entries, r->count, r->when, &r->crl, e);
	issuer_release(&issuer);
	free(entries);
	return rc;
}

void
revocation_release(struct revocation *r)
{
	free(r->serials);
	buf_release(&r->crl.der);
	*r = (struct revocation)REVOCATION_INIT;
}
