/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "common/file.h"
#include "db/sqlite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static unsigned int
mode_of(const struct fixture *f, const char *name)
{
	char path[512];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static int
try_open(struct fixture *f)
{
	struct db *db = db_open(&f->where, &f->e);

	db_close(db);
	return db == NULL ? -1 : 0;
}

/* Each unusable place gets one clear line with the right exit status. */
static void
unusable_folders(void **state)
{
	struct fixture *f = *state;
	char *path;

	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "no phonevpn state here; run 'phonevpn init' first");
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "no phonevpn state here; run 'phonevpn init' first");
	path = support_file(f->dir, "phonevpn.db", "", 0);
	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "no phonevpn state here; run 'phonevpn init' first");
	free(path);
	path = support_file(f->dir, "phonevpn.db",
	    "This is a text file and no database at all.\n"
	    "It has to be longer than the header of one, which is 100 bytes long, to be looked at.\n",
	    130);
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "expected a SQLite database, found something else");
	assert_fails(state_create(f, &f->e), f->e, ERR_INTEGRITY, "expected a SQLite database, found something else");
	(void)unlink(path);
	free(path);
	assert_sqlite(f, "CREATE TABLE songs (title TEXT)", "");
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "another program's");
	assert_fails(state_create(f, &f->e), f->e, ERR_INTEGRITY, "another program's");
	assert_sqlite(f, "PRAGMA user_version = 1", "");
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "another program's");
	assert_sqlite(f, "SELECT count(*) FROM songs", "0");
	path = support_file(f->folder, "file", "", 0);
	f->where.dir = path;
	assert_fails(try_open(f), f->e, ERR_FAILED, "expected a folder, found a file");
	assert_fails(state_create(f, &f->e), f->e, ERR_CONFLICT, "expected a folder, found a file");
	free(path);
}

/* The word about a folder of somebody else is "permission", not "missing". */
static void
folder_that_may_not_be_read(void **state)
{
	struct fixture *f = *state;
	pid_t child;

	assert_int_equal(chmod(f->folder, 0755), 0);
	child = fork();
	if (child == 0) {
		struct err e = ERR_INIT;
		bool good;

		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(1);
		if (geteuid() != 65534 && chmod(f->dir, 0) != 0)
			_exit(2);
		good = db_open(&f->where, &e) == NULL && e.code == ERR_FAILED &&
		       strstr(e.text, "Permission denied") != NULL;
		if (!good)
			print_error("%s\n", e.text);
		_exit(good ? 0 : 3);
	}
	assert_int_equal(child_wait(child), 0);
	assert_int_equal(chmod(f->dir, 0700), 0);
}

/* A folder that others can look into is refused, with the next step; an empty one is made private. */
static void
folder_open_to_others(void **state)
{
	struct fixture *f = *state;
	char *path;

	assert_int_equal(chmod(f->dir, 0750), 0);
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "found mode 0750; if nobody else has been in it, chmod 700 it");
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_ok(try_open(f), f->e);
	(void)snprintf(f->dir, sizeof(f->dir), "%s/other", f->folder);
	assert_int_equal(mkdir(f->dir, 0755), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	path = support_file(f->dir, "notes.txt", "", 0);
	assert_fails(state_create(f, &f->e), f->e, ERR_INTEGRITY, "found mode 0755");
	assert_int_equal(mode_of(f, ""), 0755);
	assert_int_equal(unlink(path), 0);
	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "no phonevpn state here");
	assert_ok(state_create(f, &f->e), f->e);
	assert_int_equal(mode_of(f, ""), 0700);
	free(path);
}

/* The wrong key is found at once, not at the first phone whose key does not open. */
static void
master_key_faults(void **state)
{
	struct fixture *f = *state;
	char *path = support_file(f->folder, "other.key", "0123456789abcdef0123456789abcdef", 32);

	f->where.master_key = path;
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "other.key does not fit this state folder");
	assert_int_equal(chmod(path, 0640), 0);
	assert_fails(try_open(f), f->e, ERR_INTEGRITY,
	    "other.key: expected a file for its owner only (0600), found mode 0640");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 33), 0);
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "other.key: expected 32 bytes, found 33");
	assert_int_equal(unlink(path), 0);
	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "other.key: No such file");
	/* A pipe must not make a service hang. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_fails(try_open(f), f->e, ERR_INTEGRITY, "other.key: expected a plain file");
	f->where.master_key = NULL;
	assert_ok(try_open(f), f->e);
	free(path);
}

/* A database by a newer phonevpn is left alone. */
static void
newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_sqlite(f, "PRAGMA user_version = 9", "");
	assert_fails(try_open(f), f->e, ERR_CONFLICT, "expected schema version 6 or less, found 9");
	assert_fails(state_create(f, &f->e), f->e, ERR_CONFLICT, "expected schema version 6 or less, found 9");
	assert_sqlite(f, "PRAGMA user_version", "9");
}

/* An upgrade runs its steps in order, all or none, and is written down. */
static void
schema_is_upgraded_in_order(void **state)
{
	static const char *const bad[] = { "not run", "not run", "not run", "not run", "not run", "not run",
		"ALTER TABLE phones ADD COLUMN note TEXT", "UPDATE phones SET nonsense = 1" };
	static const char *const good[] = { "not run", "not run", "not run", "not run", "not run", "not run",
		"ALTER TABLE phones ADD COLUMN note TEXT", "UPDATE phones SET note = 'from ' || mac" };
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	size_t count;

	(void)phone_make(f, db, "0004f2000001");
	db_close(db);
	/* By a reader, as db_open() does it. */
	db = sql_new(&f->where, &f->e);
	assert_non_null(db);
	assert_ok(sql_attach(db, &f->e), f->e);
	{
		struct db *keyed = reader_open(f);

		memcpy(db->key, keyed->key, sizeof(db->key));
		db_close(keyed);
	}
	assert_fails(schema_upgrade(db, bad, 8, &f->e), f->e, ERR_FAILED, "schema version 8: ");
	assert_sqlite(f, "PRAGMA user_version", "6");
	assert_sqlite(f, "SELECT count(*) FROM pragma_table_info('phones') WHERE name = 'note'", "0");
	assert_ok(schema_upgrade(db, good, 8, &f->e), f->e);
	assert_ok(schema_upgrade(db, good, 8, &f->e), f->e);
	assert_sqlite(f, "PRAGMA user_version", "8");
	assert_sqlite(f, "SELECT note FROM phones", "from 0004f2000001");
	assert_sqlite(f, "SELECT action, detail FROM events ORDER BY id DESC LIMIT 1", "schema.upgrade|version 6 to 8");
	assert_ok(db_event_verify(db, &count, &f->e), f->e);
	assert_sound(f);
	db_close(db);
	assert_fails(try_open(f), f->e, ERR_CONFLICT, "found 8");
}

/* A reader's handle cannot change anything by mistake. */
static void
reader_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct db *db = reader_open(f);
	const struct db_setting s = { "url", "x" };

	assert_fails(db_setting_set(db, &s, 1, &f->e), f->e, ERR_FAILED, "opened for reading");
	assert_int_not_equal(sqlite3_exec(db->sql, "DELETE FROM phones", NULL, NULL, NULL), SQLITE_OK);
	db_close(db);
}

/* Settings: what was set comes back, what was not is told apart, and the engine's own are out of reach. */
static void
settings_are_kept(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	const struct db_setting good[] = { { "url", "https://other/" }, { "sip-server", "" } };
	const struct db_setting bad[] = { { "url", "lost" }, { ".nonce_key", "mine" } };
	char value[64];

	assert_ok(db_setting_set(db, good, 2, &f->e), f->e);
	assert_ok(db_setting_get(db, "url", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "https://other/");
	assert_ok(db_setting_get(db, "sip-server", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "");
	assert_fails(db_setting_get(db, "nothing", value, sizeof(value), &f->e), f->e, ERR_NOT_FOUND,
	    "nothing: not set");
	assert_fails(db_setting_get(db, ".nonce_key", value, sizeof(value), &f->e), f->e, ERR_NOT_FOUND, "not set");
	assert_fails(db_setting_set(db, bad, 2, &f->e), f->e, ERR_INPUT, ".nonce_key");
	assert_ok(db_setting_get(db, "url", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "https://other/");
	db_close(db);
}

/* A nonce key that somebody exchanged in the database must not be used. */
static void
exchanged_nonce_key_is_noticed(void **state)
{
	struct fixture *f = *state;
	unsigned char key[DB_NONCE_KEY_SIZE];
	struct db *db;

	assert_sqlite(f,
	    "UPDATE settings SET value = (SELECT value FROM settings WHERE name = '.event_head') "
	    "WHERE name = '.nonce_key'",
	    "");
	db = reader_open(f);
	assert_fails(db_nonce_key_get(db, key, &f->e), f->e, ERR_INTEGRITY, "settings.value");
	db_close(db);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unusable_folders, fixture_empty),
		TEST(folder_that_may_not_be_read, fixture_created),
		TEST(folder_open_to_others, fixture_created),
		TEST(master_key_faults, fixture_created),
		TEST(newer_schema_is_refused, fixture_created),
		TEST(schema_is_upgraded_in_order, fixture_created),
		TEST(reader_cannot_write, fixture_created),
		TEST(settings_are_kept, fixture_created),
		TEST(exchanged_nonce_key_is_noticed, fixture_created),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
