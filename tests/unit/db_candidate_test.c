/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_rollout_support.h"

/* What a rollout chooses its phones by, and who is forced into it. */

struct candidates {
	struct db_candidate list[PHONES];
	size_t count;
};

static int
candidate_take(const struct db_candidate *c, void *arg, struct err *e)
{
	struct candidates *all = arg;

	(void)e;
	assert_true(all->count < PHONES);
	all->list[all->count++] = *c;
	return 0;
}

/* What a rollout chooses by is what the phone is, whichever way it is asked for. */
static void
candidates_are_what_the_phones_are(void **state)
{
	static const struct db_phone_filter other = { .model = "D60" }, all = DB_ALL_PHONES;
	struct fixture *f = *state;
	struct candidates found = { .count = 0 };
	struct db_candidate c;
	struct db_phone p;
	struct fleet fleet;
	int64_t number;

	fleet_make(f, &fleet);
	assert_ok(target_make(&fleet, 1, 22, &number, &f->e), f->e);
	assert_ok(db_candidate_each(fleet.db, &other, candidate_take, &found, &f->e), f->e);
	assert_int_equal(found.count, 0);
	assert_ok(db_candidate_each(fleet.db, &all, candidate_take, &found, &f->e), f->e);
	assert_int_equal(found.count, PHONES);
	for (unsigned int i = 0; i < PHONES; i++) {
		assert_ok(db_phone_get(fleet.db, fleet.mac[i], &p, &f->e), f->e);
		c = found.list[i];
		assert_string_equal(c.phone.mac, p.mac);
		assert_string_equal(c.phone.model, p.model);
		assert_string_equal(c.phone.firmware, p.firmware);
		assert_string_equal(c.phone.profile, p.profile);
		assert_string_equal(c.offered_profile, PROFILE);
		assert_true(c.phone.id == p.id && c.phone.newest == p.newest && c.phone.offered == 1 &&
			    c.phone.not_after == p.not_after && c.phone.authority == p.authority &&
			    c.phone.revoked == p.revoked && c.offered_end == NOT_AFTER && !c.is_seen_revoked);
		assert_int_equal(c.phone.newest, i == 1 ? 2 : 1);
	}
	assert_fails(db_candidate_get(fleet.db, "0004f2999999", &c, &f->e), f->e, ERR_NOT_FOUND, "not in the fleet");
	db_close(fleet.db);
}

/* The certificate that a phone came with counts, which may be another than its newest. */
static void
candidate_last_came_with_a_revoked_certificate(void **state)
{
	struct fixture *f = *state;
	struct db_candidate c;
	struct fleet fleet;
	int64_t number;

	fleet_make(f, &fleet);
	assert_ok(target_make(&fleet, 1, 22, &number, &f->e), f->e);
	assert_sqlite(f,
	    "INSERT INTO vpn_sessions (phone, server, client, since, address, serial, number, attachment, unsettled) "
	    "SELECT phone, 's', phone, 1, 'a', serial, number, 1, 0 FROM generations WHERE number = 1 AND phone IN (1, 2, 4)",
	    "");
	assert_ok(db_candidate_get(fleet.db, fleet.mac[1], &c, &f->e), f->e);
	assert_false(c.is_seen_revoked);
	assert_sqlite(f,
	    "UPDATE certificates SET revoked = 7, reason = 0 WHERE serial IN "
	    "(SELECT serial FROM generations WHERE number = 1 AND phone < 4)",
	    "");
	assert_ok(db_candidate_get(fleet.db, fleet.mac[0], &c, &f->e), f->e);
	assert_true(c.is_seen_revoked && c.phone.revoked == 7);
	assert_ok(db_candidate_get(fleet.db, fleet.mac[1], &c, &f->e), f->e);
	assert_true(c.is_seen_revoked && c.phone.revoked == 0);
	/* Nobody has seen it. */
	assert_ok(db_candidate_get(fleet.db, fleet.mac[2], &c, &f->e), f->e);
	assert_true(!c.is_seen_revoked && c.phone.revoked == 7);
	assert_ok(db_candidate_get(fleet.db, fleet.mac[3], &c, &f->e), f->e);
	assert_false(c.is_seen_revoked);
	assert_sqlite(f, "UPDATE authorities SET role = 4", "");
	assert_ok(db_candidate_get(fleet.db, fleet.mac[3], &c, &f->e), f->e);
	assert_true(c.is_seen_revoked);
	db_close(fleet.db);
}

static void
forced_phones_are_events(void **state)
{
	struct fixture *f = *state;
	struct candidates found = { .count = 0 };
	struct db_rollout r = { .name = "may", .plan = "{}", .state = DB_ROLLOUT_DRAFT };
	struct db_member members[2] = { { .wave = 2, .forced = true, .note = "the CRL ends" }, { .wave = 1 } };
	struct db_member_change force = { .state = DB_MEMBER_WAITING, .forced = true, .detail = "anew", .note = "why" },
				offered = { .state = DB_MEMBER_DROPPED, .detail = "taken out" };
	struct fleet fleet;

	fleet_make(f, &fleet);
	for (unsigned int i = 0; i < PHONES; i++) {
		offered.phone = fleet.id[i];
		assert_ok(db_member_change(fleet.db, &fleet.rollout, &offered, 1, 6000, &f->e), f->e);
	}
	for (unsigned int i = 0; i < 2; i++) {
		members[i].phone = fleet.id[i];
		memcpy(members[i].mac, fleet.mac[i], DB_MAC_SIZE);
	}
	assert_ok(db_rollout_create(fleet.db, &r, members, 2, &f->e), f->e);
#define FORCED "SELECT group_concat(subject || ' ' || detail, ';') FROM events WHERE action = 'rollout.forced'"
	assert_sqlite(f, FORCED, "0004f2000000 rollout may: the CRL ends");
	assert_ok(db_candidate_each_waiting(fleet.db, r.id, candidate_take, &found, &f->e), f->e);
	assert_int_equal(found.count, 2);
	assert_true(found.list[0].wave == 2 && found.list[0].forced);
	assert_true(found.list[1].wave == 1 && !found.list[1].forced);
	/* Once for each: who is forced already is no news. */
	for (unsigned int i = 0; i < 2; i++) {
		force.phone = fleet.id[i];
		assert_ok(db_member_change(fleet.db, &r, &force, 1, 7000, &f->e), f->e);
	}
	assert_sqlite(f, FORCED, "0004f2000000 rollout may: the CRL ends;0004f2000001 rollout may: why");
	db_close(fleet.db);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(candidates_are_what_the_phones_are, fixture_created, fixture_end),
		cmocka_unit_test_setup_teardown(candidate_last_came_with_a_revoked_certificate, fixture_created,
		    fixture_end),
		cmocka_unit_test_setup_teardown(forced_phones_are_events, fixture_created, fixture_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
