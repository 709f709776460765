/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/ladder.h"
#include "db/request.h"
#include "db/sqlite.h"

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"

static void
phone_with_login(struct fixture *f, struct db *db, const char *mac, const char *user, const char *password)
{
	struct db_phone_new n = { .http_password = password };

	(void)snprintf(n.phone.mac, sizeof(n.phone.mac), "%s", mac);
	(void)snprintf(n.phone.model, sizeof(n.phone.model), "D65");
	(void)snprintf(n.phone.http_user, sizeof(n.phone.http_user), "%s", user);
	assert_ok(db_phone_add(db, &n, 1, &f->e), f->e);
}

static void
assert_login(struct fixture *f, struct db *db, const char *user, const char *mac, const char *password)
{
	struct buf found = BUF_INIT(100);
	struct db_phone p, whole;

	assert_ok(db_phone_login(db, user, &p, &found, &f->e), f->e);
	assert_string_equal(p.mac, mac);
	assert_ok(db_phone_get(db, mac, &whole, &f->e), f->e);
	assert_int_equal(p.id, whole.id);
	assert_string_equal(p.http_user, whole.http_user);
	assert_string_equal(p.model, whole.model);
	assert_int_equal(p.offered, whole.offered);
	assert_string_equal(p.offered_md5, whole.offered_md5);
	assert_string_equal(buf_string(&found), password);
	buf_release(&found);
}

static void
assert_stranger(struct fixture *f, struct db *db, const char *user, const char *text)
{
	struct buf found = BUF_INIT(100);
	struct db_phone p;

	assert_fails(db_phone_login(db, user, &p, &found, &f->e), f->e, ERR_NOT_FOUND, text);
	assert_int_equal(found.len, 0);
	buf_release(&found);
}

/* A phone would be checked against another's password. */
static void
login_is_the_users_own(void **state)
{
	struct fixture *f = *state;
	struct db *writer = writer_open(f), *reader;

	phone_with_login(f, writer, MAC_1, "u1", CLEAR_PASSWORD);
	phone_with_login(f, writer, MAC_2, MAC_1, "another's"); /* a MAC is a user name like any other */
	reader = db_open(&f->where, &f->e);
	assert_non_null(reader);
	assert_login(f, reader, "u1", MAC_1, CLEAR_PASSWORD);
	assert_login(f, reader, MAC_1, MAC_2, "another's");
	assert_stranger(f, reader, MAC_2, "HTTP user " MAC_2 ": no phone has it");
	assert_stranger(f, reader, "U1", "HTTP user U1");
	assert_stranger(f, reader, "u\033[2J", "HTTP user u?[2J");
	db_close(reader);
	db_close(writer);
	assert_sound(f);
}

static void
assert_rungs(struct fixture *f, struct db *db, unsigned int rungs, bool older_fetched)
{
	struct buf password = BUF_INIT(100);
	struct db_bundle b;
	struct db_phone p;
	char md5[DB_MD5_SIZE];

	assert_ok(db_phone_login(db, "user-" MAC_1, &p, &password, &f->e), f->e);
	assert_int_equal(p.rungs, rungs);
	md5_of(1, md5);
	assert_ok(db_bundle_get(db, MAC_1, 0, md5, &b, &f->e), f->e);
	assert_true(b.fetched == older_fetched);
	db_bundle_release(&b);
	buf_release(&password);
}

/* A fleet that reads the same again would have its server write each time; or nothing of a new generation. */
static void
login_knows_what_is_on_record(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_offer offer = { .phone = phone_make(f, db, MAC_1) };
	struct db_step steps[] = {
		{ .number = 1, .rung = DB_RUNG_OFFERED, .at = 1000, .source = "from 192.0.2.7 by serve" },
		{ .number = 2, .rung = DB_RUNG_FETCHED, .at = 1001, .source = "from 192.0.2.7 by serve" },
		{ .number = 1, .rung = DB_RUNG_FETCHED, .at = 1002, .source = "from 192.0.2.7 by serve" },
		{ .number = 2, .rung = DB_RUNG_OFFERED, .at = 1003, .source = "from 192.0.2.7 by serve" },
		{ .number = 2, .rung = DB_RUNG_CONNECTED, .at = 1004, .source = "at a server" },
	};

	offer.number = generation_new(f, db, offer.phone, MAC_1, 1);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_rungs(f, db, 0, false);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		steps[i].phone = offer.phone;
	assert_ok(db_ladder_record(db, &steps[0], 1, &f->e), f->e);
	assert_rungs(f, db, 1U << DB_RUNG_OFFERED, false);
	offer.number = generation_new(f, db, offer.phone, MAC_1, 2);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_rungs(f, db, 0, false);
	assert_ok(db_ladder_record(db, &steps[1], 1, &f->e), f->e);
	assert_rungs(f, db, 1U << DB_RUNG_FETCHED, false);
	assert_ok(db_ladder_record(db, &steps[2], 3, &f->e), f->e);
	assert_rungs(f, db, 1U << DB_RUNG_OFFERED | 1U << DB_RUNG_FETCHED, true);
	db_close(db);
	assert_sound(f);
}

static void
assert_moments(struct fixture *f, bool keep)
{
	struct db *writer = writer_open(f), *reader = db_open(&f->where, &f->e);
	int64_t before, same, after, busy;

	assert_non_null(reader);
	if (keep)
		db_read_keep(reader);
	assert_ok(db_read_begin(reader, &f->e), f->e);
	assert_ok(db_data_version(reader, &before, &f->e), f->e);
	phone_with_login(f, writer, MAC_1, "u1", CLEAR_PASSWORD);
	assert_ok(db_read_begin(reader, &f->e), f->e); /* nested */
	assert_stranger(f, reader, "u1", "no phone has it");
	db_read_end(reader);
	assert_stranger(f, reader, "u1", "no phone has it");
	assert_ok(db_data_version(reader, &same, &f->e), f->e);
	assert_true(same == before);
	db_read_end(reader);
	assert_ok(db_read_begin(reader, &f->e), f->e);
	assert_login(f, reader, "u1", MAC_1, CLEAR_PASSWORD);
	assert_ok(db_data_version(reader, &after, &f->e), f->e);
	assert_true(after != before);
	db_read_end(reader);
	assert_ok(db_read_begin(reader, &f->e), f->e);
	assert_ok(db_data_version(reader, &same, &f->e), f->e);
	assert_true(same == after);
	assert_stranger(f, reader, "u2", "no phone has it");
	db_read_end(reader);
	phone_with_login(f, writer, MAC_2, "u2", CLEAR_PASSWORD);
	assert_ok(db_read_begin(reader, &f->e), f->e);
	assert_login(f, reader, "u2", MAC_2, CLEAR_PASSWORD);
	db_read_end(reader);
	/* One that keeps a state for ever would let the WAL grow for ever. */
	db_read_idle(reader);
	assert_ok(sql_exec_number(writer, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, &f->e), f->e);
	assert_int_equal(busy, 0);
	assert_ok(db_read_begin(reader, &f->e), f->e);
	assert_login(f, reader, "u1", MAC_1, CLEAR_PASSWORD);
	db_read_end(reader);
	db_close(reader);
	db_close(writer);
	assert_sound(f);
}

/* A handle would be told what another one saw before, or after, a change. */
static void
moment_names_the_state(void **state)
{
	struct fixture *f = *state;
	struct db *writer = writer_open(f), *one = db_open(&f->where, &f->e), *two = db_open(&f->where, &f->e);
	struct db_moment first, second;

	assert_true(one != NULL && two != NULL);
	db_read_keep(two);
	assert_ok(db_read_begin(one, &f->e), f->e);
	assert_ok(db_read_begin(two, &f->e), f->e);
	assert_false(db_read_moment(one, &first)); /* it has not been asked to keep */
	assert_true(db_read_moment(two, &first));
	db_read_end(one);
	db_read_keep(one);
	assert_ok(db_read_begin(one, &f->e), f->e);
	assert_true(db_read_moment(one, &second));
	assert_memory_equal(&first, &second, sizeof(first));
	/* The state is taken at once, not at the first read. */
	phone_with_login(f, writer, MAC_1, "u1", CLEAR_PASSWORD);
	assert_stranger(f, one, "u1", "no phone has it");
	assert_true(db_read_moment(one, &second));
	assert_memory_equal(&first, &second, sizeof(first));
	db_read_end(one);
	assert_false(db_read_moment(one, &second));
	assert_ok(db_read_begin(one, &f->e), f->e);
	assert_true(db_read_moment(one, &second));
	assert_memory_not_equal(&first, &second, sizeof(first));
	db_read_end(one);
	db_read_end(two);
	db_close(one);
	db_close(two);
	db_close(writer);
	assert_sound(f);
}

/* A request would see one half of a change, or a server go on with settings of yesterday, or wait for who writes. */
static void
request_sees_one_moment(void **state)
{
	assert_moments(*state, false);
}

static void
kept_state_is_no_older(void **state)
{
	assert_moments(*state, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(login_is_the_users_own),
		TEST(login_knows_what_is_on_record),
		TEST(request_sees_one_moment),
		TEST(kept_state_is_no_older),
		TEST(moment_names_the_state),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
