/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int
setup(void **state)
{
	*state = support_folder();
	return 0;
}

static int
teardown(void **state)
{
	support_remove(*state);
	return 0;
}

static void
assert_content(const char *path, const char *expected)
{
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	assert_ok(file_read(path, &out, &e), e);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* Nothing else may be in the folder than what is named: no half-written neighbour. */
static void
assert_listing(const char *folder, const char *expected)
{
	struct buf out = BUF_INIT(4096);

	support_shell(&out, NULL, "ls -A %s", folder);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

static char *
path_of(const char *folder, const char *name)
{
	struct err e = ERR_INIT;
	char *path = file_path(folder, name, &e);

	assert_non_null(path);
	return path;
}

/* A fleet's list or a certificate would be read in part, or for ever. */
static void
read_is_whole_or_fails(void **state)
{
	char *path = path_of(*state, "large"), *none = path_of(*state, "none");
	struct buf data = BUF_INIT(100000), out = BUF_INIT(100000), small = BUF_INIT(99999);
	struct err e = ERR_INIT;

	for (int i = 0; data.len + 8 <= 100000; i++)
		buf_addf(&data, "%07d\n", i);
	assert_ok(file_create(path, data.data, data.len, 0600, &e), e);
	assert_ok(file_read(path, &out, &e), e);
	assert_int_equal(out.len, data.len);
	assert_memory_equal(out.data, data.data, data.len);
	assert_fails(file_read(path, &small, &e), e, ERR_FAILED, "expected at most 99999 bytes");
	buf_release(&small);
	assert_ok(file_read_start(path, &small, &e), e);
	assert_int_equal(small.len, 99999);
	assert_memory_equal(small.data, out.data, 99999);
	assert_fails(file_read(none, &out, &e), e, ERR_NOT_FOUND, none);
	assert_fails(file_read_start(none, &out, &e), e, ERR_NOT_FOUND, none);
	assert_fails(file_read(*state, &out, &e), e, ERR_FAILED, "Is a directory");
	buf_release(&data);
	buf_release(&out);
	buf_release(&small);
	free(path);
	free(none);
}

/* "-" would be taken for a file of that name. */
static void
dash_is_standard_input(void **state)
{
	char *path = support_file(*state, "input", "from a pipe\nor a file\n", 22);
	int saved = dup(STDIN_FILENO), fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	assert_content("-", "from a pipe\nor a file\n");
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	(void)close(saved);
	(void)close(fd);
	free(path);
}

/* A password would get a line end that nobody typed, or lose what stands behind a NUL. */
static void
secrets(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		const char *secret; /* NULL: refused */
	} cases[] = {
		{ "hunter2", 7, "hunter2" },
		{ "hunter2\n", 8, "hunter2" },
		{ "hunter2\r\n", 9, "hunter2" },
		{ " hunter 2 \n", 11, " hunter 2 " },
		{ "", 0, NULL },
		{ "\n", 1, NULL },
		{ "\nhunter2\n", 9, NULL },
		{ "hunter2\nhunter3\n", 16, NULL },
		{ "hunter2\0x", 9, NULL },
		{ "hunter2\0\n", 9, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = support_file(*state, "secret", cases[i].content, cases[i].len);
		struct buf out = BUF_INIT(1024);
		struct err e = ERR_INIT;

		if (cases[i].secret != NULL) {
			assert_ok(file_read_secret(path, &out, &e), e);
			assert_string_equal(buf_string(&out), cases[i].secret);
			assert_int_equal(out.len, strlen(cases[i].secret));
		} else {
			assert_int_equal(file_read_secret(path, &out, &e), -1);
			assert_int_equal(e.code, ERR_INPUT);
			assert_null(strstr(e.text, "hunter"));
		}
		buf_release(&out);
		free(path);
	}
}

static void
assert_mode(const char *path, mode_t expected)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, expected);
}

/* An export would mix old bytes with new ones, or a key be open to everybody. */
static void
replace(void **state)
{
	char *path = path_of(*state, "file"), *link = path_of(*state, "link");
	mode_t mask = umask(0);
	struct err e = ERR_INIT;

	assert_ok(file_replace(path, "a longer first content", 22, 0644, &e), e);
	assert_mode(path, 0644);
	assert_ok(file_replace(path, "second", 6, 0600, &e), e);
	assert_mode(path, 0600);
	assert_content(path, "second");
	(void)umask(0777);
	assert_ok(file_replace(path, "", 0, 0640, &e), e);
	(void)umask(mask);
	assert_mode(path, 0640);
	assert_content(path, "");
	/* A link is replaced itself: what it points to stays. */
	assert_int_equal(symlink("file", link), 0);
	assert_ok(file_replace(link, "new", 3, 0600, &e), e);
	assert_content(path, "");
	assert_content(link, "new");
	assert_listing(*state, "file\nlink\n");
	free(path);
	free(link);
}

/* A full disk would leave half a file in the place of a good one. */
static void
replace_on_a_full_disk(void **state)
{
	static const char big[20000];
	char *path = support_file(*state, "file", "old", 3);
	struct rlimit before, small;
	struct err e = ERR_INIT;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 10000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_fails(file_replace(path, big, sizeof(big), 0600, &e), e, ERR_FAILED, "File too large");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_content(path, "old");
	assert_listing(*state, "file\n");
	free(path);
}

/* A second init would overwrite the first one's key. */
static void
create_never_overwrites(void **state)
{
	char *path = path_of(*state, "key"), *link = path_of(*state, "link"), *deep = path_of(*state, "no/such/key");
	struct err e = ERR_INIT;

	assert_ok(file_create(path, "one", 3, 0600, &e), e);
	assert_mode(path, 0600);
	assert_fails(file_create(path, "two", 3, 0600, &e), e, ERR_CONFLICT, path);
	assert_content(path, "one");
	assert_int_equal(symlink("elsewhere", link), 0);
	assert_fails(file_create(link, "two", 3, 0600, &e), e, ERR_CONFLICT, link);
	assert_fails(file_create(deep, "two", 3, 0600, &e), e, ERR_FAILED, "No such file or directory");
	assert_fails(file_replace(deep, "two", 3, 0600, &e), e, ERR_FAILED, "No such file or directory");
	assert_listing(*state, "key\nlink\n");
	free(path);
	free(link);
	free(deep);
}

/* A folder that is there already is used, and a file in its place is not. */
static void
folders(void **state)
{
	char *dir = path_of(*state, "dir"), *file = support_file(*state, "file", "", 0);
	char *deep = path_of(*state, "no/such/dir");
	struct err e = ERR_INIT;
	bool made = false;

	assert_ok(file_make_dir(dir, 0700, &made, &e), e);
	assert_true(made);
	assert_mode(dir, 0700);
	assert_ok(file_make_dir(dir, 0700, &made, &e), e);
	assert_false(made);
	assert_ok(file_make_dir(dir, 0700, NULL, &e), e);
	assert_fails(file_make_dir(file, 0700, &made, &e), e, ERR_CONFLICT, "expected a folder, found a file");
	assert_fails(file_make_dir(deep, 0700, &made, &e), e, ERR_FAILED, deep);
	free(dir);
	free(file);
	free(deep);
}

/* Root who names a device as the place of a report would take the device away from the whole machine. */
static void
replace_takes_no_device_away(void **state)
{
	char *fifo = path_of(*state, "fifo"), *link = path_of(*state, "link");
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_fails(file_replace(fifo, "x", 1, 0600, &e), e, ERR_CONFLICT, "found a device, a pipe or a socket");
	assert_fails(file_replace(link, "x", 1, 0600, &e), e, ERR_CONFLICT, "found a device, a pipe or a socket");
	assert_fails(file_replace(*state, "x", 1, 0600, &e), e, ERR_CONFLICT, "found a folder");
	assert_int_equal(lstat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_listing(*state, "fifo\nlink\n");
	free(fifo);
	free(link);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(read_is_whole_or_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(dash_is_standard_input, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(replace, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_on_a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_takes_no_device_away, setup, teardown),
		cmocka_unit_test_setup_teardown(create_never_overwrites, setup, teardown),
		cmocka_unit_test_setup_teardown(folders, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
