/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "cli/served_login.h"
#include "db/request.h"

#define MAC "0004f2000001"
#define LONGER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef!"

static void
phone_add(struct fixture *f, struct db *db, const char *mac, const char *password)
{
	struct db_phone_new n = { .http_password = password };

	(void)snprintf(n.phone.mac, sizeof(n.phone.mac), "%s", mac);
	(void)snprintf(n.phone.model, sizeof(n.phone.model), "D65");
	(void)snprintf(n.phone.http_user, sizeof(n.phone.http_user), "%s", mac);
	assert_ok(db_phone_add(db, &n, 1, &f->e), f->e);
}

static struct db *
keeper_open(struct fixture *f)
{
	struct db *db = db_open(&f->where, &f->e);

	assert_non_null(db);
	db_read_keep(db);
	assert_ok(db_read_begin(db, &f->e), f->e);
	return db;
}

/* A phone logs in: what the database tells is kept. */
static void
log_in(struct fixture *f, struct served_logins *l, struct db *db, const char *user)
{
	struct buf password = BUF_INIT(100);
	struct db_phone p;

	assert_ok(db_phone_login(db, user, &p, &password, &f->e), f->e);
	served_login_put(l, db, &p, &password);
	buf_release(&password);
}

/* password NULL: nothing is at hand. */
static void
assert_kept(struct served_logins *l, struct db *db, const char *user, const char *password)
{
	struct buf found = BUF_INIT(100);
	struct db_phone p;
	bool kept = served_login_get(l, db, user, &p, &found);

	assert_int_equal(kept, password != NULL);
	assert_string_equal(buf_string(&found), password != NULL ? password : "");
	if (kept)
		assert_string_equal(p.mac, user);
	buf_release(&found);
}

/* A phone would be let in with another's password, or with one that it has no more. */
static void
kept_while_nothing_changes(void **state)
{
	struct fixture *f = *state;
	struct db *writer = writer_open(f), *one, *two;
	struct served_logins *l = served_logins_new();

	assert_non_null(l);
	phone_add(f, writer, MAC, CLEAR_PASSWORD);
	phone_add(f, writer, "0004f2000002", LONGER);
	one = keeper_open(f);
	two = keeper_open(f);
	assert_kept(l, one, MAC, NULL);
	log_in(f, l, one, MAC);
	log_in(f, l, one, "0004f2000002");
	assert_kept(l, one, MAC, CLEAR_PASSWORD);
	assert_kept(l, two, MAC, CLEAR_PASSWORD);
	assert_kept(l, one, "0004f2000002", NULL); /* its password is longer than is kept */
	assert_kept(l, one, "0004f200000", NULL);
	assert_kept(l, one, "", NULL);
	/* Whoever sees the change knows nothing of before; nor do the others, once it has told. */
	phone_add(f, writer, "0004f2000003", CLEAR_PASSWORD);
	assert_kept(l, one, MAC, CLEAR_PASSWORD);
	db_read_end(two);
	assert_ok(db_read_begin(two, &f->e), f->e);
	assert_kept(l, two, MAC, NULL);
	log_in(f, l, two, "0004f2000003");
	assert_kept(l, one, MAC, NULL);
	assert_kept(l, one, "0004f2000003", NULL);
	assert_kept(l, two, "0004f2000003", CLEAR_PASSWORD);
	served_logins_forget(l);
	assert_kept(l, two, "0004f2000003", NULL);
	db_read_end(one);
	db_read_end(two);
	assert_kept(l, two, "0004f2000003", NULL);
	db_close(one);
	db_close(two);
	db_close(writer);
	served_logins_free(l);
	served_logins_free(NULL);
}

/* More phones than there is room for: each is found with its own password, or not at all. */
static void
others_take_the_place(void **state)
{
	struct fixture *f = *state;
	struct db *writer = writer_open(f), *reader;
	struct served_logins *l = served_logins_new();
	struct buf password = BUF_INIT(100);
	size_t kept = 0;

	phone_add(f, writer, MAC, CLEAR_PASSWORD);
	reader = keeper_open(f);
	for (int i = 0; i < 2 * SERVED_LOGINS; i++) {
		struct db_phone p = { .id = i };

		(void)snprintf(p.http_user, sizeof(p.http_user), "user %d", i);
		buf_clear(&password);
		buf_addf(&password, "password %d", i);
		served_login_put(l, reader, &p, &password);
	}
	for (int i = 0; i < 2 * SERVED_LOGINS; i++) {
		char user[32], expected[32];
		struct db_phone p;

		(void)snprintf(user, sizeof(user), "user %d", i);
		(void)snprintf(expected, sizeof(expected), "password %d", i);
		buf_clear(&password);
		if (!served_login_get(l, reader, user, &p, &password))
			continue;
		assert_int_equal(p.id, i);
		assert_string_equal(buf_string(&password), expected);
		kept++;
	}
	assert_true(kept > 0 && kept <= SERVED_LOGINS);
	db_read_end(reader);
	db_close(reader);
	db_close(writer);
	served_logins_free(l);
	buf_release(&password);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kept_while_nothing_changes),
		TEST(others_take_the_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
