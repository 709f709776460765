/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"
#include "db/master_key.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long to wait for another program that has the database locked: the sqlite3 shell, a backup. */
#define BUSY_MS 5000
#define BUSY_AT_ONCE_MS 20

static const char setup[] = "PRAGMA foreign_keys = ON;"
			    "PRAGMA trusted_schema = OFF;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA cell_size_check = ON;"
			    "PRAGMA temp_store = MEMORY;"
			    "PRAGMA journal_size_limit = 16777216;";
/*
 * A copy made with the sqlite3 shell may have lost the mode in which readers go on while somebody writes. The cache, in
 * KiB: random serials touch an index all over, which for a large fleet is more than the 2 MiB of the default.
 */
static const char setup_writer[] = "PRAGMA journal_mode = WAL;"
				   "PRAGMA cache_size = -16384;";

/* What a server looks up for 10,000 phones again and again, but for their certificates. */
static const char setup_reader[] = "PRAGMA query_only = ON;"
				   "PRAGMA cache_size = -4096;";

struct db *
sql_new(const struct db_location *where, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		goto no_memory;
	db->lock = (struct folder_lock)FOLDER_LOCK_INIT;
	db->at_once = where->at_once;
	db->dir = strdup(where->dir);
	db->file = text_format("%s/phonevpn.db", where->dir);
	db->key_path = where->master_key != NULL ? strdup(where->master_key) : text_format("%s/master.key", where->dir);
	db->actor = strdup(where->actor != NULL ? where->actor : "unknown");
	if (db->dir != NULL && db->file != NULL && db->key_path != NULL && db->actor != NULL)
		return db;
no_memory:
	err_set(e, ERR_FAILED, "state folder %s: no memory", where->dir);
	db_close(db);
	return NULL;
}

int
sql_attach(struct db *db, struct err *e)
{
	int rc;

	/* Its statistics of memory, which nobody reads, are a lock for all threads at each allocation. Only the first counts. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* A handle is used by one thread at a time, so SQLite need not lock it. */
	rc = sqlite3_open_v2(db->file, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(db, rc, e);
	(void)sqlite3_extended_result_codes(db->sql, 1);
	(void)sqlite3_busy_timeout(db->sql, db->at_once ? BUSY_AT_ONCE_MS : BUSY_MS);
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sql_exec(db, setup, e);
}

void
sql_detach(struct db *db)
{
	for (unsigned int i = 0; i < SQL_COUNT; i++) {
		(void)sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	db->wal_index = NULL;
	db->kept = false;
	(void)sqlite3_close(db->sql);
	db->sql = NULL;
}

/* Bytes that only the right key opens. */
static int
master_key_check(struct db *db, struct err *e)
{
	struct err mine = ERR_INIT;
	unsigned char found[sizeof(SETTING_CHECK_VALUE)];

	if (master_key_load(db->key_path, db->key, e) != 0)
		return -1;
	if (setting_get_sealed(db, SETTING_CHECK, found, sizeof(found), &mine) == 0)
		return 0;
	if (mine.code != ERR_INTEGRITY)
		return err_set(e, mine.code, "%s", mine.text);
	return err_set(e, ERR_INTEGRITY,
	    "master key %s does not fit this state folder (%s); give the one it was made with: --master-key FILE",
	    db->key_path, db->dir);
}

static int
file_check(const struct db *db, struct err *e)
{
	if (access(db->file, F_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "%s: no phonevpn state here; run 'phonevpn init' first", db->dir);
	return err_errno(e, ERR_FAILED, errno, "%s", db->file);
}

static int
open_all(struct db *db, bool writer, struct err *e)
{
	size_t version = 0;

	if (folder_check(db->dir, e) != 0 || file_check(db, e) != 0 || folder_check_private(db->dir, e) != 0)
		return -1;
	if (writer && folder_lock_take(db->dir, db->actor, db->at_once, &db->lock, e) != 0)
		return -1;
	db->writer = writer;
	if (sql_attach(db, e) != 0 || schema_check(db, schema_version, &version, e) != 0 ||
	    master_key_check(db, e) != 0)
		return -1;
	if (version < schema_version && schema_upgrade(db, schema_steps, schema_version, e) != 0)
		return -1;
	return sql_exec(db, writer ? setup_writer : setup_reader, e);
}

static struct db *
open_location(const struct db_location *where, bool writer, struct err *e)
{
	struct db *db = sql_new(where, e);

	if (db != NULL && open_all(db, writer, e) != 0) {
		db_close(db);
		return NULL;
	}
	return db;
}

struct db *
db_open(const struct db_location *where, struct err *e)
{
	return open_location(where, false, e);
}

struct db *
db_open_writer(const struct db_location *where, struct err *e)
{
	return open_location(where, true, e);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	sql_detach(db);
	/* Only now: closing may still move pages from the WAL into the database. */
	folder_lock_release(&db->lock);
	seal_opener_free(db->opener);
	OPENSSL_cleanse(db->key, sizeof(db->key));
	free(db->dir);
	free(db->file);
	free(db->key_path);
	free(db->actor);
	free(db);
}
