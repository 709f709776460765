/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/file.h"
#include "common/process.h"
#include "common/text.h"
#include "db/master_key.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Three rows of certificate and key fit into a page of this size; into SQLite's usual 4096 bytes only one would.
 */
#define PAGE_SIZE_TEXT "8192"

/* What db_create() has made and takes away again when it fails. */
struct made {
	bool dir, file, key;
};

static int
init_check(const struct db_init *init, struct err *e)
{
	char name[sizeof(((struct db_authority *)NULL)->name)];

	/* A name that was stored but cannot be read back would lock the folder. */
	if (text_copy(name, sizeof(name), init->authority_name, "name of the CA", e) != 0 ||
	    text_copy(name, sizeof(name), init->server_name, "name of the server", e) != 0)
		return -1;
	return 0;
}

/* The empty file that SQLite begins with; 0600, and SQLite gives its other files the same. */
static int
file_make(struct db *db, bool *ret_made, struct err *e)
{
	struct err mine = ERR_INIT;

	*ret_made = file_create(db->file, "", 0, 0600, &mine) == 0;
	if (!*ret_made && mine.code != ERR_CONFLICT)
		return err_set(e, mine.code, "%s", mine.text);
	return 0;
}

/* ERR_NOT_FOUND is what we want. */
static int
not_initialised(struct db *db, struct err *e)
{
	struct err mine = ERR_INIT;
	size_t version;

	if (schema_check(db, schema_version, &version, &mine) == 0)
		return err_set(e, ERR_CONFLICT,
		    "state folder %s: initialised already; take another one with --dir, or go on using it", db->dir);
	if (mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	return 0;
}

/* Neither can be changed inside a transaction; both leave a database without any table. */
static int
prepare(struct db *db, struct err *e)
{
	int64_t readers_go_on = 0;

	if (sql_exec(db, "PRAGMA page_size = " PAGE_SIZE_TEXT "; PRAGMA journal_mode = WAL", e) != 0 ||
	    sql_exec_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &readers_go_on, e) != 0)
		return -1;
	if (readers_go_on == 0)
		return err_set(e, ERR_FAILED,
		    "state folder %s: expected a file system where SQLite can use a WAL, found none (a network share?)",
		    db->dir);
	return 0;
}

static int
secrets_make(struct db *db, struct err *e)
{
	unsigned char nonce_key[DB_NONCE_KEY_SIZE], head[8 + CHAIN_HASH_SIZE] = { 0 };
	int rc = -1;

	if (process_random(nonce_key, sizeof(nonce_key), e) == 0 &&
	    setting_put_sealed(db, SETTING_CHECK, SETTING_CHECK_VALUE, sizeof(SETTING_CHECK_VALUE), e) == 0 &&
	    setting_put_sealed(db, SETTING_NONCE_KEY, nonce_key, sizeof(nonce_key), e) == 0)
		rc = setting_put_sealed(db, SETTING_EVENT_HEAD, head, sizeof(head), e);
	OPENSSL_cleanse(nonce_key, sizeof(nonce_key));
	return rc;
}

static int
fill(struct db *db, const struct db_init *init, struct err *e)
{
	char hex[2 * DB_SERIAL_SIZE + 1];
	const struct db_authority_new ca = {
		.name = init->authority_name,
		.cert = init->authority_cert,
		.key = init->authority_key,
		.crl = init->crl,
	};
	int64_t authority;

	/* Asked again, now that nobody else can make it. */
	if (not_initialised(db, e) != 0 || schema_apply(db, schema_steps, 0, schema_version, e) != 0 ||
	    secrets_make(db, e) != 0 ||
	    event_append(db, e, "state.create", "", "schema version %zu", schema_version) != 0)
		return -1;
	for (size_t i = 0; i < init->setting_count; i++) {
		if (setting_put(db, &init->settings[i], e) != 0)
			return -1;
	}
	text_hex_number(init->server->serial, DB_SERIAL_SIZE, hex);
	if (authority_add(db, &ca, DB_ROLE_ISSUING, &authority, e) != 0)
		return -1;
	/* The server's last: it is the newest then. */
	if (init->import != NULL && import_add(db, init->import, authority, e) != 0)
		return -1;
	if (certificate_add(db, init->server, authority, 0, init->server_name, true, e) != 0)
		return -1;
	if (event_append(db, e,
		init->import != NULL && init->import->server ? "certificate.import" : "certificate.issue", hex,
		"server %s", init->server_name) != 0)
		return -1;
	return init->import != NULL ? import_verify(db, init->import, e) : 0;
}

static int
create(struct db *db, const struct db_init *init, struct made *made, struct err *e)
{
	if (folder_make(db->dir, &made->dir, e) != 0 ||
	    folder_lock_take(db->dir, db->actor, db->at_once, &db->lock, e) != 0 ||
	    file_make(db, &made->file, e) != 0 || sql_attach(db, e) != 0 || not_initialised(db, e) != 0 ||
	    master_key_take(db->key_path, db->key, &made->key, e) != 0 || prepare(db, e) != 0)
		return -1;
	db->writer = true;
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, fill(db, init, e), e);
}

static void
file_remove(const char *file, const char *suffix)
{
	char *path = text_format("%s%s", file, suffix);

	if (path != NULL)
		(void)unlink(path);
	free(path);
}

static void
undo(struct db *db, const struct made *made)
{
	sql_detach(db);
	if (made->file) {
		file_remove(db->file, "-wal");
		file_remove(db->file, "-shm");
		file_remove(db->file, "");
	}
	if (made->key)
		(void)unlink(db->key_path);
	if (db->lock.made)
		folder_lock_remove(&db->lock);
	if (made->dir)
		(void)rmdir(db->dir);
}

int
db_create(const struct db_location *where, const struct db_init *init, struct err *e)
{
	struct made made = { false };
	struct db *db = NULL;
	int rc = -1;

	if (init_check(init, e) != 0)
		return -1;
	db = sql_new(where, e);
	if (db == NULL)
		return -1;
	rc = create(db, init, &made, e);
	if (rc != 0)
		undo(db, &made);
	db_close(db);
	return rc;
}
