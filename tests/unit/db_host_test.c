/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/host.h"

#define PHONES_MANY 1300 /* more than two pages of a listing */

static void
phone_fill(struct db_phone_new *n, unsigned int number, uint32_t first, uint32_t last)
{
	*n = (struct db_phone_new){ .http_password = CLEAR_PASSWORD, .hosts = { first, last } };
	(void)snprintf(n->phone.mac, sizeof(n->phone.mac), "0004f2%06x", number);
	(void)snprintf(n->phone.model, sizeof(n->phone.model), "D65");
	(void)snprintf(n->phone.http_user, sizeof(n->phone.http_user), "u%u", number);
}

static int
add(struct fixture *f, struct db *db, unsigned int number, uint32_t first, uint32_t last)
{
	struct db_phone_new n;

	phone_fill(&n, number, first, last);
	return db_phone_add(db, &n, 1, &f->e);
}

static struct db_phone
get(struct fixture *f, struct db *db, unsigned int number)
{
	struct db_phone p;
	char mac[DB_MAC_SIZE];

	(void)snprintf(mac, sizeof(mac), "0004f2%06x", number);
	assert_ok(db_phone_get(db, mac, &p, &f->e), f->e);
	return p;
}

static void
take_out(struct fixture *f, struct db *db, unsigned int number)
{
	assert_ok(db_phone_remove(db, get(f, db, number).id, 1, NULL, 0, time(NULL), 0, NULL, &f->e), f->e);
}

/* Two phones with one address would cut each other off; an address that changes breaks the PBX's rules for it. */
static void
each_phone_has_its_own(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new n[3];

	phone_fill(&n[0], 1, 2, 4);
	phone_fill(&n[1], 2, 2, 4);
	phone_fill(&n[2], 3, 0, 0);
	assert_ok(db_phone_add(db, n, 3, &f->e), f->e);
	assert_int_equal(get(f, db, 1).vpn_host, 2);
	assert_int_equal(get(f, db, 2).vpn_host, 3);
	assert_int_equal(get(f, db, 3).vpn_host, 0);
	db_close(db);
	db = reader_open(f);
	assert_int_equal(get(f, db, 2).vpn_host, 3);
	db_close(db);
	assert_sqlite(f, "SELECT subject, detail FROM events WHERE action = 'phone.add' ORDER BY id",
	    "0004f2000001|model D65, VPN host 2\n0004f2000002|model D65, VPN host 3\n0004f2000003|model D65");
	assert_sound(f);
}

/* Rules for a phone that is gone must not hit the next one at once. */
static void
returned_ones_come_last(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);

	for (unsigned int i = 1; i <= 3; i++)
		assert_ok(add(f, db, i, 2, 5), f->e);
	take_out(f, db, 1);
	assert_ok(add(f, db, 4, 2, 5), f->e);
	assert_int_equal(get(f, db, 4).vpn_host, 5);
	take_out(f, db, 3);
	/* 2 was given back a second ago, 4 just now. */
	db_close(db);
	assert_sqlite(f, "UPDATE hosts SET returned = returned - 1 WHERE host = 2", "");
	db = writer_open(f);
	assert_ok(add(f, db, 5, 2, 5), f->e);
	assert_int_equal(get(f, db, 5).vpn_host, 2);
	assert_ok(add(f, db, 6, 2, 5), f->e);
	assert_int_equal(get(f, db, 6).vpn_host, 4);
	db_close(db);
	assert_sound(f);
}

/* A full network is told, and leaves nothing half done. */
static void
full_network(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	const struct db_host_range range = { 2, 4 };
	struct db_phone_new n[4];
	size_t taken = 9;

	for (unsigned int i = 0; i < 4; i++)
		phone_fill(&n[i], i, 2, 4);
	assert_fails(db_phone_add(db, n, 4, &f->e), f->e, ERR_CONFLICT, "found all 3 for phones taken");
	assert_ok(db_host_taken(db, &range, &taken, &f->e), f->e);
	assert_int_equal(taken, 0);
	assert_ok(db_phone_add(db, n, 3, &f->e), f->e);
	assert_ok(db_host_taken(db, &range, &taken, &f->e), f->e);
	assert_int_equal(taken, 3);
	assert_fails(add(f, db, 3, 2, 4), f->e, ERR_CONFLICT, "found all 3 for phones taken");
	assert_fails(add(f, db, 3, 2, 2), f->e, ERR_CONFLICT, "found all 1 for phones taken");
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM phones", "3");
}

/* What the admin wants, unless another phone has it. */
static void
chosen_by_hand(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new n;
	struct db_phone p;

	phone_fill(&n, 1, 0, 0);
	n.phone.vpn_host = 200;
	assert_ok(db_phone_add(db, &n, 1, &f->e), f->e);
	phone_fill(&n, 2, 0, 0);
	n.phone.vpn_host = 200;
	assert_fails(db_phone_add(db, &n, 1, &f->e), f->e, ERR_CONFLICT,
	    "phone 0004f2000002: its VPN address belongs to phone 0004f2000001");
	assert_ok(add(f, db, 2, 2, 300), f->e);
	p = get(f, db, 2);
	assert_int_equal(p.vpn_host, 2);
	p.vpn_host = 200;
	assert_fails(db_phone_set(db, &p, NULL, NULL, &f->e), f->e, ERR_CONFLICT, "belongs to phone 0004f2000001");
	assert_int_equal(get(f, db, 2).vpn_host, 2);
	p.vpn_host = 201;
	assert_ok(db_phone_set(db, &p, NULL, NULL, &f->e), f->e);
	assert_int_equal(get(f, db, 2).vpn_host, 201);
	p.vpn_host = 0;
	assert_ok(db_phone_set(db, &p, NULL, NULL, &f->e), f->e);
	assert_int_equal(get(f, db, 2).vpn_host, 0);
	p.vpn_host = 1;
	assert_int_equal(db_phone_set(db, &p, NULL, NULL, &f->e), -1);
	f->e = (struct err)ERR_INIT;
	db_close(db);
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'phone.set'",
	    "VPN host 2 to 201\nVPN host 201 to 0");
	assert_sound(f);
}

/* Another network keeps every phone's place where it has one; else nothing changes, the setting neither. */
static void
another_network(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	const struct db_setting old = { "vpn-network", "10.8.0.0/16" }, small = { "vpn-network", "10.9.0.0/28" },
				smallest = { "vpn-network", "10.9.0.0/29" };
	const struct db_host_range range = { 2, 12 }, tiny = { 2, 4 };
	size_t kept = 9, moved = 9;
	struct db_phone p;
	char value[32];

	assert_ok(db_setting_set(db, &old, 1, &f->e), f->e);
	for (unsigned int i = 1; i <= 4; i++)
		assert_ok(add(f, db, i, 2, 1000), f->e);
	p = get(f, db, 3);
	p.vpn_host = 900;
	assert_ok(db_phone_set(db, &p, NULL, NULL, &f->e), f->e);
	assert_fails(db_network_set(db, &smallest, &tiny, &kept, &moved, &f->e), f->e, ERR_CONFLICT,
	    "all 3 for phones");
	assert_ok(db_setting_get(db, "vpn-network", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "10.8.0.0/16");
	assert_int_equal(get(f, db, 3).vpn_host, 900);
	assert_ok(db_network_set(db, &small, &range, &kept, &moved, &f->e), f->e);
	assert_int_equal(kept, 3);
	assert_int_equal(moved, 1);
	assert_ok(db_setting_get(db, "vpn-network", value, sizeof(value), &f->e), f->e);
	assert_string_equal(value, "10.9.0.0/28");
	assert_int_equal(get(f, db, 1).vpn_host, 2);
	assert_int_equal(get(f, db, 2).vpn_host, 3);
	/* 4 was its own before; 6 is the first that nobody has had. */
	assert_int_equal(get(f, db, 3).vpn_host, 6);
	assert_int_equal(get(f, db, 4).vpn_host, 5);
	db_close(db);
	assert_sound(f);
}

/* A folder of before there were addresses opens, and its phones get theirs. */
static void
phones_of_version_1(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	const struct db_host_range range = { 2, 100 };
	int64_t ids[2];
	size_t count;

	ids[0] = phone_make(f, db, "0004f2000001");
	ids[1] = phone_make(f, db, "0004f2000002");
	db_close(db);
	assert_sqlite(f, SCHEMA_3 "DROP TABLE hosts; DROP TABLE key_pool; PRAGMA user_version = 1", "");
	db = writer_open(f);
	assert_int_equal(get(f, db, 1).vpn_host, 0);
	assert_ok(db_host_assign(db, ids, 2, &range, &f->e), f->e);
	assert_int_equal(get(f, db, 1).vpn_host, 2);
	assert_int_equal(get(f, db, 2).vpn_host, 3);
	assert_ok(db_host_assign(db, ids, 2, &range, &f->e), f->e);
	assert_int_equal(get(f, db, 2).vpn_host, 3);
	assert_ok(db_event_verify(db, &count, &f->e), f->e);
	db_close(db);
	assert_sqlite(f, "PRAGMA user_version", "6");
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'schema.upgrade'", "version 1 to 6");
	assert_sqlite(f, "SELECT subject, detail FROM events WHERE action = 'phone.address'",
	    "0004f2000001|VPN host 2\n0004f2000002|VPN host 3");
	assert_sound(f);
}

struct seen {
	size_t count;
	uint32_t last;
	char names[3][65];
};

static int
see(const struct db_host *h, void *arg, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	assert_true(h->host >= s->last);
	s->last = h->host;
	if (s->count < 3)
		(void)snprintf(s->names[s->count], sizeof(s->names[0]), "%s", h->name);
	s->count++;
	return 0;
}

/* OpenVPN looks a phone's address up by the name in its certificate: each that it may come with needs a file. */
static void
names_of_certificates(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new *n = calloc(PHONES_MANY, sizeof(*n));
	struct seen s = { .count = 0 };
	int64_t number, first;

	assert_non_null(n);
	for (unsigned int i = 0; i < PHONES_MANY; i++)
		phone_fill(&n[i], i, 2, 60000);
	assert_ok(db_phone_add(db, n, PHONES_MANY, &f->e), f->e);
	first = get(f, db, 0).id;
	assert_ok(db_profile_put(db, PROFILE, "p", 1, &f->e), f->e);
	assert_ok(generation_make(db, first, "0004f2000000", 1, true, &number, &f->e), f->e);
	assert_ok(generation_make(db, first, "0004f2000000", 2, true, &number, &f->e), f->e);
	assert_ok(generation_make(db, first, "0004f2000000", 3, true, &number, &f->e), f->e);
	db_close(db);
	assert_sqlite(f,
	    "UPDATE certificates SET name = 'front desk' WHERE serial = (SELECT serial FROM generations "
	    "WHERE number = 2)",
	    "");
	db = reader_open(f);
	assert_ok(db_host_each(db, see, &s, &f->e), f->e);
	assert_int_equal(s.count, PHONES_MANY + 1);
	assert_string_equal(s.names[0], "0004f2000000");
	assert_string_equal(s.names[1], "front desk");
	assert_string_equal(s.names[2], "0004f2000001");
	db_close(db);
	free(n);
}

struct uses {
	size_t count;
	struct db_profile_use last;
	char text[8];
};

static int
use(const struct db_profile_use *u, void *arg, struct err *e)
{
	struct uses *all = arg;

	(void)e;
	all->count++;
	all->last = *u;
	(void)snprintf(all->text, sizeof(all->text), "%.*s", (int)u->len, (const char *)u->text);
	return 0;
}

/* The server must take what phones still have, and nothing that no phone can come with any more. */
static void
profiles_in_use(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, "0004f2000001"), number;
	struct db_offer offer = { .phone = one };
	struct uses all = { .count = 0 };

	assert_ok(db_profile_put(db, PROFILE, "p", 1, &f->e), f->e);
	assert_ok(generation_make(db, one, "0004f2000001", 1, true, &number, &f->e), f->e);
	assert_ok(db_profile_use_each(db, NOT_AFTER - 1, false, use, &all, &f->e), f->e);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.last.phones, 1);
	assert_string_equal(all.last.model, "D65");
	assert_string_equal(all.text, "p");
	/* Not offered; then offered; then over. */
	all.count = 0;
	assert_ok(db_profile_use_each(db, NOT_AFTER - 1, true, use, &all, &f->e), f->e);
	assert_int_equal(all.count, 0);
	offer.number = number;
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_ok(db_profile_use_each(db, NOT_AFTER - 1, true, use, &all, &f->e), f->e);
	assert_int_equal(all.count, 1);
	assert_ok(db_profile_use_each(db, NOT_AFTER, false, use, &all, &f->e), f->e);
	assert_int_equal(all.count, 1);
	db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_phone_has_its_own),
		TEST(returned_ones_come_last),
		TEST(full_network),
		TEST(chosen_by_hand),
		TEST(another_network),
		TEST(phones_of_version_1),
		TEST(names_of_certificates),
		TEST(profiles_in_use),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
