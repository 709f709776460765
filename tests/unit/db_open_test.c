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

static bool
exists(const char *dir, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static int
try_open(struct fixture *f)
{
	struct db *db = db_open(&f->where, &f->e);

	db_close(db);
	return db == NULL ? -1 : 0;
}

/* A new state folder holds what init gave, private, and sound in the eyes of the sqlite3 program. */
static void
create_makes_a_whole_private_folder(void **state)
{
	struct fixture *f = *state;
	struct db *db = reader_open(f);
	unsigned char nonce_key[2][DB_NONCE_KEY_SIZE];
	struct db_certificate server;
	struct db_authority ca;
	char value[64];

	assert_int_equal(mode_of(f, ""), 0700);
	assert_int_equal(mode_of(f, "phonevpn.db"), 0600);
	assert_int_equal(mode_of(f, "phonevpn.db-wal"), 0600);
	assert_int_equal(mode_of(f, "phonevpn.db-shm"), 0600);
	assert_int_equal(mode_of(f, "master.key"), 0600);
	assert_int_equal(mode_of(f, "lock"), 0600);
	assert_ok(db_setting_get(db, "url", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "http://pbx.example.com/");
	assert_ok(db_authority_current(db, &ca, &f->e), f->e);
	assert_string_equal(ca.name, "Test CA 1");
	assert_int_equal(ca.crl_number, 1);
	db_authority_release(&ca);
	assert_ok(db_certificate_server(db, &server, &f->e), f->e);
	assert_string_equal(server.name, "vpn.example.com");
	assert_true(server.server);
	assert_ok(db_nonce_key_get(db, nonce_key[0], &f->e), f->e);
	db_close(db);
	db = reader_open(f);
	assert_ok(db_nonce_key_get(db, nonce_key[1], &f->e), f->e);
	assert_memory_equal(nonce_key[0], nonce_key[1], DB_NONCE_KEY_SIZE);
	db_close(db);
	assert_sound(f);
	assert_sqlite(f, "PRAGMA journal_mode", "wal");
	assert_sqlite(f, "PRAGMA page_size", "8192");
	assert_sqlite(f, "PRAGMA user_version", "1");
}

static bool
file_holds(struct fixture *f, const char *name, const void *what, size_t len)
{
	struct buf bytes = BUF_INIT(1 << 24);
	char path[512];
	bool found;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_ok(file_read(path, &bytes, &f->e), f->e);
	found = bytes.len > 0 && memmem(bytes.data, bytes.len, what, len) != NULL;
	buf_release(&bytes);
	return found;
}

static void
assert_nothing_secret(struct fixture *f, const char *name, const struct buf *master_key)
{
	static const char *const secrets[] = { CLEAR_CA_KEY, CLEAR_SERVER_KEY, CLEAR_PHONE_KEY, CLEAR_SECRET,
		CLEAR_PASSWORD };

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_false(file_holds(f, name, secrets[i], strlen(secrets[i])));
	assert_false(file_holds(f, name, master_key->data, 16));
	assert_false(file_holds(f, name, master_key->data + 16, 16));
}

/* Whoever steals the database alone must get no key out of it. */
static void
nothing_secret_is_in_the_database(void **state)
{
	static const char *const files[] = { "phonevpn.db", "phonevpn.db-wal", "phonevpn.db-shm", "lock" };
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t phone = phone_make(f, db, "0004f2000001");
	struct buf key = BUF_INIT(64);
	char path[512];

	(void)generation_new(f, db, phone, "0004f2000001", 1);
	(void)snprintf(path, sizeof(path), "%s/master.key", f->dir);
	assert_ok(file_read(path, &key, &f->e), f->e);
	assert_int_equal(key.len, 32);
	/* Before the WAL goes into the database, and behind it. */
	assert_true(file_holds(f, "phonevpn.db-wal", "phone certificate 1", 19));
	for (size_t n = 0; n < sizeof(files) / sizeof(files[0]); n++)
		assert_nothing_secret(f, files[n], &key);
	db_close(db);
	assert_true(file_holds(f, "phonevpn.db", "phone certificate 1", 19));
	assert_nothing_secret(f, "phonevpn.db", &key);
	buf_release(&key);
}

/* A second init must not take a fleet's state away. */
static void
create_twice_is_a_conflict_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf before = BUF_INIT(4096), after = BUF_INIT(4096);

	support_shell(&before, NULL, "cd '%s' && ls -A && sha256sum phonevpn.db master.key", f->dir);
	assert_fails(state_create(f, &f->e), f->e, ERR_CONFLICT, "initialised already");
	support_shell(&after, NULL, "cd '%s' && ls -A && sha256sum phonevpn.db master.key", f->dir);
	assert_string_equal(buf_string(&before), buf_string(&after));
	buf_release(&before);
	buf_release(&after);
}

/* An admin who brings a master key from a vault finds it in use, and unchanged. */
static void
create_takes_an_existing_master_key_over(void **state)
{
	struct fixture *f = *state;
	struct buf key = BUF_INIT(64);
	char *path = support_file(f->folder, "vault.key", "0123456789abcdef0123456789ABCDEF", 32);

	f->where.master_key = path;
	assert_ok(state_create(f, &f->e), f->e);
	assert_ok(file_read(path, &key, &f->e), f->e);
	assert_string_equal(buf_string(&key), "0123456789abcdef0123456789ABCDEF");
	assert_false(exists(f->dir, "master.key"));
	assert_ok(try_open(f), f->e);
	f->where.master_key = NULL;
	assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "master.key");
	free(path);
	buf_release(&key);
}

/* A bad master key at init would seal the CA under it. */
static void
create_refuses_a_bad_master_key(void **state)
{
	struct fixture *f = *state;
	char *path = support_file(f->folder, "short.key", "0123456789abcdef", 16);

	f->where.master_key = path;
	assert_fails(state_create(f, &f->e), f->e, ERR_INTEGRITY, "short.key: expected 32 bytes, found 16");
	assert_true(exists(f->folder, "short.key"));
	assert_false(exists(f->folder, "state"));
	free(path);
}

/* A failed init leaves neither a half folder nor takes away what it has not made. */
static void
failed_create_removes_what_it_made(void **state)
{
	struct fixture *f = *state;
	struct buf empty = BUF_INIT(1), der = BUF_INIT(64);
	struct db_crl crl = { .number = 1, .der = BUF_INIT(1) };
	struct db_certificate_new server = { .cert = &der, .key = &der, .not_after = NOT_AFTER };
	struct db_init init = { .authority_name = "CA",
		.authority_cert = &der,
		.authority_key = &der,
		.crl = &crl,
		.server_name = "vpn",
		.server = &server };
	char *mine = NULL;

	buf_add_string(&der, "der");
	assert_fails(db_create(&f->where, &init, &f->e), f->e, ERR_INPUT, "CRL: expected DER bytes");
	assert_false(exists(f->folder, "state"));
	assert_int_equal(mkdir(f->dir, 0700), 0);
	mine = support_file(f->dir, "notes.txt", "keep me", 7);
	assert_fails(db_create(&f->where, &init, &f->e), f->e, ERR_INPUT, "CRL: expected DER bytes");
	assert_true(exists(f->dir, "notes.txt"));
	assert_false(exists(f->dir, "phonevpn.db"));
	assert_false(exists(f->dir, "master.key"));
	assert_false(exists(f->dir, "lock"));
	assert_ok(state_create(f, &f->e), f->e);
	free(mine);
	buf_release(&der);
	buf_release(&empty);
}

/* A disk that is full in the middle of init: a clear word, and nothing is left. */
static void
create_on_a_full_disk_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	pid_t child;

	for (rlim_t limit = 0; limit < 200000; limit += 16000) {
		child = fork();
		if (child == 0) {
			const struct rlimit files = { limit, limit };
			struct err e = ERR_INIT;

			(void)signal(SIGXFSZ, SIG_IGN);
			(void)setrlimit(RLIMIT_FSIZE, &files);
			_exit(state_create(f, &e) == 0 ? 9 : e.code);
		}
		if (child_wait(child) == 9)
			break;
		assert_false(exists(f->folder, "state"));
		assert_fails(try_open(f), f->e, ERR_NOT_FOUND, "no phonevpn state here");
	}
	/* The last round had room enough. */
	assert_ok(try_open(f), f->e);
	assert_sound(f);
}

/* Killed at any instant, a folder is initialised or it is not; in the latter case the next init works. */
static void
killed_create_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 20261123, done = 0, undone = 0, window;
	struct timespec start, end;
	struct buf gone = BUF_INIT(64);

	/* Moments from the first to somewhat behind the last, however fast the machine is. */
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	assert_ok(state_create(f, &f->e), f->e);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	window = (unsigned int)((end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000) * 3 / 2 +
	         1;
	support_shell(&gone, NULL, "rm -rf '%s'", f->dir);
	buf_release(&gone);
	for (int round = 0; round < 25; round++) {
		struct buf out = BUF_INIT(64);
		pid_t child = fork();

		if (child == 0)
			_exit(state_create(f, NULL) == 0 ? 0 : 1);
		(void)usleep((useconds_t)((unsigned int)rand_r(&seed) % window));
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		if (try_open(f) == 0) {
			done++;
		} else {
			undone++;
			assert_int_equal(f->e.code, ERR_NOT_FOUND);
			assert_ok(state_create(f, &f->e), f->e);
		}
		assert_ok(try_open(f), f->e);
		assert_sound(f);
		support_shell(&out, NULL, "rm -rf '%s'", f->dir);
		buf_release(&out);
	}
	print_message("# %u initialised, %u not\n", done, undone);
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

	assert_sqlite(f, "PRAGMA user_version = 7", "");
	assert_fails(try_open(f), f->e, ERR_CONFLICT, "expected schema version 1 or less, found 7");
	assert_fails(state_create(f, &f->e), f->e, ERR_CONFLICT, "expected schema version 1 or less, found 7");
	assert_sqlite(f, "PRAGMA user_version", "7");
}

/* An upgrade runs its steps in order, all or none, and is written down. */
static void
schema_is_upgraded_in_order(void **state)
{
	static const char *const bad[] = { "not run", "ALTER TABLE phones ADD COLUMN note TEXT",
		"UPDATE phones SET nonsense = 1" };
	static const char *const good[] = { "not run", "ALTER TABLE phones ADD COLUMN note TEXT",
		"UPDATE phones SET note = 'from ' || mac" };
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
	assert_fails(schema_upgrade(db, bad, 3, &f->e), f->e, ERR_FAILED, "schema version 3: ");
	assert_sqlite(f, "PRAGMA user_version", "1");
	assert_sqlite(f, "SELECT count(*) FROM pragma_table_info('phones') WHERE name = 'note'", "0");
	assert_ok(schema_upgrade(db, good, 3, &f->e), f->e);
	assert_ok(schema_upgrade(db, good, 3, &f->e), f->e);
	assert_sqlite(f, "PRAGMA user_version", "3");
	assert_sqlite(f, "SELECT note FROM phones", "from 0004f2000001");
	assert_sqlite(f, "SELECT action, detail FROM events ORDER BY id DESC LIMIT 1", "schema.upgrade|version 1 to 3");
	assert_ok(db_event_verify(db, &count, &f->e), f->e);
	assert_sound(f);
	db_close(db);
	assert_fails(try_open(f), f->e, ERR_CONFLICT, "found 3");
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
		TEST(create_makes_a_whole_private_folder, fixture_created),
		TEST(nothing_secret_is_in_the_database, fixture_created),
		TEST(create_twice_is_a_conflict_and_changes_nothing, fixture_created),
		TEST(create_takes_an_existing_master_key_over, fixture_empty),
		TEST(create_refuses_a_bad_master_key, fixture_empty),
		TEST(failed_create_removes_what_it_made, fixture_empty),
		TEST(create_on_a_full_disk_leaves_nothing, fixture_empty),
		TEST(killed_create_is_all_or_nothing, fixture_empty),
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
