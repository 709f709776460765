/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <errno.h>
#include <string.h>

/* The system's reason for an SQLITE_IOERR: sqlite3_system_errno() does not keep that of a write into the WAL. */
static int
system_reason(sqlite3 *sql)
{
	sqlite3_file *journal = NULL;
	int reason = sqlite3_system_errno(sql);

	if (reason == 0 && sqlite3_file_control(sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal) == SQLITE_OK &&
	    journal != NULL && journal->pMethods != NULL)
		(void)journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &reason);
	return reason;
}

int
sql_fail(const struct db *db, int rc, struct err *e)
{
	const bool system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
	int failed = db->sql != NULL && system ? system_reason(db->sql) : 0;
	const char *reason = db->sql != NULL ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc);

	if ((rc & 0xff) == SQLITE_FULL || failed == ENOSPC || failed == EDQUOT)
		return err_set(e, ERR_FAILED, "state folder %s: disk full; nothing was changed", db->dir);
	if (failed != 0)
		return err_errno(e, ERR_FAILED, failed, "state folder %s: nothing was changed", db->dir);
	if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
		return err_set(e, ERR_CONFLICT,
		    "%s: another program has locked the database; end it and try again; nothing was changed", db->file);
	if ((rc & 0xff) == SQLITE_NOTADB)
		return err_set(e, ERR_INTEGRITY, "%s: expected a SQLite database, found something else", db->file);
	if ((rc & 0xff) == SQLITE_CORRUPT)
		return err_set(e, ERR_INTEGRITY, "%s: damaged (%s); restore it from a backup", db->file, reason);
	return err_set(e, ERR_FAILED, "%s: %s; nothing was changed", db->file, reason);
}

/* A statement is prepared when it is first needed, and kept. */
static sqlite3_stmt *
statement(struct db *db, enum sql which, struct err *e)
{
	int rc;

	if (db->statements[which] != NULL)
		return db->statements[which];
	rc = sqlite3_prepare_v3(db->sql, sql_statement_text(which), -1, SQLITE_PREPARE_PERSISTENT,
	    &db->statements[which], NULL);
	if (rc != SQLITE_OK)
		sql_fail(db, rc, e);
	return db->statements[which];
}

static int
value_bind(sqlite3_stmt *st, int i, const struct sql_value *v)
{
	switch (v->type) {
	case SQL_IS_INT:
		return sqlite3_bind_int64(st, i, v->number);
	case SQL_IS_TEXT:
		return sqlite3_bind_text(st, i, v->data, -1, SQLITE_STATIC);
	case SQL_IS_BLOB:
		/* A NULL pointer would bind NULL, an empty value is none. */
		return sqlite3_bind_blob64(st, i, v->data != NULL ? v->data : "", v->len, SQLITE_STATIC);
	case SQL_IS_NULL:
		break;
	}
	return sqlite3_bind_null(st, i);
}

sqlite3_stmt *
sql_start_values(struct db *db, enum sql which, const struct sql_value *values, size_t count, struct err *e)
{
	sqlite3_stmt *st = statement(db, which, e);

	for (size_t i = 0; i < count && st != NULL; i++) {
		int rc = value_bind(st, (int)i + 1, &values[i]);

		if (rc != SQLITE_OK) {
			sql_fail(db, rc, e);
			sql_done(st);
			st = NULL;
		}
	}
	return st;
}

int
sql_step(struct db *db, sqlite3_stmt *st, struct err *e)
{
	int rc;

	if (st == NULL)
		return -1;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : sql_fail(db, rc, e);
}

void
sql_done(sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

int
sql_run_values(struct db *db, enum sql which, const struct sql_value *values, size_t count, struct err *e)
{
	sqlite3_stmt *st = sql_start_values(db, which, values, count, e);
	int rc = sql_step(db, st, e);

	sql_done(st);
	return rc < 0 ? -1 : 0;
}

bool
sql_failed_unique(const struct db *db)
{
	int rc = sqlite3_extended_errcode(db->sql);

	return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY;
}

bool
sql_failed_foreign_key(const struct db *db)
{
	return sqlite3_extended_errcode(db->sql) == SQLITE_CONSTRAINT_FOREIGNKEY;
}

static int
column_unfit(struct db *db, sqlite3_stmt *st, int column, size_t expected, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "%s: %s: expected %zu bytes, found %d", db->file,
	    sqlite3_column_name(st, column), expected, sqlite3_column_bytes(st, column));
}

int
sql_column_text(struct db *db, sqlite3_stmt *st, int column, char *field, size_t size, struct err *e)
{
	const unsigned char *text = sqlite3_column_text(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);

	if (len >= size)
		return column_unfit(db, st, column, size - 1, e);
	if (len > 0)
		memcpy(field, text, len);
	field[len] = '\0';
	return 0;
}

int
sql_column_bytes(struct db *db, sqlite3_stmt *st, int column, void *out, size_t size, struct err *e)
{
	const void *data = sqlite3_column_blob(st, column);

	if (data == NULL || (size_t)sqlite3_column_bytes(st, column) != size)
		return column_unfit(db, st, column, size, e);
	memcpy(out, data, size);
	return 0;
}

int
sql_column_hex(struct db *db, sqlite3_stmt *st, int column, char *out, size_t size, struct err *e)
{
	const void *data = sqlite3_column_blob(st, column);

	if (data == NULL || (size_t)sqlite3_column_bytes(st, column) != size / 2)
		return column_unfit(db, st, column, size / 2, e);
	text_hex(data, size / 2, out);
	return 0;
}

int
sql_column_buf(sqlite3_stmt *st, int column, struct buf *out, struct err *e)
{
	const void *data = sqlite3_column_blob(st, column);

	buf_add(out, data, (size_t)sqlite3_column_bytes(st, column));
	return buf_check(out, sqlite3_column_name(st, column), e);
}

int
sql_column_sealed(struct db *db, sqlite3_stmt *st, int column, const struct seal_place *place, struct buf *out,
    struct err *e)
{
	const void *data = sqlite3_column_blob(st, column);

	if (db->opener == NULL)
		db->opener = seal_opener_new(db->key, e);
	return db->opener != NULL ? seal_open(db->opener, place, data, (size_t)sqlite3_column_bytes(st, column), out, e)
	                          : -1;
}

int
sql_seal(struct db *db, const struct seal_place *place, const void *plain, size_t len, struct buf *out, struct err *e)
{
	return seal_encrypt(db->key, place, plain, len, out, e);
}

int
sql_exec(struct db *db, const char *text, struct err *e)
{
	int rc = sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, e);
}

int
sql_exec_number(struct db *db, const char *text, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, text, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return sql_fail(db, rc, e);
	rc = sql_step(db, st, e);
	if (rc >= 0)
		*ret = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_finalize(st);
	return rc < 0 ? -1 : 0;
}
