/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "common/file.h"
#include "db/authority.h"
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
	assert_sqlite(f, "PRAGMA user_version", "6");
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

	for (rlim_t limit = 0; limit < 400000; limit += 32000) {
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
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
