/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/sqlite.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MAC "0004f2000001"

/* Wait until a file has a byte in it; the limit is a failure, not a speed. */
static void
wait_for_byte(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
}

/* Generations without end, each offered, each told on the pipe once it is committed. */
static void
child_commits(struct fixture *f, unsigned int first, int told)
{
	struct db *db = db_open_writer(&f->where, NULL);
	struct db_phone p;

	if (db == NULL || db_phone_get(db, MAC, &p, NULL) != 0)
		_exit(1);
	for (unsigned int n = first;; n++) {
		struct db_offer offer = { .phone = p.id };

		if (generation_make(db, p.id, MAC, n, true, &offer.number, NULL) != 0)
			_exit(2);
		if (write(told, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(3);
		if (db_generation_offer(db, &offer, 1, NULL) != 0)
			_exit(4);
	}
}

struct tally {
	struct db *db;
	unsigned int count, last;
};

static int
check_generation(const struct db_generation *g, void *arg, struct err *e)
{
	struct tally *t = arg;
	struct db_bundle b;
	char text[64];

	t->last = (unsigned int)g->serial[16] << 24 | (unsigned int)g->serial[17] << 16 |
	          (unsigned int)g->serial[18] << 8 | g->serial[19];
	t->count++;
	assert_int_equal(g->number, t->count);
	if (db_bundle_get(t->db, MAC, g->number, NULL, &b, e) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "phone certificate %u", t->last);
	assert_string_equal(buf_string(&b.cert), text);
	(void)snprintf(text, sizeof(text), CLEAR_PHONE_KEY " %u", t->last);
	assert_string_equal(buf_string(&b.key), text);
	db_bundle_release(&b);
	return 0;
}

/* Everything that is stored is whole, the log too. */
static struct tally
assert_all_whole(struct fixture *f)
{
	struct tally t = { .db = writer_open(f) };
	struct db_phone p;
	size_t count;

	assert_ok(db_phone_get(t.db, MAC, &p, &f->e), f->e);
	assert_ok(db_generation_each(t.db, p.id, check_generation, &t, &f->e), f->e);
	assert_int_equal(p.newest, t.count);
	assert_ok(db_event_verify(t.db, &count, &f->e), f->e);
	db_close(t.db);
	assert_sound(f);
	return t;
}

/* The offer is of a generation not older than the last one that is known to be offered. */
static int64_t
assert_offer_kept(struct fixture *f, int64_t at_least)
{
	struct db *db = reader_open(f);
	struct db_phone p;

	assert_ok(db_phone_get(db, MAC, &p, &f->e), f->e);
	db_close(db);
	assert_in_range(p.offered, at_least, p.newest);
	return p.offered;
}

/* Killed at any instant: every certificate that was reported as committed is there, and no half of one. */
static void
killed_writer_loses_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 1123, told, next = 1;
	int64_t offered = 0;
	struct db *db = writer_open(f);
	struct tally t;

	(void)phone_make(f, db, MAC);
	assert_ok(db_profile_put(db, PROFILE, "profile text", 12, &f->e), f->e);
	db_close(db);
	for (int round = 0; round < 30; round++) {
		int ends[2], status;
		pid_t child;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		child = fork();
		if (child == 0) {
			(void)close(ends[0]);
			child_commits(f, next, ends[1]);
		}
		(void)close(ends[1]);
		/* At least one commit, then any moment. */
		assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
		(void)usleep((useconds_t)rand_r(&seed) % 10000);
		assert_int_equal(kill(child, SIGKILL), 0);
		while (read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
			;
		(void)close(ends[0]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		t = assert_all_whole(f);
		/* It offers one before it commits the next. */
		offered = assert_offer_kept(f, told > next ? told - 1 : offered);
		/* One more than it told may be there: killed between the commit and the telling. */
		assert_in_range(t.last, told, told + 1);
		assert_int_equal(t.count, t.last);
		next = t.last + 1;
	}
	print_message("# %u generations committed in 30 lives\n", t.count);
}

/* Commit until the disk is full; 0 when it ends with the right words, and db still reads. */
static int
fill_up(struct fixture *f)
{
	struct err e = ERR_INIT;
	struct db *db = db_open_writer(&f->where, &e);
	struct db_setting change = { "url", "small" };
	const char *before;
	char value[64];
	struct db_phone p;

	if (db == NULL || db_phone_get(db, MAC, &p, &e) != 0)
		return 1;
	for (unsigned int n = 1; n < 5000; n++) {
		if (generation_make(db, p.id, MAC, n, true, NULL, &e) != 0)
			break;
	}
	if (e.code != ERR_FAILED || strstr(e.text, "nothing was changed") == NULL || strstr(e.text, f->dir) == NULL ||
	    (strstr(e.text, "disk full") == NULL && strstr(e.text, "File too large") == NULL)) {
		print_error("%s\n", e.text);
		return 2;
	}
	/* A smaller change may still fit; either way the same handle tells the truth. */
	before = db_setting_set(db, &change, 1, &e) == 0 ? "small" : "http://pbx.example.com/";
	if (db_setting_get(db, "url", value, sizeof(value), &e) != 0 || strcmp(value, before) != 0)
		return 3;
	db_close(db);
	return 0;
}

static void
phone_and_profile(struct fixture *f)
{
	struct db *db = writer_open(f);

	(void)phone_make(f, db, MAC);
	assert_ok(db_profile_put(db, PROFILE, "profile text", 12, &f->e), f->e);
	db_close(db);
}

static void
assert_works_again(struct fixture *f, unsigned int serial)
{
	struct db *db = writer_open(f);
	struct db_phone p;

	assert_ok(db_phone_get(db, MAC, &p, &f->e), f->e);
	assert_ok(generation_make(db, p.id, MAC, serial, true, NULL, &f->e), f->e);
	db_close(db);
}

/* A quota that ends in the middle of a mint: one clear line, nothing lost, and it goes on once there is room. */
static void
file_size_limit_loses_nothing(void **state)
{
	struct fixture *f = *state;

	phone_and_profile(f);
	for (rlim_t limit = 200000; limit < 400000; limit += 33333) {
		pid_t child = fork();
		struct buf out = BUF_INIT(100);

		if (child == 0) {
			const struct rlimit files = { limit, limit };

			(void)signal(SIGXFSZ, SIG_IGN);
			(void)setrlimit(RLIMIT_FSIZE, &files);
			_exit(fill_up(f));
		}
		assert_int_equal(child_wait(child), 0);
		(void)assert_all_whole(f);
		assert_works_again(f, 9999);
		support_shell(&out, NULL, "rm -rf '%s'", f->dir);
		buf_release(&out);
		assert_ok(state_create(f, &f->e), f->e);
		phone_and_profile(f);
	}
}

static int
fixture_unmounted(void **state)
{
	const struct fixture *f = *state;

	(void)umount2(f->dir, MNT_DETACH);
	return fixture_end(state);
}

/* The same on a real full disk, a file system of 2 MB of its own; only root can mount one. */
static void
full_disk_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct tally t;

	assert_int_equal(mkdir(f->dir, 0700), 0);
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("full", f->dir, "tmpfs", 0, "size=2m,mode=0700") != 0) {
		print_message("# no mount namespaces here\n");
		skip();
	}
	assert_ok(state_create(f, &f->e), f->e);
	phone_and_profile(f);
	assert_int_equal(fill_up(f), 0);
	/* Still full: all can be read. */
	t = assert_all_whole(f);
	assert_true(t.count >= 10);
	assert_int_equal(mount("full", f->dir, "tmpfs", MS_REMOUNT, "size=8m,mode=0700"), 0);
	assert_works_again(f, 9999);
	(void)assert_all_whole(f);
}

/* The second writer is told who is at work, and gets its turn when that one has ended, however it ended. */
static void
second_writer_is_told_who_holds_the_lock(void **state)
{
	struct fixture *f = *state;
	struct db_location other = f->where;
	char holder[64], path[512];
	int ends[2], status;
	struct stat st;
	pid_t child;

	other.actor = "alice: phonevpn mint --all";
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		struct db *db = db_open_writer(&other, NULL);

		if (db == NULL || write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	wait_for_byte(ends[0]);
	(void)snprintf(holder, sizeof(holder), "process %ld (alice: phonevpn mint --all)", (long)child);
	assert_fails(db_open_writer(&f->where, &f->e) == NULL ? -1 : 0, f->e, ERR_CONFLICT, holder);
	assert_fails(state_create(f, &f->e), f->e, ERR_CONFLICT, holder);
	db_close(reader_open(f));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Its words are still in the file, which does not matter. */
	(void)snprintf(path, sizeof(path), "%s/lock", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 0);
	db_close(writer_open(f));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Two handles of one process count as two writers. */
static void
lock_holds_within_a_process(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);

	assert_fails(db_open_writer(&f->where, &f->e) == NULL ? -1 : 0, f->e, ERR_CONFLICT, "tester: unit test");
	db_close(db);
	db_close(writer_open(f));
	db_close(NULL);
}

/* A holder's name cannot play tricks on the reader's terminal. */
static void
holder_is_printable(void **state)
{
	struct fixture *f = *state;
	char *path = support_file(f->dir, "lock", "1\n2026-11-23T21:44:39Z\nbad\033[2Jname\n", 35);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_fails(db_open_writer(&f->where, &f->e) == NULL ? -1 : 0, f->e, ERR_CONFLICT,
	    "process 1 (bad?[2Jname) is changing it since 2026-11-23T21:44:39Z");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_fails(db_open_writer(&f->where, &f->e) == NULL ? -1 : 0, f->e, ERR_CONFLICT, "another process");
	(void)close(fd);
	free(path);
}

struct reading {
	struct fixture *f;
	struct db *writer;
	unsigned int seen;
};

static int
add_while_reading(const struct db_phone *p, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct db_phone_new n = { .http_password = "x" };

	(void)p;
	r->seen++;
	(void)snprintf(n.phone.mac, sizeof(n.phone.mac), "0004f2ff%04x", r->seen);
	(void)snprintf(n.phone.http_user, sizeof(n.phone.http_user), "u%u", r->seen);
	return db_phone_add(r->writer, &n, 1, e);
}

/* Phones are served while an admin imports others: readers neither wait nor see half of it. */
static void
readers_go_on_while_a_writer_writes(void **state)
{
	enum { COUNT = 600 };
	static const struct db_phone_filter all = DB_ALL_PHONES;
	struct fixture *f = *state;
	struct db *reader = reader_open(f), *writer = writer_open(f);
	struct db_phone_new *n = calloc(COUNT, sizeof(*n));
	struct reading r = { f, writer, 0 };
	size_t count;

	assert_non_null(n);
	for (unsigned int i = 0; i < COUNT; i++) {
		n[i].http_password = "x";
		(void)snprintf(n[i].phone.mac, sizeof(n[i].phone.mac), "0004f2%06x", i);
		(void)snprintf(n[i].phone.http_user, sizeof(n[i].phone.http_user), "user%u", i);
	}
	assert_ok(db_phone_add(writer, n, COUNT, &f->e), f->e);
	free(n);
	/* More than one piece: what is added meanwhile, behind, does not show in this listing. */
	assert_ok(db_phone_each(reader, &all, add_while_reading, &r, &f->e), f->e);
	assert_int_equal(r.seen, COUNT);
	assert_ok(db_phone_count(reader, &all, &count, &f->e), f->e);
	assert_int_equal(count, 2 * COUNT);
	db_close(reader);
	db_close(writer);
}

/*
 * While another program is in the middle of a transaction, a reader sees the state before it and does not wait, and a
 * writer is told of it and changes nothing.
 */
static void
open_transaction_of_another_program(void **state)
{
	struct fixture *f = *state;
	struct db *reader = reader_open(f), *writer = writer_open(f);
	const struct db_setting change = { "url", "ours" };
	char path[512], value[64];
	sqlite3 *other;

	(void)snprintf(path, sizeof(path), "%s/phonevpn.db", f->dir);
	assert_int_equal(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE settings SET value = 'half' WHERE name = 'url'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_ok(db_setting_get(reader, "url", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "http://pbx.example.com/");
	(void)sqlite3_busy_timeout(writer->sql, 50);
	assert_fails(db_setting_set(writer, &change, 1, &f->e), f->e, ERR_CONFLICT,
	    "another program has locked the database");
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_ok(db_setting_set(writer, &change, 1, &f->e), f->e);
	assert_ok(db_setting_get(reader, "url", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "ours");
	db_close(reader);
	db_close(writer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_writer_loses_nothing),
		TEST(file_size_limit_loses_nothing),
		cmocka_unit_test_setup_teardown(full_disk_loses_nothing, fixture_empty, fixture_unmounted),
		TEST(second_writer_is_told_who_holds_the_lock),
		TEST(lock_holds_within_a_process),
		TEST(holder_is_printable),
		TEST(readers_go_on_while_a_writer_writes),
		TEST(open_transaction_of_another_program),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
