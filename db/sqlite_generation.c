/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"
#include "db/tally.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_BYTES ((DB_HASH_SIZE - 1) / 2)
#define MD5_BYTES ((DB_MD5_SIZE - 1) / 2)

static int
hash_parse(const char *hex, unsigned char ret[HASH_BYTES], struct err *e)
{
	char shown[80];

	if (!text_is_hex(hex, DB_HASH_SIZE - 1) || !text_unhex(hex, ret, HASH_BYTES))
		return err_set(e, ERR_INPUT, "profile %s: expected a SHA-256 of 64 lower-case hex digits",
		    text_printable(hex, shown, sizeof(shown)));
	return 0;
}

static bool
md5_parse(const char *hex, unsigned char ret[MD5_BYTES])
{
	return text_is_hex(hex, DB_MD5_SIZE - 1) && text_unhex(hex, ret, MD5_BYTES);
}

/* ---- profiles ---- */

int
profile_put(struct db *db, const char *hex, const void *text, size_t len, struct err *e)
{
	unsigned char hash[HASH_BYTES];
	sqlite3_stmt *st;
	int rc;

	if (hash_parse(hex, hash, e) != 0)
		return -1;
	st = sql_start(db, SQL_PROFILE_GET, e, SQL_BLOB(hash, sizeof(hash)));
	rc = sql_step(db, st, e);
	if (rc > 0 && ((size_t)sqlite3_column_bytes(st, 0) != len ||
			  (len > 0 && memcmp(sqlite3_column_blob(st, 0), text, len) != 0)))
		rc = err_set(e, ERR_INTEGRITY, "profile %s: another text is stored under this hash", hex);
	sql_done(st);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (sql_run(db, SQL_PROFILE_ADD, e, SQL_BLOB(hash, sizeof(hash)), SQL_BLOB(text, len)) != 0)
		return -1;
	return event_append(db, e, "profile.put", hex, "%zu bytes", len);
}

int
db_profile_put(struct db *db, const char *hash, const void *text, size_t len, struct err *e)
{
	if (len > DB_DER_MAX)
		return err_set(e, ERR_INPUT, "profile: expected at most %d bytes, found %zu", DB_DER_MAX, len);
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, profile_put(db, hash, text, len, e), e);
}

/* st is done after it. */
static int
use_each(struct db *db, sqlite3_stmt *st, int (*each)(const struct db_profile_use *use, void *arg, struct err *e),
    void *arg, struct err *e)
{
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		struct db_profile_use use = {
			.phones = (size_t)sqlite3_column_int64(st, 2),
			.text = sqlite3_column_blob(st, 3),
			.len = (size_t)sqlite3_column_bytes(st, 3),
		};

		if (sql_column_text(db, st, 0, use.model, sizeof(use.model), e) != 0 ||
		    sql_column_text(db, st, 1, use.firmware, sizeof(use.firmware), e) != 0 || each(&use, arg, e) != 0) {
			rc = -1;
			break;
		}
	}
	sql_done(st);
	return rc;
}

int
db_profile_use_each(struct db *db, time_t now, bool offered,
    int (*each)(const struct db_profile_use *use, void *arg, struct err *e), void *arg, struct err *e)
{
	return use_each(db, sql_start(db, SQL_PROFILE_USES, e, SQL_INT(now), SQL_INT(offered)), each, arg, e);
}

int
db_kind_profile_each(struct db *db, time_t now, int (*each)(const struct db_profile_use *use, void *arg, struct err *e),
    void *arg, struct err *e)
{
	return use_each(db, sql_start(db, SQL_PROFILE_KINDS, e, SQL_INT(now)), each, arg, e);
}

/* ---- storing ---- */

/* A certificate that serves again must be this phone's own and in force. */
static int
certificate_reuse(struct db *db, const struct db_generation_new *g, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_PHONE, e, SQL_BLOB(g->serial, DB_SERIAL_SIZE));
	int rc = sql_step(db, st, e);

	if (rc == 0 || (rc > 0 && sqlite3_column_int64(st, 0) != g->phone))
		rc = certificate_error(e, ERR_NOT_FOUND, g->serial, "this phone has no such certificate");
	else if (rc > 0 && sqlite3_column_type(st, 1) != SQLITE_NULL)
		rc = certificate_error(e, ERR_CONFLICT, g->serial, "revoked, so it cannot serve again");
	else if (rc > 0 && sqlite3_column_int(st, 2) != 0)
		rc = certificate_error(e, ERR_CONFLICT, g->serial, "its CA is dropped, so it cannot serve again");
	else if (rc < 0)
		goto out;
	if (rc < 0)
		err_prefix(e, "phone %s", g->mac);
out:
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
generation_insert(struct db *db, const struct db_generation_new *g, const unsigned char *serial,
    const unsigned char hash[HASH_BYTES], const unsigned char md5[MD5_BYTES], int64_t *ret_number, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_GENERATION_ADD, e, SQL_INT(g->phone), SQL_BLOB(serial, DB_SERIAL_SIZE),
	    SQL_BLOB(hash, HASH_BYTES), SQL_BLOB(md5, MD5_BYTES), SQL_INT((int64_t)g->size), SQL_INT(time(NULL)));
	int rc = sql_step(db, st, e);

	if (rc > 0) {
		*ret_number = sqlite3_column_int64(st, 0);
		rc = sql_step(db, st, e);
	}
	sql_done(st);
	/* Phone and certificate are known by now. */
	if (rc < 0 && sql_failed_foreign_key(db))
		err_set(e, ERR_NOT_FOUND, "profile %s: not in the database", g->profile);
	return rc < 0 ? -1 : 0;
}

int
generation_add(struct db *db, struct db_generation_new *g, struct err *e)
{
	unsigned char hash[HASH_BYTES], md5[MD5_BYTES];
	const unsigned char *serial = g->certificate != NULL ? g->certificate->serial : g->serial;
	char mac[DB_MAC_SIZE], hex[2 * DB_SERIAL_SIZE + 1];

	if (phone_mac(db, g->phone, mac, e) != 0)
		return -1;
	if (strcmp(mac, g->mac) != 0)
		return err_set(e, ERR_NOT_FOUND, "phone with id %lld: expected MAC %.12s, found %s",
		    (long long)g->phone, g->mac, mac);
	if (hash_parse(g->profile, hash, e) != 0)
		return -1;
	if (!md5_parse(g->md5, md5) || g->size == 0 || g->size > INT64_MAX)
		return err_set(e, ERR_INPUT, "phone %s: expected a bundle's md5 and size, found none", mac);
	if (g->certificate != NULL ? authority_issues(db, g->authority, e) != 0 ||
					 certificate_add(db, g->certificate, g->authority, g->phone, mac, false, e) != 0
				   : certificate_reuse(db, g, e) != 0)
		return -1;
	if (g->pool_key != 0 && key_pool_take(db, g->pool_key, e) != 0)
		return err_prefix(e, "phone %s", mac);
	if (generation_insert(db, g, serial, hash, md5, &g->ret_number, e) != 0 ||
	    (g->rollout != 0 && member_target(db, g->rollout, g->phone, g->ret_number, e) != 0))
		return -1;
	text_hex_number(serial, DB_SERIAL_SIZE, hex);
	return event_append(db, e, "generation.commit", mac, "generation %lld, %s serial %s", (long long)g->ret_number,
	    g->certificate != NULL ? "new" : "same", hex);
}

int
db_generation_commit(struct db *db, struct db_generation_new *generations, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = generation_add(db, &generations[i], e);
	rc = sql_end(db, rc, e);
	/* Numbers of what is not stored would mislead. */
	for (size_t i = 0; i < count && rc != 0; i++)
		generations[i].ret_number = 0;
	return rc;
}

/* ---- offering ---- */

int
generation_offer(struct db *db, const struct db_offer *o, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_GENERATION_STATE, e, SQL_INT(o->phone), SQL_INT(o->number));
	char mac[DB_MAC_SIZE] = "";
	bool same = false;
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "phone with id %lld: no generation %lld", (long long)o->phone,
		    (long long)o->number);
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, mac, sizeof(mac), e);
	if (rc == 0 && sqlite3_column_type(st, 2) != SQLITE_NULL)
		rc = err_set(e, ERR_CONFLICT, "phone %s: generation %lld: its certificate is revoked", mac,
		    (long long)o->number);
	else if (rc == 0 && sqlite3_column_int(st, 3) != 0)
		rc = err_set(e, ERR_CONFLICT, "phone %s: generation %lld: the CA of its certificate is dropped", mac,
		    (long long)o->number);
	else if (rc == 0)
		same = sqlite3_column_int64(st, 1) == o->number;
	sql_done(st);
	if (rc != 0 || same)
		return rc;
	if (sql_run(db, SQL_PHONE_OFFER, e, SQL_INT(o->phone), SQL_INT(o->number)) != 0)
		return -1;
	return event_append(db, e, "generation.offer", mac, "generation %lld", (long long)o->number);
}

int
db_generation_offer(struct db *db, const struct db_offer *offers, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = generation_offer(db, &offers[i], e);
	return sql_end(db, rc, e);
}

/* ---- listing ---- */

struct generation_list {
	int64_t phone, after;
	int (*each)(const struct db_generation *g, void *arg, struct err *e);
	void *arg;
};

static int
generation_read(struct db *db, sqlite3_stmt *st, struct db_generation *ret, struct err *e)
{
	*ret = (struct db_generation){
		.phone = sqlite3_column_int64(st, 0),
		.number = sqlite3_column_int64(st, 1),
		.size = (size_t)sqlite3_column_int64(st, 5),
		.created = sqlite3_column_int64(st, 6),
		.not_before = sqlite3_column_int64(st, 7),
		.not_after = sqlite3_column_int64(st, 8),
		.revoked = sqlite3_column_int64(st, 9),
		.offered = sqlite3_column_int(st, 10) != 0,
		.withdrawn = sqlite3_column_int(st, 11) != 0,
	};
	if (sql_column_bytes(db, st, 2, ret->serial, sizeof(ret->serial), e) != 0 ||
	    sql_column_hex(db, st, 3, ret->profile, sizeof(ret->profile), e) != 0 ||
	    sql_column_hex(db, st, 4, ret->md5, sizeof(ret->md5), e) != 0)
		return -1;
	return 0;
}

static int
generation_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct generation_list *list = state;
	struct db_generation *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_GENERATION_PAGE, e, SQL_INT(list->phone), SQL_INT(list->after),
	    SQL_INT(SQL_PAGE));
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		rc = generation_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = row[*ret_count].number;
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
generation_call(void *state, const void *row, struct err *e)
{
	const struct generation_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_generation_each(struct db *db, int64_t phone, int (*each)(const struct db_generation *g, void *arg, struct err *e),
    void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_generation), generation_fetch, generation_call, NULL };
	struct generation_list list = { .phone = phone, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}
