/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>

/* One request to revoke: from one authority, of one phone (0: any). */
struct revocation {
	int64_t authority, phone;
	time_t when;
	int reason;
};

static int
revoke_check(struct db *db, const struct revocation *r, const unsigned char serial[DB_SERIAL_SIZE],
    struct db_certificate *ret, int64_t *ret_phone, struct err *e)
{
	int64_t phone = 0;

	if (db_certificate_get(db, serial, ret, e) != 0 || certificate_phone(db, serial, &phone, e) != 0)
		return -1;
	*ret_phone = phone;
	if (ret->revoked != 0)
		return certificate_error(e, ERR_CONFLICT, serial, "revoked already");
	if (ret->authority != r->authority)
		return certificate_error(e, ERR_CONFLICT, serial, "another CA has issued it");
	/* One that no phone has may go with the phone of its name. */
	if (r->phone != 0 && phone != 0 && phone != r->phone)
		return certificate_error(e, ERR_CONFLICT, serial, "it does not belong to the phone that is removed");
	return 0;
}

static int
revoke_one(struct db *db, const struct revocation *r, const unsigned char serial[DB_SERIAL_SIZE], struct err *e)
{
	char hex[2 * DB_SERIAL_SIZE + 1], mac[DB_MAC_SIZE] = "";
	struct db_certificate c;
	int64_t phone;

	if (revoke_check(db, r, serial, &c, &phone, e) != 0 || (phone != 0 && phone_mac(db, phone, mac, e) != 0) ||
	    sql_run(db, SQL_CERTIFICATE_REVOKE, e, SQL_BLOB(serial, DB_SERIAL_SIZE), SQL_INT(r->when),
		SQL_INT(r->reason)) != 0 ||
	    sql_run(db, SQL_PHONE_TAKE_BACK_SERIAL, e, SQL_BLOB(serial, DB_SERIAL_SIZE)) != 0)
		return -1;
	text_hex_number(serial, DB_SERIAL_SIZE, hex);
	/* The phone's history is asked for by its MAC. */
	return event_append(db, e, "certificate.revoke",
	    c.server     ? hex
	    : phone != 0 ? mac
			 : c.name,
	    "serial %s, reason %d", hex, r->reason);
}

static int
revoke_all(struct db *db, const struct revocation *r, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count,
    const struct db_crl *crl, struct err *e)
{
	/* RFC 5280 section 5.3.1: 0 to 10 without 7. */
	if (r->when <= 0 || r->reason < 0 || r->reason > 10 || r->reason == 7)
		return err_set(e, ERR_INPUT, "revocation: expected a time and a CRLReason, found %lld and %d",
		    (long long)r->when, r->reason);
	for (size_t i = 0; i < count; i++) {
		if (revoke_one(db, r, serials[i], e) != 0)
			return -1;
	}
	/* Nothing revoked, so the CRL that there is goes on being right. */
	if (crl == NULL && count == 0)
		return 0;
	if (crl == NULL)
		return err_set(e, ERR_INPUT, "revocation of %zu certificates: expected a new CRL, found none", count);
	return authority_set_crl(db, r->authority, crl, e);
}

int
db_revoke(struct db *db, int64_t authority, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count, time_t when,
    int reason, const struct db_crl *crl, struct err *e)
{
	const struct revocation r = { .authority = authority, .when = when, .reason = reason };

	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, revoke_all(db, &r, serials, count, crl, e), e);
}

/* No certificate of a removed phone may go on opening the VPN. */
static int
all_revoked(struct db *db, int64_t phone, const char *mac, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_LEFT, e, SQL_INT(phone));
	char hex[2 * DB_SERIAL_SIZE + 1];
	int rc = sql_step(db, st, e);

	if (rc > 0) {
		rc = sql_column_hex(db, st, 0, hex, sizeof(hex), e);
		if (rc == 0)
			rc = err_set(e, ERR_CONFLICT, "phone %s: expected certificate %s to be revoked with it", mac,
			    hex);
	}
	sql_done(st);
	return rc;
}

static int
phone_remove(struct db *db, const struct revocation *r, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count,
    const struct db_crl *crl, struct err *e)
{
	char mac[DB_MAC_SIZE];

	if (phone_mac(db, r->phone, mac, e) != 0 || revoke_all(db, r, serials, count, crl, e) != 0 ||
	    all_revoked(db, r->phone, mac, e) != 0)
		return -1;
	/* Its generations go with it; the offered one would hold its own row back. */
	if (sql_run(db, SQL_PHONE_TAKE_BACK, e, SQL_INT(r->phone)) != 0 || host_return(db, r->phone, e) != 0 ||
	    sql_run(db, SQL_PHONE_REMOVE, e, SQL_INT(r->phone)) != 0)
		return -1;
	return event_append(db, e, "phone.remove", mac, "%zu certificates revoked", count);
}

int
db_phone_remove(struct db *db, int64_t id, int64_t authority, const unsigned char (*serials)[DB_SERIAL_SIZE],
    size_t count, time_t when, int reason, const struct db_crl *crl, struct err *e)
{
	const struct revocation r = { .authority = authority, .phone = id, .when = when, .reason = reason };

	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, phone_remove(db, &r, serials, count, crl, e), e);
}
