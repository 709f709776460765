/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/ladder.h"

#include <openssl/evp.h>

/* A phone is said to be connected with a certificate only when it was seen with that one; and is missed when it is gone. */

#define MAC "0004f2000001"
#define SERVER "/run/openvpn/one"
#define OTHER "/run/openvpn/two"

/* A sighting through the certificate that generation_make() makes of n. */
static struct db_sighting
sighting(enum db_sight what, unsigned int n, uint64_t client, time_t since)
{
	struct db_sighting s = {
		.what = what,
		.server = SERVER,
		.attachment = 1,
		.client = client,
		.since = since,
		.at = since + 10,
		.name = MAC,
		.address = "192.0.2.7:1194",
	};
	struct buf cert;

	bytes_of(&cert, "phone certificate", n);
	serial_of(n, s.serial);
	assert_int_equal(EVP_Digest(cert.data, cert.len, s.digest, NULL, EVP_sha256(), NULL), 1);
	buf_release(&cert);
	return s;
}

static struct db_sighted
record(struct fixture *f, struct db *db, struct db_sighting s)
{
	struct db_sighted seen;

	assert_ok(db_session_record(db, &s, 1, &seen, &f->e), f->e);
	return seen;
}

static int64_t
phone_with_generations(struct fixture *f, struct db *db, unsigned int count)
{
	int64_t id = phone_make(f, db, MAC);
	struct db_offer offer = { .phone = id };

	for (unsigned int n = 1; n <= count; n++)
		offer.number = generation_new(f, db, id, MAC, n);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	return id;
}

#define RUNGS \
	"SELECT group_concat(number || '.' || rung || '@' || at, ' ') FROM (SELECT * FROM ladder ORDER BY number, rung)"

static void
session_proves_its_certificate_only(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 2);
	struct db_session s;

	assert_fails(db_session_get(db, id, &s, &f->e), f->e, ERR_NOT_FOUND, "no VPN session");
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 0, 1000)).outcome, DB_OUTCOME_CONNECTED);
	assert_sqlite(f, RUNGS, "1.3@1000");
	/* Back again: nothing new. */
	assert_int_equal(record(f, db, sighting(DB_SIGHT_ENDED, 1, 0, 1000)).outcome, DB_OUTCOME_NONE);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 1, 2000)).outcome, DB_OUTCOME_NONE);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 2, 2, 3000)).outcome, DB_OUTCOME_CONNECTED);
	assert_sqlite(f, RUNGS, "1.3@1000 2.3@3000");
	assert_sqlite(f,
	    "SELECT action, subject, detail FROM events WHERE action = 'phone.connected' AND id = "
	    "(SELECT max(id) FROM events)",
	    "phone.connected|" MAC "|generation 2, from 192.0.2.7:1194 at " SERVER);
	assert_ok(db_session_get(db, id, &s, &f->e), f->e);
	assert_true(s.client == 2 && s.since == 3000 && s.ended == 0 && s.number == 2 && s.has_serial);
	db_close(db);
	assert_sound(f);
}

static void
fallback_is_named_once(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 2);
	const struct db_offer back = { id, 1 };
	struct db_sighted seen;

	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 2, 0, 1000));
	seen = record(f, db, sighting(DB_SIGHT_BEGAN, 1, 1, 2000));
	assert_int_equal(seen.outcome, DB_OUTCOME_FELL_BACK);
	assert_true(seen.number == 1 && seen.newer == 2 && seen.phone == id);
	assert_string_equal(seen.mac, MAC);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 2, 3000)).outcome, DB_OUTCOME_NONE);
	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 2, 3, 4000));
	/* What the phone was told to do is no fall. */
	assert_ok(db_generation_offer(db, &back, 1, &f->e), f->e);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 4, 5000)).outcome, DB_OUTCOME_NONE);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'phone.fell-back'", "1");
	db_close(db);
}

static void
foreign_certificate_proves_nothing(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_sighting s;

	(void)phone_with_generations(f, db, 1);
	/* Our serial, on another CA's certificate. */
	s = sighting(DB_SIGHT_BEGAN, 1, 0, 1000);
	s.digest[0] ^= 1;
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_UNKNOWN);
	s.client = 1;
	s.since = 1100;
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_NONE);
	/* A serial that we do not know. */
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 9, 2, 1200)).outcome, DB_OUTCOME_UNKNOWN);
	/* The server's own, and nobody's name. */
	s = sighting(DB_SIGHT_BEGAN, 1, 3, 1300);
	(void)snprintf(s.name, sizeof(s.name), "vpn.example.com");
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_STRANGER);
	assert_sqlite(f, RUNGS, "");
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'phone.unknown-certificate'", "2");
	db_close(db);
}

static void
certificate_of_another_phone_proves_nothing(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t other = phone_make(f, db, "0004f2000002");
	struct db_sighting s;

	(void)phone_with_generations(f, db, 1);
	(void)generation_new(f, db, other, "0004f2000002", 7);
	s = sighting(DB_SIGHT_BEGAN, 7, 0, 1000);
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_UNKNOWN);
	assert_sqlite(f, RUNGS, "");
	db_close(db);
}

static void
list_tells_of_who_stayed_and_who_went(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 2);
	struct db_sighting s = sighting(DB_SIGHT_LISTED, 0, 5, 1000);
	struct db_session now;
	size_t ended, open;

	/* Which of its two certificates it has, nobody saw. */
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_UNWATCHED);
	assert_sqlite(f, RUNGS, "");
	assert_ok(db_session_get(db, id, &now, &f->e), f->e);
	assert_true(!now.has_serial && now.number == 0 && now.ended == 0);
	/* Seen anew while it is known: the session stays, with what is known of it. */
	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 2, 6, 2000));
	s = sighting(DB_SIGHT_LISTED, 0, 6, 2000);
	s.attachment = 2;
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_NONE);
	assert_ok(db_session_sweep(db, SERVER, 2, 2500, &ended, &f->e), f->e);
	assert_int_equal(ended, 0);
	assert_ok(db_session_get(db, id, &now, &f->e), f->e);
	assert_true(now.number == 2 && now.ended == 0);
	/* Another server's older list changes nothing, and its sweep takes nobody. */
	s = sighting(DB_SIGHT_LISTED, 0, 1, 1500);
	s.server = OTHER;
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_NONE);
	s.what = DB_SIGHT_ENDED;
	assert_int_equal(record(f, db, s).outcome, DB_OUTCOME_NONE);
	assert_ok(db_session_sweep(db, OTHER, 3, 2600, &ended, &f->e), f->e);
	assert_int_equal(ended, 0);
	/* Not in the list: gone. */
	assert_ok(db_session_sweep(db, SERVER, 4, 2700, &ended, &f->e), f->e);
	assert_int_equal(ended, 1);
	assert_ok(db_session_get(db, id, &now, &f->e), f->e);
	assert_int_equal(now.ended, 2700);
	assert_ok(db_session_count(db, &open, &f->e), f->e);
	assert_int_equal(open, 0);
	db_close(db);
}

static void
only_certificate_is_known_by_its_name(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);

	(void)phone_with_generations(f, db, 1);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_LISTED, 0, 5, 1000)).outcome, DB_OUTCOME_CONNECTED);
	assert_sqlite(f, RUNGS, "1.3@1000");
	db_close(db);
}

/* Two generations of one certificate: the one that the phone has fetched before it connected, or else the older. */
static void
shared_certificate_proves_what_was_fetched(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 1), number;
	struct db_step fetched = { .phone = id, .number = 2, .rung = DB_RUNG_FETCHED, .at = 2000, .source = "test" };

	assert_ok(generation_make(db, id, MAC, 1, false, &number, &f->e), f->e);
	assert_int_equal(number, 2);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 0, 1000)).number, 1);
	assert_ok(db_ladder_record(db, &fetched, 1, &f->e), f->e);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 1, 1500)).number, 1);
	assert_int_equal(record(f, db, sighting(DB_SIGHT_BEGAN, 1, 2, 2500)).number, 2);
	assert_sqlite(f, RUNGS, "1.3@1000 2.2@2000 2.3@2500");
	db_close(db);
}

static void
session_settles_when_it_lasts(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	size_t settled;
	time_t next;

	(void)phone_with_generations(f, db, 2);
	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 2, 0, 1000));
	assert_ok(db_session_settle(db, SERVER, 999, 1899, &settled, &next, &f->e), f->e);
	assert_int_equal(settled, 0);
	assert_int_equal(next, 1000);
	assert_ok(db_session_settle(db, OTHER, 1000, 1900, &settled, &next, &f->e), f->e);
	assert_int_equal(settled, 0);
	assert_ok(db_session_settle(db, SERVER, 1000, 1900, &settled, &next, &f->e), f->e);
	assert_int_equal(settled, 1);
	assert_int_equal(next, 0);
	assert_sqlite(f, RUNGS, "2.3@1000 2.4@1900");
	/* Once; and a session that has ended does not. */
	assert_ok(db_session_settle(db, SERVER, 5000, 6000, &settled, &next, &f->e), f->e);
	assert_int_equal(settled, 0);
	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 1, 1, 7000));
	(void)record(f, db, sighting(DB_SIGHT_ENDED, 1, 1, 7000));
	assert_ok(db_session_settle(db, SERVER, 9000, 9900, &settled, &next, &f->e), f->e);
	assert_int_equal(settled, 0);
	db_close(db);
	assert_sound(f);
}

static int
step_append(const struct db_step *s, void *arg, struct err *e)
{
	(void)e;
	buf_addf(arg, "%lld %s %lld %s\n", (long long)s->number, db_rung_name(s->rung), (long long)s->at, s->source);
	return 0;
}

static void
rungs_are_listed_and_kept_as_first_seen(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 2);
	struct db_step steps[] = {
		{ .phone = id, .number = 2, .rung = DB_RUNG_OFFERED, .at = 100, .source = "a" },
		{ .phone = id, .number = 2, .rung = DB_RUNG_OFFERED, .at = 200, .source = "b" },
		{ .phone = id, .number = 1, .rung = DB_RUNG_FETCHED, .at = 300, .source = "c" },
		{ .phone = id, .number = 9, .rung = DB_RUNG_FETCHED, .at = 300, .source = "none such" },
	};
	struct buf text = BUF_INIT(4096);

	assert_ok(db_ladder_record(db, steps, 4, &f->e), f->e);
	assert_ok(db_ladder_each(db, id, step_append, &text, &f->e), f->e);
	assert_string_equal(buf_string(&text), "1 fetched 300 c\n2 offered 100 a\n");
	buf_release(&text);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action IN ('phone.offered', 'phone.fetched')", "2");
	db_close(db);
}

static void
state_of_version_4_has_no_proof_yet(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 1);
	struct db_session s;

	db_close(db);
	assert_sqlite(f, SCHEMA_4 "PRAGMA user_version = 4", "");
	db = reader_open(f);
	assert_fails(db_session_get(db, id, &s, &f->e), f->e, ERR_NOT_FOUND, "no VPN session");
	db_close(db);
	assert_sqlite(f, "SELECT action, detail FROM events ORDER BY id DESC LIMIT 1", "schema.upgrade|version 4 to 6");
	assert_sound(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_created, fixture_end)

/* Two programs record what a phone does, and the one that saw it fetch may come later than the one that saw it connect. */
static void
fetch_that_is_told_late_tells_which_of_one_certificate(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_with_generations(f, db, 1), number;
	struct db_step fetched = { .phone = id, .number = 2, .rung = DB_RUNG_FETCHED, .at = 1990, .source = "serve" };
	struct db_session s;

	assert_ok(generation_make(db, id, MAC, 1, false, &number, &f->e), f->e);
	assert_int_equal(number, 2);
	(void)record(f, db, sighting(DB_SIGHT_BEGAN, 1, 5, 2000));
	assert_sqlite(f, RUNGS, "1.3@2000");
	assert_ok(db_ladder_record(db, &fetched, 1, &f->e), f->e);
	assert_sqlite(f, RUNGS, "1.3@2000 2.2@1990 2.3@2000");
	assert_ok(db_session_get(db, id, &s, &f->e), f->e);
	assert_int_equal(s.number, 2);
	assert_sqlite(f, "SELECT unsettled FROM vpn_sessions", "1");
	/* One that is fetched during the session is not what it began with. */
	assert_ok(generation_make(db, id, MAC, 1, false, &number, &f->e), f->e);
	fetched.number = number;
	fetched.at = 2001;
	assert_ok(db_ladder_record(db, &fetched, 1, &f->e), f->e);
	assert_sqlite(f, RUNGS, "1.3@2000 2.2@1990 2.3@2000 3.2@2001");
	/* Nor one with another certificate. */
	(void)generation_new(f, db, id, MAC, 2);
	fetched.number = 4;
	fetched.at = 1995;
	assert_ok(db_ladder_record(db, &fetched, 1, &f->e), f->e);
	assert_sqlite(f, RUNGS, "1.3@2000 2.2@1990 2.3@2000 3.2@2001 4.2@1995");
	db_close(db);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fetch_that_is_told_late_tells_which_of_one_certificate, fixture_created,
		    fixture_end),
		TEST(session_proves_its_certificate_only),
		TEST(fallback_is_named_once),
		TEST(foreign_certificate_proves_nothing),
		TEST(certificate_of_another_phone_proves_nothing),
		TEST(list_tells_of_who_stayed_and_who_went),
		TEST(only_certificate_is_known_by_its_name),
		TEST(shared_certificate_proves_what_was_fetched),
		TEST(session_settles_when_it_lasts),
		TEST(rungs_are_listed_and_kept_as_first_seen),
		TEST(state_of_version_4_has_no_proof_yet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
