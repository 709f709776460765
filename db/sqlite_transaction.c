/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SQL_WAL_INDEX_SIZE 32768 /* of the part that has the header */

int
sql_begin(struct db *db, struct err *e)
{
	if (!db->writer)
		return err_set(e, ERR_FAILED, "state folder %s: opened for reading, so it cannot be changed", db->dir);
	db->head_known = db->head_changed = false;
	/* IMMEDIATE: whoever else has the database locked shows here, not in the middle. */
	return sql_exec(db, "BEGIN IMMEDIATE", e);
}

int
sql_end(struct db *db, int rc, struct err *e)
{
	if (rc == 0)
		rc = event_head_store(db, e);
	if (rc == 0)
		rc = sql_exec(db, "COMMIT", e);
	/* A full disk may have made SQLite roll back by itself. */
	if (rc != 0 && sqlite3_get_autocommit(db->sql) == 0)
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* The memory that all who have the database open share, mapped as long as it is open; NULL without a WAL. */
static const volatile uint64_t *
wal_index(struct db *db)
{
	sqlite3_file *file = NULL;
	volatile void *index = NULL;
	sqlite3_stmt *st = NULL;
	bool has_wal;

	has_wal = sqlite3_prepare_v2(db->sql, "PRAGMA journal_mode", -1, &st, NULL) == SQLITE_OK &&
	          sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
	(void)sqlite3_finalize(st);
	if (!has_wal || sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2 ||
	    file->pMethods->xShmMap(file, 0, SQL_WAL_INDEX_SIZE, 0, &index) != SQLITE_OK)
		return NULL;
	return index;
}

/* Nobody has changed anything since the state that is kept was taken. */
static bool
is_current(const struct db *db)
{
	for (size_t i = 0; i < SQL_WAL_HEADER_WORDS; i++) {
		if (db->seen[i] != db->wal_index[i])
			return false;
	}
	/* SQLite rolls back by itself after some failures. */
	return sqlite3_get_autocommit(db->sql) == 0;
}

/* BEGIN alone waits with that for the first read. Whether the state is the one that was seen. */
static bool
state_take(struct db *db)
{
	struct err ignored = ERR_INIT;
	bool taken = db->wal_index != NULL && sql_run_values(db, SQL_DATA_VERSION, NULL, 0, &ignored) == 0;

	atomic_thread_fence(memory_order_seq_cst);
	return taken && is_current(db);
}

/* A writer is alone, so its handle needs no such thing and may change the database in between. */
int
db_read_begin(struct db *db, struct err *e)
{
	if (!db->writer && db->reads == 0 && !(db->kept && is_current(db))) {
		db_read_idle(db);
		/* Before the state is taken: a change in between only makes it look older than it is. */
		for (size_t i = 0; i < SQL_WAL_HEADER_WORDS && db->wal_index != NULL; i++)
			db->seen[i] = db->wal_index[i];
		atomic_thread_fence(memory_order_seq_cst);
		if (sql_run_values(db, SQL_READ_BEGIN, NULL, 0, e) != 0)
			return -1;
		db->exact = state_take(db);
	}
	db->kept = false;
	db->reads++;
	return 0;
}

void
db_read_end(struct db *db)
{
	db->reads--;
	if (db->writer || db->reads > 0)
		return;
	db->kept = true;
	if (db->wal_index == NULL)
		db_read_idle(db);
}

bool
db_read_moment(const struct db *db, struct db_moment *ret)
{
	if (db->reads == 0 || !db->exact)
		return false;
	memcpy(ret->words, db->seen, sizeof(ret->words));
	return true;
}

void
db_read_keep(struct db *db)
{
	if (!db->writer)
		db->wal_index = wal_index(db);
}

void
db_read_idle(struct db *db)
{
	struct err ignored = ERR_INIT;

	if (db->kept)
		(void)sql_run_values(db, SQL_READ_END, NULL, 0, &ignored);
	db->kept = false;
}

int
db_data_version(struct db *db, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start_values(db, SQL_DATA_VERSION, NULL, 0, e);
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
sql_pages_each(struct db *db, const struct sql_pages *pages, void *state, struct err *e)
{
	unsigned char *rows = calloc(SQL_PAGE, pages->row_size);
	size_t count = 0;
	int rc = 0;

	if (rows == NULL)
		return err_set(e, ERR_FAILED, "list of %d rows: no memory", SQL_PAGE);
	if (db_read_begin(db, e) != 0) {
		free(rows);
		return -1;
	}
	do {
		count = 0;
		rc = pages->fetch(db, state, rows, &count, e);
		for (size_t i = 0; i < count && rc == 0; i++)
			rc = pages->call(state, rows + i * pages->row_size, e) != 0 ? -1 : 0;
		for (size_t i = 0; i < count && pages->release != NULL; i++)
			pages->release(rows + i * pages->row_size);
	} while (rc == 0 && count == SQL_PAGE);
	db_read_end(db);
	free(rows);
	return rc;
}
