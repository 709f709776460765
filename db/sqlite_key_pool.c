/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include <string.h>

#define ROW_SIZE 24 /* a row's number in decimal */

static struct seal_place
key_place(int64_t id, char row[ROW_SIZE])
{
	sqlite3_snprintf(ROW_SIZE, row, "%lld", (long long)id);
	return (struct seal_place){ .table = "key_pool", .column = "sealed_key", .row = row, .row_len = strlen(row) };
}

/* ---- in ---- */

static int
key_add(struct db *db, const struct db_key_kind *kind, int64_t id, const struct buf *key, struct err *e)
{
	struct buf sealed = BUF_INIT(DB_DER_MAX + SEAL_OVERHEAD);
	char row[ROW_SIZE];
	const struct seal_place place = key_place(id, row);
	int rc;

	rc = sql_seal(db, &place, key->data, key->len, &sealed, e);
	if (rc == 0)
		rc = sql_run(db, SQL_KEY_POOL_ADD, e, SQL_INT(id), SQL_INT(kind->bits), SQL_TEXT(kind->keygen),
		    SQL_INT(time(NULL)), SQL_BLOB(sealed.data, sealed.len));
	buf_release(&sealed);
	return rc;
}

static int
keys_add(struct db *db, const struct db_key_kind *kind, const struct buf *keys, size_t count, struct err *e)
{
	int64_t last;

	/* AUTOINCREMENT keeps it, so that a number is never used twice. */
	if (sql_exec_number(db, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'key_pool'", &last,
		e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (key_add(db, kind, ++last, &keys[i], e) != 0)
			return -1;
	}
	return event_append(db, e, "keypool.fill", "", "%zu keys of %u bits (%s)", count, kind->bits, kind->keygen);
}

int
db_key_pool_add(struct db *db, const struct db_key_kind *kind, const struct buf *keys, size_t count, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, keys_add(db, kind, keys, count, e), e);
}

/* ---- out ---- */

int
key_pool_take(struct db *db, int64_t id, struct err *e)
{
	if (sql_run(db, SQL_KEY_POOL_TAKE, e, SQL_INT(id)) != 0)
		return -1;
	if (sqlite3_changes(db->sql) != 1)
		return err_set(e, ERR_CONFLICT, "key %lld of the pool: taken already", (long long)id);
	return 0;
}

int
db_key_pool_next(struct db *db, const struct db_key_kind *kind, int64_t after, int64_t *ret_id, struct buf *ret_key,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_KEY_POOL_NEXT, e, SQL_INT(kind->bits), SQL_TEXT(kind->keygen),
	    SQL_INT(after));
	int64_t id = 0;
	int rc = sql_step(db, st, e);

	if (rc > 0) {
		char row[ROW_SIZE];
		struct seal_place place;

		id = sqlite3_column_int64(st, 0);
		place = key_place(id, row);
		rc = sql_column_sealed(db, st, 1, &place, ret_key, e);
		if (rc != 0)
			err_prefix(e, "key %lld of the pool ('phonevpn keypool clear' forgets them all)",
			    (long long)id);
	}
	sql_done(st);
	if (rc == 0)
		*ret_id = id;
	return rc;
}

int
db_key_pool_count(struct db *db, const struct db_key_kind *kind, size_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_KEY_POOL_COUNT, e, SQL_INT(kind->bits), SQL_TEXT(kind->keygen));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (size_t)sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
keys_clear(struct db *db, size_t *ret_count, struct err *e)
{
	if (sql_run(db, SQL_KEY_POOL_CLEAR, e) != 0)
		return -1;
	*ret_count = (size_t)sqlite3_changes(db->sql);
	return event_append(db, e, "keypool.clear", "", "%zu keys", *ret_count);
}

int
db_key_pool_clear(struct db *db, size_t *ret_count, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, keys_clear(db, ret_count, e), e);
}
