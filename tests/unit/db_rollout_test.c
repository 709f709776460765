/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_rollout_support.h"

/* Where a rollout stands is what the database has: each step whole or not at all, and a phone in one rollout at a time. */

static void
offer_target(struct fixture *f, struct fleet *fleet, unsigned int i)
{
	int64_t number;

	assert_ok(target_make(fleet, i, 10 * (i + 1) + 2, &number, &f->e), f->e);
	assert_ok(db_member_offer(fleet->db, &fleet->rollout, &fleet->id[i], 1, 5000, &f->e), f->e);
}

#define MEMBERS                                                                                             \
	"SELECT group_concat(phone || '.' || wave || '.' || state || '.' || ifnull(former, '-') || '.' || " \
	"ifnull(target, '-'), ' ') FROM (SELECT * FROM rollout_phones ORDER BY phone)"

static void
phone_is_in_one_rollout(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct db_rollout other = { .name = "spring", .plan = "{}", .state = DB_ROLLOUT_DRAFT }, found;
	struct db_member member;
	struct db_member_change drop = { .state = DB_MEMBER_DROPPED, .detail = "taken out" };

	fleet_make(f, &fleet);
	member = (struct db_member){ .phone = fleet.id[2], .wave = 1 };
	assert_fails(db_rollout_create(fleet.db, &other, &member, 1, &f->e), f->e, ERR_CONFLICT,
	    "rollout spring: there is one of this name");
	(void)snprintf(other.name, sizeof(other.name), "summer");
	assert_fails(db_rollout_create(fleet.db, &other, &member, 1, &f->e), f->e, ERR_CONFLICT,
	    "phone 0004f2000002: it is in the rollout spring, which is not over");
	assert_sqlite(f, "SELECT count(*) FROM rollouts", "1");
	assert_ok(db_member_of(fleet.db, fleet.id[2], &found, &f->e), f->e);
	assert_string_equal(found.name, "spring");
	/* Who was taken out of it may be in another. */
	drop.phone = fleet.id[2];
	assert_ok(db_member_change(fleet.db, &fleet.rollout, &drop, 1, 6000, &f->e), f->e);
	assert_fails(db_member_of(fleet.db, fleet.id[2], &found, &f->e), f->e, ERR_NOT_FOUND, "in no rollout");
	assert_ok(db_rollout_create(fleet.db, &other, &member, 1, &f->e), f->e);
	assert_sqlite(f, "SELECT group_concat(name || '.' || state, ' ') FROM rollouts", "spring.2 summer.1");
	db_close(fleet.db);
	assert_sound(f);
}

static void
generation_of_a_rollout_waits_for_its_turn(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct db_rollout read;
	struct db_member m;
	int64_t number = 0;

	fleet_make(f, &fleet);
	assert_fails(db_member_offer(fleet.db, &fleet.rollout, &fleet.id[0], 1, 5000, &f->e), f->e, ERR_CONFLICT,
	    "not waiting in rollout spring with something to offer");
	assert_ok(target_make(&fleet, 0, 12, &number, &f->e), f->e);
	assert_int_equal(number, 2);
	assert_sqlite(f, "SELECT offered FROM phones WHERE mac = '0004f2000000'", "1");
	assert_ok(db_member_get(fleet.db, fleet.rollout.id, fleet.id[0], &m, &f->e), f->e);
	assert_true(m.state == DB_MEMBER_WAITING && m.target == 2 && m.former == 0);
	fleet.rollout.minute = 77;
	fleet.rollout.in_minute = 1;
	assert_ok(db_member_offer(fleet.db, &fleet.rollout, &fleet.id[0], 1, 5000, &f->e), f->e);
	assert_sqlite(f, "SELECT offered FROM phones WHERE mac = '0004f2000000'", "2");
	assert_ok(db_member_get(fleet.db, fleet.rollout.id, fleet.id[0], &m, &f->e), f->e);
	assert_true(m.state == DB_MEMBER_OFFERED && m.target == 2 && m.former == 1 && m.since == 5000);
	assert_ok(db_rollout_get(fleet.db, "spring", &read, &f->e), f->e);
	assert_true(read.minute == 77 && read.in_minute == 1);
	/* One that is past waiting gets no other target, and the generation is not stored either. */
	assert_fails(target_make(&fleet, 0, 13, &number, &f->e), f->e, ERR_NOT_FOUND, "not waiting in this rollout");
	assert_sqlite(f, "SELECT count(*) FROM generations WHERE phone = 1", "2");
	/* All or none. */
	assert_ok(target_make(&fleet, 1, 22, &number, &f->e), f->e);
	assert_fails(db_member_offer(fleet.db, &fleet.rollout, &fleet.id[1], 2, 6000, &f->e), f->e, ERR_CONFLICT, "");
	assert_sqlite(f, MEMBERS, "1.1.2.1.2 2.2.1.-.2 3.2.1.-.- 4.2.1.-.-");
	db_close(fleet.db);
	assert_sound(f);
}

static void
rollback_leaves_what_has_no_way_back(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	enum db_way_back ways[PHONES];
	struct db_rollout found;
	struct db_crl crl;
	unsigned char serial[1][DB_SERIAL_SIZE];

	fleet_make(f, &fleet);
	for (unsigned int i = 0; i < 3; i++)
		offer_target(f, &fleet, i);
	/* The former certificate of the second is revoked meanwhile, and that of the third has ended. */
	serial_of(21, serial[0]);
	crl_of(&crl, 2);
	assert_ok(db_revoke(fleet.db, 1, (const unsigned char(*)[DB_SERIAL_SIZE])serial, 1, 4000, 4, &crl, &f->e),
	    f->e);
	buf_release(&crl.der);
	assert_sqlite(f,
	    "UPDATE certificates SET not_after = 5500 WHERE serial = (SELECT serial FROM generations "
	    "WHERE phone = 3 AND number = 1)",
	    "");
	fleet.rollout.state = DB_ROLLOUT_ROLLED_BACK;
	assert_ok(db_member_roll_back(fleet.db, &fleet.rollout, fleet.id, PHONES, 6000, ways, &f->e), f->e);
	assert_int_equal(ways[0], DB_WAY_BACK);
	assert_int_equal(ways[1], DB_WAY_BACK_REVOKED);
	assert_int_equal(ways[2], DB_WAY_BACK_ENDED);
	assert_int_equal(ways[3], DB_WAY_BACK_NONE);
	assert_sqlite(f, "SELECT group_concat(offered, ' ') FROM phones", "1 2 2 1");
	assert_sqlite(f, MEMBERS, "1.1.6.1.2 2.2.2.1.2 3.2.2.1.2 4.2.1.-.-");
	/* What was taken back is known of until there is something newer. */
	assert_ok(db_member_of(fleet.db, fleet.id[0], &found, &f->e), f->e);
	assert_int_equal(found.state, DB_ROLLOUT_ROLLED_BACK);
	(void)generation_new(f, fleet.db, fleet.id[0], fleet.mac[0], 13);
	assert_fails(db_member_of(fleet.db, fleet.id[0], &found, &f->e), f->e, ERR_NOT_FOUND, "in no rollout");
	db_close(fleet.db);
	assert_sound(f);
}

static int
generation_keep(const struct db_generation *g, void *arg, struct err *e)
{
	char *withdrawn = arg;

	(void)e;
	withdrawn[g->number - 1] = g->withdrawn ? '1' : '0';
	return 0;
}

/* Killed when its phones were minted and not offered anything, or when one of them was given another try. */
static void
rollback_takes_back_what_waits(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	enum db_way_back ways[PHONES];
	struct db_member_change again = { .state = DB_MEMBER_WAITING, .detail = "another try" };
	char withdrawn[PHONES] = "";
	struct db_rollout found;
	int64_t number;

	fleet_make(f, &fleet);
	offer_target(f, &fleet, 0);
	again.phone = fleet.id[0];
	assert_ok(db_member_change(fleet.db, &fleet.rollout, &again, 1, 5500, &f->e), f->e);
	assert_ok(target_make(&fleet, 1, 22, &number, &f->e), f->e);
	fleet.rollout.state = DB_ROLLOUT_ROLLED_BACK;
	assert_ok(db_member_roll_back(fleet.db, &fleet.rollout, fleet.id, PHONES, 6000, ways, &f->e), f->e);
	assert_int_equal(ways[0], DB_WAY_BACK);
	assert_int_equal(ways[1], DB_WAY_BACK_NONE);
	assert_sqlite(f, "SELECT group_concat(offered, ' ') FROM phones", "1 1 1 1");
	assert_sqlite(f, MEMBERS, "1.1.6.1.2 2.2.6.-.2 3.2.1.-.- 4.2.1.-.-");
	assert_ok(db_member_of(fleet.db, fleet.id[1], &found, &f->e), f->e);
	assert_int_equal(found.state, DB_ROLLOUT_ROLLED_BACK);
	assert_ok(db_generation_each(fleet.db, fleet.id[1], generation_keep, withdrawn, &f->e), f->e);
	assert_string_equal(withdrawn, "01");
	db_close(fleet.db);
	assert_sound(f);
}

/* Killed after it, a rollout that was over would leave them waiting for ever. */
static void
another_try_goes_with_the_rollout(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct db_member_change again[2] = { { .state = DB_MEMBER_WAITING, .detail = "another try" },
		{ .phone = 99, .state = DB_MEMBER_WAITING, .detail = "another try" } };

	fleet_make(f, &fleet);
	offer_target(f, &fleet, 0);
	fleet.rollout.state = DB_ROLLOUT_DONE;
	assert_ok(db_rollout_set(fleet.db, &fleet.rollout, NULL, NULL, &f->e), f->e);
	again[0].phone = fleet.id[0];
	fleet.rollout.state = DB_ROLLOUT_RUNNING;
	assert_fails(db_member_change(fleet.db, &fleet.rollout, again, 2, 6000, &f->e), f->e, ERR_NOT_FOUND, "id 99");
	assert_sqlite(f, "SELECT r.state || ' ' || m.state FROM rollouts AS r, rollout_phones AS m WHERE phone = 1",
	    "4 2");
	assert_ok(db_member_change(fleet.db, &fleet.rollout, again, 1, 6000, &f->e), f->e);
	assert_sqlite(f, "SELECT r.state || ' ' || m.state FROM rollouts AS r, rollout_phones AS m WHERE phone = 1",
	    "2 1");
	db_close(fleet.db);
	assert_sound(f);
}

/* Nobody has to offer it, and fail for all the others with it. */
static void
target_that_is_revoked_is_seen(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	unsigned char serial[1][DB_SERIAL_SIZE];
	struct db_member m;
	struct db_crl crl;
	int64_t number;

	fleet_make(f, &fleet);
	assert_ok(target_make(&fleet, 0, 12, &number, &f->e), f->e);
	assert_ok(db_member_get(fleet.db, fleet.rollout.id, fleet.id[0], &m, &f->e), f->e);
	assert_false(m.is_revoked);
	serial_of(12, serial[0]);
	crl_of(&crl, 2);
	assert_ok(db_revoke(fleet.db, 1, (const unsigned char(*)[DB_SERIAL_SIZE])serial, 1, 4000, 1, &crl, &f->e),
	    f->e);
	buf_release(&crl.der);
	assert_ok(db_member_get(fleet.db, fleet.rollout.id, fleet.id[0], &m, &f->e), f->e);
	assert_true(m.is_revoked);
	db_close(fleet.db);
}

/* Rollouts are taken back in the order in which they came, or the one before would bring back what was in between. */
static void
rollback_leaves_what_was_offered_another_since(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	enum db_way_back ways[2];
	struct db_offer later = { .number = 3 };

	fleet_make(f, &fleet);
	offer_target(f, &fleet, 0);
	offer_target(f, &fleet, 1);
	later.phone = fleet.id[0];
	assert_int_equal(generation_new(f, fleet.db, fleet.id[0], fleet.mac[0], 13), 3);
	assert_ok(db_generation_offer(fleet.db, &later, 1, &f->e), f->e);
	fleet.rollout.state = DB_ROLLOUT_ROLLED_BACK;
	assert_ok(db_member_roll_back(fleet.db, &fleet.rollout, fleet.id, 2, 6000, ways, &f->e), f->e);
	assert_int_equal(ways[0], DB_WAY_BACK_LATER);
	assert_int_equal(ways[1], DB_WAY_BACK);
	assert_sqlite(f, "SELECT group_concat(offered, ' ') FROM phones", "3 1 1 1");
	db_close(fleet.db);
	assert_sound(f);
}

/* ---- how far they are ---- */

struct proofs {
	struct db_member_proof proof[PHONES];
	size_t count;
};

static int
proof_keep(const struct db_member_proof *p, void *arg, struct err *e)
{
	struct proofs *all = arg;

	(void)e;
	all->proof[all->count++] = *p;
	return 0;
}

static void
proof_is_of_the_target_or_newer(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct proofs all = { .count = 0 };
	struct db_member_change settled = { .state = DB_MEMBER_SETTLED };

	fleet_make(f, &fleet);
	for (unsigned int i = 0; i < PHONES; i++)
		offer_target(f, &fleet, i);
	/* The first is settled with the former one only, the second with the new, the third with a newer still. */
	(void)generation_new(f, fleet.db, fleet.id[2], fleet.mac[2], 33);
	assert_sqlite(f,
	    "INSERT INTO ladder VALUES (1, 1, 4, 1, 'x'), (1, 2, 1, 1, 'x'), (2, 2, 4, 1, 'x'), "
	    "(3, 3, 3, 1, 'x')",
	    "");
	assert_sqlite(f, "INSERT INTO vpn_sessions SELECT 4, 's', 9, 4000, 'a', zeroblob(20), NULL, 1, 0, 4500", "");
	assert_ok(db_member_proof_each(fleet.db, fleet.rollout.id, proof_keep, &all, &f->e), f->e);
	assert_int_equal(all.count, 4);
	assert_int_equal(all.proof[0].rung, DB_RUNG_OFFERED);
	assert_int_equal(all.proof[1].rung, DB_RUNG_SETTLED);
	assert_int_equal(all.proof[2].rung, DB_RUNG_CONNECTED);
	assert_true(all.proof[3].rung == 0 && all.proof[3].has_session && all.proof[3].session.number == 0);
	assert_true(all.proof[3].session.has_serial && all.proof[3].session.ended == 4500);
	assert_false(all.proof[0].has_session || all.proof[0].is_revoked);
	/* Who has settled is of interest again when it comes with something else. */
	settled.phone = fleet.id[1];
	assert_ok(db_member_change(fleet.db, &fleet.rollout, &settled, 1, 7000, &f->e), f->e);
	all.count = 0;
	assert_ok(db_member_proof_each(fleet.db, fleet.rollout.id, proof_keep, &all, &f->e), f->e);
	assert_int_equal(all.count, 3);
	assert_sqlite(f,
	    "INSERT INTO vpn_sessions SELECT 2, 's', 8, 8000, 'a', serial, 1, 1, 0, NULL FROM generations "
	    "WHERE phone = 2 AND number = 1",
	    "");
	all.count = 0;
	assert_ok(db_member_proof_each(fleet.db, fleet.rollout.id, proof_keep, &all, &f->e), f->e);
	assert_int_equal(all.count, 4);
	assert_int_equal(all.proof[1].session.number, 1);
	db_close(fleet.db);
}

static void
phones_are_counted_by_wave_and_state(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct db_rollout_tally t;
	struct db_member_change failed = { .state = DB_MEMBER_FAILED, .why = 7, .detail = "it did not fetch" };

	fleet_make(f, &fleet);
	offer_target(f, &fleet, 0);
	failed.phone = fleet.id[3];
	assert_ok(db_member_change(fleet.db, &fleet.rollout, &failed, 1, 7000, &f->e), f->e);
	assert_ok(db_rollout_tally(fleet.db, fleet.rollout.id, &t, &f->e), f->e);
	assert_int_equal(t.waves, 2);
	assert_int_equal(t.phones[1][DB_MEMBER_OFFERED], 1);
	assert_int_equal(t.phones[2][DB_MEMBER_WAITING], 2);
	assert_int_equal(t.phones[2][DB_MEMBER_FAILED], 1);
	assert_int_equal(t.phones[0][DB_MEMBER_WAITING], 2);
	assert_sqlite(f, "SELECT action, subject, detail FROM events ORDER BY id DESC LIMIT 1",
	    "rollout.failed|0004f2000003|rollout spring: it did not fetch");
	/* The same again is no news. */
	assert_ok(db_member_change(fleet.db, &fleet.rollout, &failed, 1, 7001, &f->e), f->e);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'rollout.failed'", "1");
	db_close(fleet.db);
	assert_sound(f);
}

static int
member_count(const struct db_member *m, void *arg, struct err *e)
{
	(void)m;
	(void)e;
	(*(size_t *)arg)++;
	return 0;
}

static void
members_are_listed_by_what_they_are(void **state)
{
	struct fixture *f = *state;
	struct fleet fleet;
	struct db_member_filter filter;
	size_t count = 0;

	fleet_make(f, &fleet);
	offer_target(f, &fleet, 0);
	offer_target(f, &fleet, 2);
	filter = (struct db_member_filter){ .rollout = fleet.rollout.id };
	assert_ok(db_member_each(fleet.db, &filter, member_count, &count, &f->e), f->e);
	assert_int_equal(count, 4);
	filter.state = DB_MEMBER_OFFERED;
	filter.unnotified = true;
	count = 0;
	assert_ok(db_member_each(fleet.db, &filter, member_count, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_ok(db_member_notified(fleet.db, fleet.rollout.id, &fleet.id[0], 1, 9000, &f->e), f->e);
	count = 0;
	assert_ok(db_member_each(fleet.db, &filter, member_count, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	filter = (struct db_member_filter){ .rollout = fleet.rollout.id, .state = DB_MEMBER_WAITING, .wave = 1 };
	count = 0;
	assert_ok(db_member_each(fleet.db, &filter, member_count, &count, &f->e), f->e);
	assert_int_equal(count, 0);
	db_close(fleet.db);
}

/* Version 5 had no rollouts, and every authority but the newest was a former one. */
static void
upgrade_from_version_5(void **state)
{
	struct fixture *f = *state;

	assert_sqlite(f, SCHEMA_5 "PRAGMA user_version = 5", "");
	db_close(writer_open(f));
	assert_sqlite(f, "SELECT role FROM authorities", "2");
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'schema.upgrade'", "version 5 to 6");
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rollback_leaves_what_was_offered_another_since, fixture_created,
		    fixture_end),
		cmocka_unit_test_setup_teardown(phone_is_in_one_rollout, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(generation_of_a_rollout_waits_for_its_turn, fixture_created,
		    fixture_end),
		cmocka_unit_test_setup_teardown(rollback_leaves_what_has_no_way_back, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(rollback_takes_back_what_waits, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(another_try_goes_with_the_rollout, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(target_that_is_revoked_is_seen, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(proof_is_of_the_target_or_newer, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(phones_are_counted_by_wave_and_state, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(members_are_listed_by_what_they_are, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(upgrade_from_version_5, fixture_created, fixture_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
