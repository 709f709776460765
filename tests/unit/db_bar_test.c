/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/bar.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* A thief would stay on the VPN, or somebody else lose it. */

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"
#define SERVER "/run/openvpn/one"

static void
begins(struct fixture *f, struct db *db, const char *name, unsigned int n, uint64_t client)
{
	struct db_sighting s = {
		.what = DB_SIGHT_BEGAN,
		.server = SERVER,
		.attachment = 1,
		.client = client,
		.since = 1000,
		.at = 1000,
		.address = "192.0.2.7:1194",
	};
	struct db_sighted seen;
	struct buf cert;

	(void)snprintf(s.name, sizeof(s.name), "%s", name);
	bytes_of(&cert, "phone certificate", n);
	serial_of(n, s.serial);
	assert_int_equal(EVP_Digest(cert.data, cert.len, s.digest, NULL, EVP_sha256(), NULL), 1);
	buf_release(&cert);
	assert_ok(db_session_record(db, &s, 1, &seen, &f->e), f->e);
}

static void
assert_session(struct fixture *f, struct db *db, const char *name, uint64_t client, bool barred)
{
	bool found;

	assert_ok(db_barred_session(db, name, SERVER, client, 1000, &found, &f->e), f->e);
	assert_true(found == barred);
}

static int64_t
bar(struct fixture *f, struct db *db, unsigned int n)
{
	unsigned char serial[1][DB_SERIAL_SIZE];
	int64_t event;

	serial_of(n, serial[0]);
	assert_ok(db_bar(db, (const unsigned char(*)[DB_SERIAL_SIZE])serial, 1, 2000, &event, &f->e), f->e);
	return event;
}

static void
barred_is_what_is_known_of_a_session(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_barred *all;
	size_t count;

	(void)generation_new(f, db, one, MAC_1, 1);
	(void)generation_new(f, db, one, MAC_1, 2);
	(void)generation_new(f, db, two, MAC_2, 3);
	assert_ok(db_barred_all(db, 0, &all, &count, &f->e), f->e);
	assert_true(all == NULL && count == 0);
	begins(f, db, MAC_1, 1, 7);
	(void)bar(f, db, 1);
	assert_session(f, db, MAC_1, 7, true);
	assert_session(f, db, MAC_1, 8, false); /* nobody saw it, and it may be with certificate 2 */
	assert_session(f, db, MAC_2, 9, false);
	begins(f, db, MAC_1, 2, 8);
	assert_session(f, db, MAC_1, 8, false);
	(void)bar(f, db, 2);
	assert_session(f, db, MAC_1, 8, true);
	assert_session(f, db, MAC_1, 10, true); /* nobody saw it, and there is no other */
	assert_session(f, db, MAC_2, 9, false);
	assert_ok(db_barred_all(db, 0, &all, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_true(all[0].has_digest && strcmp(all[0].name, MAC_1) == 0 && all[0].since == 2000);
	free(all);
	(void)bar(f, db, 1);
	assert_sqlite(f, "SELECT group_concat(since, ' ') FROM (SELECT since FROM barred ORDER BY since)", "2000 2001");
	db_close(db);
	assert_sound(f);
}

static void
answer_is_that_to_the_question(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	const struct db_bar_end end = { .server = SERVER, .client = 7, .since = 1000, .name = MAC_1 };
	size_t attached = 0;
	int64_t event;
	bool is_answered;

	(void)generation_new(f, db, phone_make(f, db, MAC_1), MAC_1, 1);
	assert_ok(db_bar_compared(db, 0, 3, 3, &f->e), f->e);
	event = bar(f, db, 1);
	assert_ok(db_bar_answer(db, event, &is_answered, &attached, &f->e), f->e);
	assert_false(is_answered);
	assert_ok(db_bar_end(db, &end, 1, &f->e), f->e);
	assert_ok(db_bar_compared(db, 1, 2, 3, &f->e), f->e);
	assert_ok(db_bar_answer(db, event, &is_answered, &attached, &f->e), f->e);
	assert_true(is_answered && attached == 2);
	assert_sqlite(f,
	    "SELECT group_concat(action || '|' || subject || '|' || detail, ' ') FROM (SELECT * FROM events "
	    "WHERE action = 'session.end' ORDER BY id)",
	    "session.end|" MAC_1 "|its certificate is barred: client 7 of " MAC_1 " at " SERVER);
	db_close(db);
	assert_sound(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(barred_is_what_is_known_of_a_session),
		TEST(answer_is_that_to_the_question),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
