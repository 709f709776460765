/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

/* A row of BUNDLE_SELECT (sqlite_statement.c), but for the profile in column 3. */
static int
bundle_read(struct db *db, sqlite3_stmt *st, struct db_bundle *ret, struct err *e)
{
	struct db_bundle b = {
		.phone = sqlite3_column_int64(st, 0),
		.number = sqlite3_column_int64(st, 1),
		.size = (size_t)sqlite3_column_int64(st, 7),
		.profile = BUF_INIT(DB_DER_MAX),
		.cert = BUF_INIT(DB_DER_MAX),
		.key = BUF_INIT(DB_DER_MAX),
	};

	if (sql_column_bytes(db, st, 2, b.serial, sizeof(b.serial), e) != 0 || sql_column_buf(st, 4, &b.cert, e) != 0 ||
	    certificate_key(db, st, 5, b.serial, &b.key, e) != 0 ||
	    sql_column_hex(db, st, 6, b.md5, sizeof(b.md5), e) != 0) {
		db_bundle_release(&b);
		return -1;
	}
	*ret = b;
	return 0;
}

static int
bundle_missing(const char *mac, int64_t number, const char *md5, struct err *e)
{
	char shown[32], shown_md5[64];

	(void)text_printable(mac, shown, sizeof(shown));
	if (md5 != NULL)
		return err_set(e, ERR_NOT_FOUND, "phone %s: no bundle in force with md5 %s", shown,
		    text_printable(md5, shown_md5, sizeof(shown_md5)));
	if (number != 0)
		return err_set(e, ERR_NOT_FOUND, "phone %s: no generation %lld", shown, (long long)number);
	return err_set(e, ERR_NOT_FOUND, "phone %s: no generation is offered", shown);
}

int
db_bundle_get(struct db *db, const char *mac, int64_t number, const char *md5, struct db_bundle *ret, struct err *e)
{
	unsigned char md5_bytes[(DB_MD5_SIZE - 1) / 2];
	sqlite3_stmt *st;
	int rc;

	if (md5 != NULL && (!text_is_hex(md5, DB_MD5_SIZE - 1) || !text_unhex(md5, md5_bytes, sizeof(md5_bytes))))
		return bundle_missing(mac, number, md5, e);
	if (md5 != NULL)
		st = sql_start(db, SQL_BUNDLE_BY_MD5, e, SQL_TEXT(mac), SQL_BLOB(md5_bytes, sizeof(md5_bytes)));
	else if (number != 0)
		st = sql_start(db, SQL_BUNDLE_BY_NUMBER, e, SQL_TEXT(mac), SQL_INT(number));
	else
		st = sql_start(db, SQL_BUNDLE_OFFERED, e, SQL_TEXT(mac));
	rc = sql_step(db, st, e);
	if (rc == 0)
		rc = bundle_missing(mac, number, md5, e);
	else if (rc > 0)
		rc = bundle_read(db, st, ret, e);
	if (rc == 0 && sql_column_buf(st, 3, &ret->profile, e) != 0) {
		db_bundle_release(ret);
		rc = -1;
	}
	if (rc == 0)
		ret->fetched = sqlite3_column_int(st, 8) != 0;
	sql_done(st);
	return rc;
}

int
db_bundle_offered(struct db *db, const struct db_phone *p, struct db_bundle *ret,
    unsigned char ret_profile[DB_PROFILE_HASH_SIZE], struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_BUNDLE_SERVED, e, SQL_INT(p->id), SQL_INT(p->offered));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = bundle_missing(p->mac, p->offered, p->offered_md5, e);
	else if (rc > 0)
		rc = sql_column_bytes(db, st, 3, ret_profile, DB_PROFILE_HASH_SIZE, e);
	if (rc == 0)
		rc = bundle_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
db_profile_get(struct db *db, const unsigned char hash[DB_PROFILE_HASH_SIZE], struct buf *out, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PROFILE_GET, e, SQL_BLOB(hash, DB_PROFILE_HASH_SIZE));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_INTEGRITY, "%s: profiles: expected one that a generation names, found none",
		    db->file);
	else if (rc > 0)
		rc = sql_column_buf(st, 0, out, e);
	sql_done(st);
	return rc;
}

void
db_bundle_release(struct db_bundle *b)
{
	buf_release(&b->profile);
	buf_release(&b->cert);
	buf_release(&b->key);
}
