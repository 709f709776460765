/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/enroll.h"

/* Enrolment: a phone gets its login once, and a stranger never gets that of a phone which has it already. */

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"
#define MAC_3 "0004f2000003"
#define FROM "192.0.2.7"

static const struct db_enroll_window hour = { .opened = 1000, .until = 4600, .networks = "192.0.2.0/24" };

/* Two phones that are offered a generation, and a third that is not. */
static void
fleet_make(struct fixture *f, struct db *db, int64_t ids[3])
{
	static const char *const macs[] = { MAC_1, MAC_2, MAC_3 };
	struct db_offer offer;

	for (unsigned int i = 0; i < 3; i++) {
		ids[i] = phone_make(f, db, macs[i]);
		offer = (struct db_offer){ ids[i], generation_new(f, db, ids[i], macs[i], i + 1) };
		if (i < 2)
			assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	}
}

static void
assert_may(struct fixture *f, struct db *db, const char *mac, bool expected)
{
	bool may = !expected;

	assert_ok(db_enroll_may(db, mac, &may, &f->e), f->e);
	if (may != expected)
		print_error("%s\n", mac);
	assert_int_equal(may, expected);
}

static void
assert_count(struct fixture *f, struct db *db, size_t expected)
{
	size_t count = 99;

	assert_ok(db_enroll_count(db, &count, &f->e), f->e);
	assert_int_equal(count, expected);
}

static void
record(struct fixture *f, struct db *db, const char *mac, time_t when)
{
	struct db_login l = { .when = when };

	(void)snprintf(l.mac, sizeof(l.mac), "%s", mac);
	assert_ok(db_login_record(db, &l, 1, &f->e), f->e);
}

static void
phone_enrolls_once(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f), *reader;
	struct db_phone p;
	int64_t ids[3];

	fleet_make(f, db, ids);
	reader = reader_open(f);
	assert_may(f, reader, MAC_1, true);
	assert_may(f, reader, MAC_3, false); /* it would get nothing */
	assert_may(f, reader, "0004f20000ff", false);
	assert_count(f, reader, 2);
	assert_ok(db_enroll_claim(db, MAC_1, FROM, &f->e), f->e);
	assert_may(f, reader, MAC_1, false);
	assert_may(f, reader, MAC_2, true);
	assert_count(f, reader, 1);
	assert_fails(db_enroll_claim(db, MAC_1, FROM, &f->e), f->e, ERR_NOT_FOUND, MAC_1);
	assert_fails(db_enroll_claim(db, MAC_3, FROM, &f->e), f->e, ERR_NOT_FOUND, MAC_3);
	assert_ok(db_phone_get(reader, MAC_1, &p, &f->e), f->e);
	assert_true(p.enrolled > 0);
	assert_string_equal(p.enrolled_from, FROM);
	assert_int_equal(p.login, 0);
	db_close(reader);
	db_close(db);
	assert_sqlite(f, "SELECT subject, detail FROM events WHERE action = 'phone.enroll'", MAC_1 "|from " FROM);
	assert_sound(f);
}

static void
phone_that_logged_in_is_closed(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone p;
	int64_t ids[3];

	fleet_make(f, db, ids);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.login, 0);
	record(f, db, MAC_1, 5000);
	record(f, db, MAC_1, 6000);
	record(f, db, "0004f20000ff", 5000); /* removed meanwhile */
	assert_may(f, db, MAC_1, false);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.login, 5000);
	assert_int_equal(p.enrolled, 0);
	assert_fails(db_enroll_claim(db, MAC_1, FROM, &f->e), f->e, ERR_NOT_FOUND, MAC_1);
	/* An enrolled one's is on record, too: the answer has reached it. */
	assert_ok(db_enroll_claim(db, MAC_2, FROM, &f->e), f->e);
	record(f, db, MAC_2, 7000);
	assert_ok(db_phone_get(db, MAC_2, &p, &f->e), f->e);
	assert_int_equal(p.login, 7000);
	assert_string_equal(p.enrolled_from, FROM);
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'phone.login'", "2");
}

static void
reset_opens_one_phone_with_another_password(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct buf password = BUF_INIT(256);
	struct db_reset resets[2] = { { .http_password = "another password" }, { .http_password = "x" } };
	struct db_phone p;
	int64_t ids[3];

	fleet_make(f, db, ids);
	record(f, db, MAC_1, 5000);
	assert_ok(db_enroll_claim(db, MAC_2, FROM, &f->e), f->e);
	resets[0].phone = ids[0];
	resets[1].phone = 4711;
	assert_fails(db_phone_reset(db, resets, 2, &f->e), f->e, ERR_NOT_FOUND, "4711");
	assert_may(f, db, MAC_1, false);
	assert_ok(db_phone_reset(db, resets, 1, &f->e), f->e);
	assert_may(f, db, MAC_1, true);
	assert_may(f, db, MAC_2, false);
	assert_ok(db_phone_http_password(db, ids[0], &password, &f->e), f->e);
	assert_string_equal(buf_string(&password), "another password");
	/* One with the former password, recorded late, does not count. */
	record(f, db, MAC_1, 5001);
	assert_may(f, db, MAC_1, true);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.login, 0);
	record(f, db, MAC_1, time(NULL) + 10);
	assert_may(f, db, MAC_1, false);
	assert_ok(db_phone_reset(db, resets, 1, &f->e), f->e);
	assert_ok(db_enroll_claim(db, MAC_1, FROM, &f->e), f->e);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.login, 0);
	resets[0].http_password = "";
	assert_fails(db_phone_reset(db, resets, 1, &f->e), f->e, ERR_INPUT, "password");
	buf_release(&password);
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'phone.reset' AND subject = '" MAC_1 "'", "2");
	assert_sqlite(f, "SELECT count(*) FROM events WHERE detail LIKE '%another password%'", "0");
	assert_sound(f);
}

static void
window_is_one_and_for_whom_it_names(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f), *reader;
	struct db_enroll_window w = { 0 };
	int64_t ids[3], nobody = 4711;

	fleet_make(f, db, ids);
	reader = reader_open(f);
	assert_fails(db_enroll_window(reader, &w, &f->e), f->e, ERR_NOT_FOUND, "enroll open");
	assert_fails(db_enroll_close(db, &f->e), f->e, ERR_NOT_FOUND, "not open");
	assert_ok(db_enroll_open(db, &hour, NULL, 0, &f->e), f->e);
	assert_ok(db_enroll_window(reader, &w, &f->e), f->e);
	assert_int_equal(w.opened, 1000);
	assert_int_equal(w.until, 4600);
	assert_string_equal(w.networks, "192.0.2.0/24");
	assert_false(w.named);
	assert_count(f, reader, 2);
	assert_ok(db_enroll_open(db, &hour, &ids[1], 1, &f->e), f->e);
	assert_ok(db_enroll_window(reader, &w, &f->e), f->e);
	assert_true(w.named);
	assert_may(f, reader, MAC_1, false);
	assert_may(f, reader, MAC_2, true);
	assert_fails(db_enroll_claim(db, MAC_1, FROM, &f->e), f->e, ERR_NOT_FOUND, MAC_1);
	assert_fails(db_enroll_open(db, &hour, &nobody, 1, &f->e), f->e, ERR_NOT_FOUND, "4711");
	assert_may(f, reader, MAC_2, true);
	/* Named phones that are gone do not open it to the others. */
	assert_sqlite(f, "PRAGMA foreign_keys = ON; DELETE FROM enroll_phones", "");
	assert_count(f, reader, 0);
	assert_ok(db_enroll_close(db, &f->e), f->e);
	assert_fails(db_enroll_window(reader, &w, &f->e), f->e, ERR_NOT_FOUND, "not open");
	db_close(reader);
	db_close(db);
	assert_sqlite(f, "SELECT action, detail FROM events WHERE action LIKE 'enroll.%' ORDER BY id",
	    "enroll.open|for 192.0.2.0/24 until 1970-01-01T01:16:40Z\n"
	    "enroll.open|for 192.0.2.0/24 until 1970-01-01T01:16:40Z, phones named: 1\n"
	    "enroll.close|");
}

/* Nobody knows which of them have logged in. */
static void
phones_of_version_3_are_closed(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_reset reset = { .http_password = "fresh" };
	struct db_offer offer;
	struct db_phone p;
	int64_t ids[3], id;

	fleet_make(f, db, ids);
	db_close(db);
	assert_sqlite(f, SCHEMA_3 "PRAGMA user_version = 3", "");
	db = writer_open(f);
	assert_may(f, db, MAC_1, false);
	assert_count(f, db, 0);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.enrolled, 0);
	assert_int_equal(p.login, 0);
	record(f, db, MAC_2, 5000); /* the first that is known of */
	assert_ok(db_phone_get(db, MAC_2, &p, &f->e), f->e);
	assert_int_equal(p.login, 5000);
	reset.phone = ids[0];
	assert_ok(db_phone_reset(db, &reset, 1, &f->e), f->e);
	assert_may(f, db, MAC_1, true);
	id = phone_make(f, db, "0004f2000009");
	offer = (struct db_offer){ id, generation_new(f, db, id, "0004f2000009", 9) };
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_may(f, db, "0004f2000009", true);
	db_close(db);
	assert_sqlite(f, "PRAGMA user_version", "6");
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'schema.upgrade'", "version 3 to 6");
	assert_sound(f);
}

/* A request waits for nobody: a mint may hold the lock for minutes. */
static void
writer_at_once_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct db_location at_once = f->where;
	struct timespec before, after;
	struct db *db = writer_open(f);

	at_once.at_once = true;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_null(db_open_writer(&at_once, &f->e));
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(f->e.code, ERR_CONFLICT);
	assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 500);
	db_close(db);
	db = db_open_writer(&at_once, &f->e);
	assert_non_null(db);
	db_close(db);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phone_enrolls_once),
		TEST(phone_that_logged_in_is_closed),
		TEST(reset_opens_one_phone_with_another_password),
		TEST(window_is_one_and_for_whom_it_names),
		TEST(phones_of_version_3_are_closed),
		TEST(writer_at_once_does_not_wait),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
