/* SPDX-License-Identifier: ISC */
#ifndef TESTS_DB_ROLLOUT_SUPPORT_H
#define TESTS_DB_ROLLOUT_SUPPORT_H

#include "tests/unit/db_support.h"

#include "db/rollout.h"

#define PHONES 4

struct fleet {
	struct db *db;
	int64_t id[PHONES];
	char mac[PHONES][DB_MAC_SIZE];
	struct db_rollout rollout;
};

/* Each phone is offered generation 1, of serial 10 * (i + 1) + 1; the rollout's waves are of one and of three. */
static inline void
fleet_make(struct fixture *f, struct fleet *fleet)
{
	struct db_member members[PHONES] = { { .phone = 0 } };

	*fleet = (struct fleet){ .db = writer_open(f),
		.rollout = { .name = "spring", .plan = "{}", .state = DB_ROLLOUT_RUNNING } };
	for (unsigned int i = 0; i < PHONES; i++) {
		struct db_offer offer = { .number = 1 };

		(void)snprintf(fleet->mac[i], DB_MAC_SIZE, "0004f200000%u", i);
		fleet->id[i] = offer.phone = phone_make(f, fleet->db, fleet->mac[i]);
		assert_int_equal(generation_new(f, fleet->db, offer.phone, fleet->mac[i], 10 * (i + 1) + 1), 1);
		assert_ok(db_generation_offer(fleet->db, &offer, 1, &f->e), f->e);
		members[i].phone = offer.phone;
		members[i].wave = i == 0 ? 1 : 2;
		memcpy(members[i].mac, fleet->mac[i], DB_MAC_SIZE);
	}
	assert_ok(db_rollout_create(fleet->db, &fleet->rollout, members, PHONES, &f->e), f->e);
}

/* The phone's next generation, for the rollout. */
static inline int
target_make(struct fleet *fleet, unsigned int i, unsigned int n, int64_t *ret_number, struct err *e)
{
	struct buf cert, key;
	struct db_certificate_new c = { .cert = &cert, .key = &key, .not_after = NOT_AFTER };
	struct db_generation_new g = { .phone = fleet->id[i],
		.certificate = &c,
		.authority = 1,
		.rollout = fleet->rollout.id,
		.profile = PROFILE,
		.size = 1000 };
	int rc;

	bytes_of(&cert, "phone certificate", n);
	bytes_of(&key, CLEAR_PHONE_KEY, n);
	serial_of(n, c.serial);
	md5_of(n, g.md5);
	memcpy(g.mac, fleet->mac[i], DB_MAC_SIZE);
	rc = db_generation_commit(fleet->db, &g, 1, e);
	*ret_number = g.ret_number;
	buf_release(&cert);
	buf_release(&key);
	return rc;
}

#endif
