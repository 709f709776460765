/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

/* "PVPN", so that file(1) and we tell the database from another program's. */
#define APPLICATION_ID 0x5056504e
#define APPLICATION_ID_TEXT "1347833934"

/*
 * Version 1. Times are seconds since 1970; NULL says "not yet" or "none". Hashes and md5s are bytes. The large columns
 * stand last, so that the others are read without them.
 */
static const char version_1[] =
    /* name = '.' ... is the engine's own, and sealed: a BLOB. */
    "CREATE TABLE settings ("
    "name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),"
    "value ANY NOT NULL CHECK (typeof(value) = iif(name GLOB '.*', 'blob', 'text'))"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE authorities ("
    "id INTEGER PRIMARY KEY,"
    "name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "created INTEGER NOT NULL,"
    "crl_number INTEGER NOT NULL CHECK (crl_number >= 0),"
    "crl_this_update INTEGER NOT NULL,"
    "crl_next_update INTEGER NOT NULL,"
    "cert BLOB NOT NULL,"
    "sealed_key BLOB NOT NULL,"
    "crl BLOB NOT NULL"
    ") STRICT;"

    /* AUTOINCREMENT: who still holds the id of a removed phone must not meet another one. */
    "CREATE TABLE phones ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "mac TEXT NOT NULL UNIQUE CHECK (length(mac) = 12 AND mac NOT GLOB '*[^0-9a-f]*'),"
    "model TEXT NOT NULL,"
    "firmware TEXT NOT NULL,"
    "extension TEXT NOT NULL,"
    "label TEXT NOT NULL,"
    "grp TEXT NOT NULL,"
    "http_user TEXT NOT NULL UNIQUE CHECK (http_user <> ''),"
    "sealed_http_password BLOB NOT NULL,"
    "sealed_secret BLOB,"
    "created INTEGER NOT NULL,"
    "offered INTEGER,"
    "FOREIGN KEY (id, offered) REFERENCES generations (phone, number)"
    ") STRICT;"

    /*
     * id is the order of issue. Of an imported CA's certificates, cert and sealed_key are empty where they were not at
     * hand; those of kind phone without a phone served something else, and name is their common name.
     */
    "CREATE TABLE certificates ("
    "id INTEGER PRIMARY KEY,"
    "serial BLOB NOT NULL UNIQUE CHECK (length(serial) = 20),"
    "authority INTEGER NOT NULL REFERENCES authorities (id),"
    "phone INTEGER REFERENCES phones (id) ON DELETE SET NULL,"
    "name TEXT NOT NULL CHECK (name <> ''),"
    "kind TEXT NOT NULL CHECK (kind IN ('phone', 'server')),"
    "not_before INTEGER NOT NULL,"
    "not_after INTEGER NOT NULL CHECK (not_after > not_before),"
    "issued INTEGER NOT NULL,"
    "revoked INTEGER,"
    "reason INTEGER CHECK (reason BETWEEN 0 AND 10 AND reason <> 7),"
    "cert BLOB NOT NULL,"
    "sealed_key BLOB NOT NULL,"
    "CHECK ((revoked IS NULL) = (reason IS NULL)),"
    "CHECK (phone IS NULL OR kind = 'phone')"
    ") STRICT;"
    "CREATE INDEX certificates_phone ON certificates (phone) WHERE phone IS NOT NULL;"
    "CREATE INDEX certificates_name ON certificates (name);"
    "CREATE INDEX certificates_server ON certificates (authority) WHERE kind = 'server';"
    "CREATE INDEX certificates_revoked ON certificates (id) WHERE revoked IS NOT NULL;"
    "CREATE TRIGGER certificates_keep BEFORE DELETE ON certificates "
    "BEGIN SELECT raise(ABORT, 'certificates stay, so that no serial is used twice'); END;"
    "CREATE TRIGGER certificates_serial BEFORE UPDATE OF id, serial ON certificates "
    "BEGIN SELECT raise(ABORT, 'a serial never changes'); END;"
    "CREATE TRIGGER certificates_revoked_stay BEFORE UPDATE OF revoked, reason ON certificates "
    "WHEN OLD.revoked IS NOT NULL "
    "BEGIN SELECT raise(ABORT, 'a revocation is for good'); END;"

    "CREATE TABLE profiles ("
    "hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),"
    "text BLOB NOT NULL"
    ") STRICT;"

    "CREATE TABLE generations ("
    "phone INTEGER NOT NULL REFERENCES phones (id) ON DELETE CASCADE,"
    "number INTEGER NOT NULL CHECK (number > 0),"
    "serial BLOB NOT NULL REFERENCES certificates (serial),"
    "profile BLOB NOT NULL REFERENCES profiles (hash),"
    "md5 BLOB NOT NULL CHECK (length(md5) = 16),"
    "size INTEGER NOT NULL CHECK (size > 0),"
    "created INTEGER NOT NULL,"
    "PRIMARY KEY (phone, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX generations_md5 ON generations (phone, md5);"

    "CREATE TABLE events ("
    "id INTEGER PRIMARY KEY CHECK (id > 0),"
    "at INTEGER NOT NULL,"
    "actor TEXT NOT NULL,"
    "action TEXT NOT NULL CHECK (action <> ''),"
    "subject TEXT NOT NULL,"
    "detail TEXT NOT NULL,"
    "hash BLOB NOT NULL CHECK (length(hash) = 32)"
    ") STRICT;"
    "CREATE INDEX events_subject ON events (subject);"
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT raise(ABORT, 'events are only appended'); END;"
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
    "BEGIN SELECT raise(ABORT, 'events are only appended'); END;"
    /* INSERT OR REPLACE deletes without the trigger above. */
    "CREATE TRIGGER events_no_replace BEFORE INSERT ON events "
    "WHEN NEW.id <= (SELECT coalesce(max(id), 0) FROM events) "
    "BEGIN SELECT raise(ABORT, 'events are only appended'); END;"

    "PRAGMA application_id = " APPLICATION_ID_TEXT ";";

/*
 * Version 2: fixed VPN addresses, as numbers in the network. The row of one that was given back stays, so that it is
 * handed out again as late as can be. Phones of version 1 get theirs when the server's files are next written.
 */
static const char version_2[] = "CREATE TABLE hosts ("
				"host INTEGER PRIMARY KEY CHECK (host BETWEEN 2 AND 65534),"
				"phone INTEGER UNIQUE REFERENCES phones (id),"
				"returned INTEGER,"
				"CHECK ((phone IS NULL) = (returned IS NOT NULL))"
				") STRICT;"
				"CREATE INDEX hosts_returned ON hosts (returned, host) WHERE phone IS NULL;";

/* Version 3: keys that were made ahead of their phones. AUTOINCREMENT: a key's number is part of its seal. */
static const char version_3[] = "CREATE TABLE key_pool ("
				"id INTEGER PRIMARY KEY AUTOINCREMENT,"
				"bits INTEGER NOT NULL,"
				"keygen TEXT NOT NULL CHECK (keygen <> ''),"
				"created INTEGER NOT NULL,"
				"sealed_key BLOB NOT NULL"
				") STRICT;"
				"CREATE INDEX key_pool_kind ON key_pool (bits, keygen, id);";

/*
 * Version 4: enrolment. A phone without a row was never provisioned, nor was one since it was opened (by a reset); each
 * other row bars it. A phone that is older than this version bars too: nothing tells whether it ever logged in.
 */
static const char version_4[] = "CREATE TABLE provisioned ("
				"phone INTEGER PRIMARY KEY REFERENCES phones (id) ON DELETE CASCADE,"
				"opened INTEGER,"
				"enrolled INTEGER,"
				"address TEXT,"
				"login INTEGER,"
				"CHECK ((enrolled IS NULL) = (address IS NULL))"
				") STRICT;"
				"INSERT INTO provisioned (phone) SELECT id FROM phones;"
				"CREATE TABLE enroll_window ("
				"id INTEGER PRIMARY KEY CHECK (id = 1),"
				"opened INTEGER NOT NULL,"
				"until INTEGER NOT NULL CHECK (until > opened),"
				"networks TEXT NOT NULL CHECK (networks <> ''),"
				"named INTEGER NOT NULL CHECK (named IN (0, 1))"
				") STRICT;"
				/* The phones that a window for named ones is open to. */
				"CREATE TABLE enroll_phones ("
				"phone INTEGER PRIMARY KEY REFERENCES phones (id) ON DELETE CASCADE"
				") STRICT;";

/* Version 5: how far each generation has come, and each phone's newest VPN session. */
static const char version_5[] = "CREATE TABLE ladder ("
				"phone INTEGER NOT NULL,"
				"number INTEGER NOT NULL,"
				"rung INTEGER NOT NULL CHECK (rung BETWEEN 1 AND 4),"
				"at INTEGER NOT NULL,"
				"source TEXT NOT NULL CHECK (source <> ''),"
				"PRIMARY KEY (phone, number, rung),"
				"FOREIGN KEY (phone, number) REFERENCES generations (phone, number) ON DELETE CASCADE"
				") STRICT, WITHOUT ROWID;"
				"CREATE TABLE vpn_sessions ("
				"phone INTEGER PRIMARY KEY REFERENCES phones (id) ON DELETE CASCADE,"
				"server TEXT NOT NULL CHECK (server <> ''),"
				"client INTEGER NOT NULL,"
				"since INTEGER NOT NULL,"
				"address TEXT NOT NULL,"
				"serial BLOB CHECK (length(serial) = 20),"
				"number INTEGER CHECK (number IS NULL OR serial IS NOT NULL),"
				"attachment INTEGER NOT NULL,"
				"unsettled INTEGER NOT NULL CHECK (unsettled IN (0, 1)),"
				"ended INTEGER"
				") STRICT;"
				"CREATE INDEX vpn_sessions_on ON vpn_sessions (server) WHERE ended IS NULL;"
				"CREATE INDEX vpn_sessions_unsettled ON vpn_sessions (server, since) "
				"WHERE unsettled AND ended IS NULL;";

/*
 * Version 6: rollouts, what each of their phones is at, sessions that may not go on, and what an authority is for: enum
 * db_role.
 */
static const char version_6[] =
    "ALTER TABLE authorities ADD COLUMN role INTEGER NOT NULL DEFAULT 2 CHECK (role BETWEEN 1 AND 4);"
    "UPDATE authorities SET role = 3 WHERE id <> (SELECT max(id) FROM authorities);"

    /* plan is fixed from the start on, and the rest is where it stands. */
    "CREATE TABLE rollouts ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "created INTEGER NOT NULL,"
    "plan TEXT NOT NULL,"
    "state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),"
    "why TEXT NOT NULL,"
    "stage INTEGER NOT NULL CHECK (stage >= 0),"
    "wave INTEGER NOT NULL CHECK (wave >= 0),"
    "good_since INTEGER,"
    "minute INTEGER NOT NULL,"
    "in_minute INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE rollout_phones ("
    "rollout INTEGER NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,"
    "phone INTEGER NOT NULL REFERENCES phones (id) ON DELETE CASCADE,"
    "wave INTEGER NOT NULL CHECK (wave > 0),"
    "state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),"
    "why INTEGER NOT NULL,"
    "forced INTEGER NOT NULL CHECK (forced IN (0, 1)),"
    "former INTEGER,"
    "target INTEGER,"
    "since INTEGER NOT NULL,"
    "notified INTEGER,"
    "PRIMARY KEY (rollout, phone)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX rollout_phones_state ON rollout_phones (rollout, state, wave);"
    "CREATE INDEX rollout_phones_phone ON rollout_phones (phone);"

    /* Whoever comes with one of these certificates is sent away, whatever the server's CRL says yet. */
    "CREATE TABLE barred ("
    "serial BLOB NOT NULL PRIMARY KEY REFERENCES certificates (serial),"
    "since INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;";

const char *const schema_steps[] = { version_1, version_2, version_3, version_4, version_5, version_6 };
const size_t schema_version = sizeof(schema_steps) / sizeof(schema_steps[0]);

int
schema_check(struct db *db, size_t known, size_t *ret_version, struct err *e)
{
	int64_t version, application, tables;

	if (sql_exec_number(db, "PRAGMA user_version", &version, e) != 0 ||
	    sql_exec_number(db, "PRAGMA application_id", &application, e) != 0 ||
	    sql_exec_number(db, "SELECT count(*) FROM sqlite_schema", &tables, e) != 0)
		return -1;
	/* What db_create() leaves when it is killed: no table at all. */
	if (version == 0 && tables == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no phonevpn state here; run 'phonevpn init' first", db->dir);
	if (application != APPLICATION_ID || version < 1)
		return err_set(e, ERR_INTEGRITY, "%s: expected phonevpn's database, found another program's", db->file);
	if ((uint64_t)version > known)
		return err_set(e, ERR_CONFLICT,
		    "%s: expected schema version %zu or less, found %lld; it needs a newer phonevpn", db->file, known,
		    (long long)version);
	*ret_version = (size_t)version;
	return 0;
}

int
schema_apply(struct db *db, const char *const *steps, size_t from, size_t to, struct err *e)
{
	char text[64];

	for (size_t i = from; i < to; i++) {
		if (sql_exec(db, steps[i], e) != 0)
			return err_prefix(e, "schema version %zu", i + 1);
	}
	/* In the file's header, so it is part of the transaction. */
	sqlite3_snprintf(sizeof(text), text, "PRAGMA user_version = %lld", (long long)to);
	return sql_exec(db, text, e);
}

static int
upgrade_in_transaction(struct db *db, const char *const *steps, size_t count, struct err *e)
{
	size_t version = 0;
	int64_t broken = 0;

	/* Asked again: another process may have been faster. */
	if (schema_check(db, count, &version, e) != 0)
		return -1;
	if (version == count)
		return 0;
	if (schema_apply(db, steps, version, count, e) != 0 ||
	    sql_exec_number(db, "SELECT count(*) FROM pragma_foreign_key_check", &broken, e) != 0)
		return -1;
	if (broken != 0)
		return err_set(e, ERR_INTEGRITY, "%s: %lld rows refer to nothing after the upgrade from version %zu",
		    db->file, (long long)broken, version);
	return event_append(db, e, "schema.upgrade", "", "version %zu to %zu", version, count);
}

int
schema_upgrade(struct db *db, const char *const *steps, size_t count, struct err *e)
{
	const bool writer = db->writer;
	int rc = -1;

	if (!writer && folder_lock_take(db->dir, db->actor, db->at_once, &db->lock, e) != 0)
		return err_prefix(e, "upgrade of the schema to version %zu", count);
	db->writer = true;
	/* A step may build a table anew; SQLite wants the keys off for that, and outside of the transaction. */
	if (sql_exec(db, "PRAGMA foreign_keys = OFF", e) == 0 && sql_begin(db, e) == 0)
		rc = sql_end(db, upgrade_in_transaction(db, steps, count, e), e);
	if (sql_exec(db, "PRAGMA foreign_keys = ON", rc == 0 ? e : NULL) != 0)
		rc = -1;
	db->writer = writer;
	if (!writer)
		folder_lock_release(&db->lock);
	return rc;
}
