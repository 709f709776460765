/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "common/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "# ours"

static char *folder;

static bool
put(const char *dir, const char *name, const char *text, mode_t mode, bool dry_run)
{
	struct tree t = TREE_INIT;
	struct err e = ERR_INIT;
	bool written = false;

	assert_ok(tree_open(&t, dir, 0755, MARK, dry_run, &e), e);
	assert_ok(tree_put(&t, name, text, strlen(text), mode, &written, &e), e);
	assert_ok(tree_close(&t, false, &e), e);
	return written;
}

static struct stat
look(const char *dir, const char *name)
{
	char *path = text_format("%s/%s", dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return st;
}

static bool
exists(const char *dir, const char *name)
{
	char *path = text_format("%s/%s", dir, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* A file that is as it should be keeps its inode and its time: nobody who watches it is woken. */
static void
only_what_differs_is_written(void **state)
{
	char *dir = text_format("%s/a", folder);
	struct stat before, after;

	(void)state;
	assert_true(put(dir, "x", MARK " 1", 0644, false));
	before = look(dir, "x");
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_false(put(dir, "x", MARK " 1", 0644, false));
	after = look(dir, "x");
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	assert_true(put(dir, "x", MARK " 2", 0644, false));
	assert_int_not_equal(look(dir, "x").st_ino, before.st_ino);
	assert_true(put(dir, "x", MARK " 23", 0644, false));
	assert_true(put(dir, "x", MARK " 2", 0644, false));
	assert_true(put(dir, "x", MARK " 2", 0600, false));
	assert_int_equal(look(dir, "x").st_mode & 07777, 0600);
	free(dir);
}

/* A dry run makes nothing, not even the folder. */
static void
dry_run(void **state)
{
	char *dir = text_format("%s/b", folder);

	(void)state;
	assert_true(put(dir, "x", MARK, 0644, true));
	assert_false(exists(folder, "b"));
	assert_true(put(dir, "x", MARK, 0644, false));
	assert_false(put(dir, "x", MARK, 0644, true));
	assert_true(put(dir, "x", MARK " 2", 0644, true));
	assert_int_equal(look(dir, "x").st_size, strlen(MARK));
	free(dir);
}

static bool
keep_x(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "x") == 0;
}

static int
count_removed(const char *name, void *arg, struct err *e)
{
	(void)name;
	(void)e;
	++*(int *)arg;
	return 0;
}

/* What an admin has put there stays, whatever its name; what is ours and wanted no more goes. */
static void
others_files_stay(void **state)
{
	char *dir = text_format("%s/c", folder), *link = text_format("%s/c/link", folder);
	struct tree t = TREE_INIT;
	struct err e = ERR_INIT;
	bool written;
	int removed = 0;

	(void)state;
	assert_true(put(dir, "x", MARK, 0644, false));
	assert_true(put(dir, "y", MARK, 0644, false));
	free(support_file(dir, "theirs", "route 1", 7));
	free(support_file(dir, "short", "#", 1));
	assert_int_equal(symlink("x", link), 0);
	assert_ok(tree_open(&t, dir, 0755, MARK, true, &e), e);
	assert_ok(tree_prune(&t, keep_x, count_removed, &removed, &e), e);
	assert_ok(tree_close(&t, false, &e), e);
	assert_int_equal(removed, 1);
	assert_true(exists(dir, "y"));
	assert_ok(tree_open(&t, dir, 0755, MARK, false, &e), e);
	assert_ok(tree_prune(&t, keep_x, count_removed, &removed, &e), e);
	assert_int_equal(removed, 2);
	assert_false(exists(dir, "y"));
	assert_true(exists(dir, "theirs"));
	assert_true(exists(dir, "short"));
	assert_true(exists(dir, "link"));
	assert_fails(tree_put(&t, "theirs", MARK, 6, 0644, &written, &e), e, ERR_CONFLICT,
	    "theirs: expected phonevpn's");
	assert_fails(tree_put(&t, "link", MARK, 6, 0644, &written, &e), e, ERR_CONFLICT, "link: expected phonevpn's");
	assert_ok(tree_close(&t, false, &e), e);
	free(dir);
	free(link);
}

/* Two at once would tear each other's files. */
static void
one_at_a_time(void **state)
{
	char *dir = text_format("%s/d", folder);
	struct tree one = TREE_INIT, two = TREE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(tree_open(&one, dir, 0755, MARK, false, &e), e);
	assert_fails(tree_open(&two, dir, 0755, MARK, false, &e), e, ERR_CONFLICT, "expected to be alone in it");
	assert_ok(tree_close(&two, true, &e), e);
	assert_ok(tree_close(&one, false, &e), e);
	assert_ok(tree_open(&two, dir, 0755, MARK, false, &e), e);
	assert_ok(tree_close(&two, false, &e), e);
	free(support_file(folder, "file", "", 0));
	free(dir);
	dir = text_format("%s/file", folder);
	assert_fails(tree_open(&two, dir, 0755, MARK, false, &e), e, ERR_CONFLICT, "expected a folder");
	assert_ok(tree_close(&two, true, &e), e);
	free(dir);
}

static int
setup(void **state)
{
	(void)state;
	folder = support_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	support_remove(folder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_is_written),
		cmocka_unit_test(dry_run),
		cmocka_unit_test(others_files_stay),
		cmocka_unit_test(one_at_a_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
