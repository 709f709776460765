/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/authority.h"
#include "db/holding.h"
#include "db/host.h"
#include "db/ladder.h"
#include "db/tally.h"

#include <openssl/evp.h>

/* A CA that is taken in too late, or given up too early, leaves phones behind that nobody can reach any more. */

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"
#define ROLES "SELECT group_concat(name || ':' || role, ' ') FROM (SELECT * FROM authorities ORDER BY id)"

static int
add_next(struct db *db, const char *name, struct err *e)
{
	struct buf cert, key;
	struct db_crl crl;
	const struct db_authority_new n = { .name = name, .cert = &cert, .key = &key, .crl = &crl };
	int rc;

	bytes_of(&cert, "CA certificate", 2);
	bytes_of(&key, CLEAR_CA_KEY, 2);
	crl_of(&crl, 1);
	rc = db_authority_add(db, &n, e);
	buf_release(&cert);
	buf_release(&key);
	buf_release(&crl.der);
	return rc;
}

static int
add_server(struct db *db, int64_t authority, unsigned int n, const char *note, struct err *e)
{
	struct buf der;
	struct db_certificate_new c = { .cert = &der, .key = &der, .not_after = NOT_AFTER };
	int rc;

	bytes_of(&der, "server", n);
	serial_of(n, c.serial);
	rc = db_certificate_add_server(db, authority, "vpn.example.com", &c, note, e);
	buf_release(&der);
	return rc;
}

/* A generation of that CA and profile, offered. */
static int64_t
offer_new(struct fixture *f, struct db *db, int64_t phone, const char *mac, unsigned int n, int64_t authority,
    const char *profile)
{
	struct buf cert, key;
	struct db_certificate_new c = { .cert = &cert, .key = &key, .not_after = NOT_AFTER };
	struct db_generation_new g = { .phone = phone, .certificate = &c, .authority = authority, .size = 1 };
	struct db_offer offer = { .phone = phone };

	bytes_of(&cert, "phone certificate", n);
	bytes_of(&key, CLEAR_PHONE_KEY, n);
	serial_of(n, c.serial);
	md5_of(n, g.md5);
	(void)snprintf(g.mac, sizeof(g.mac), "%s", mac);
	(void)snprintf(g.profile, sizeof(g.profile), "%s", profile);
	assert_ok(db_profile_put(db, profile, profile, strlen(profile), &f->e), f->e);
	assert_ok(db_generation_commit(db, &g, 1, &f->e), f->e);
	offer.number = g.ret_number;
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	buf_release(&cert);
	buf_release(&key);
	return g.ret_number;
}

static int64_t
current(struct fixture *f, struct db *db)
{
	struct db_authority a;

	assert_ok(db_authority_current(db, &a, &f->e), f->e);
	assert_int_equal(a.role, DB_ROLE_ISSUING);
	db_authority_release(&a);
	return a.id;
}

/* The ids of these roles, as a decimal number: 12 for 1 and 2. */
static int
listed(struct fixture *f, struct db *db, unsigned int roles)
{
	struct db_authority *all;
	size_t count;
	int ids = 0;

	assert_ok(db_authority_list(db, roles, &all, &count, &f->e), f->e);
	for (size_t i = 0; i < count; i++)
		ids = ids * 10 + (int)all[i].id;
	db_authority_free(all, count);
	return ids;
}

static void
assert_lists(struct fixture *f, struct db *db, int phones, int servers, int all)
{
	assert_int_equal(listed(f, db, DB_ROLES_PHONES), phones);
	assert_int_equal(listed(f, db, DB_ROLES_SERVERS), servers);
	assert_int_equal(listed(f, db, DB_ROLES_ALL), all);
}

/* From the first to the last; who trusts whom meanwhile; and no way back. */
static void
roles_go_one_way(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);

	assert_lists(f, db, 1, 1, 1);
	assert_fails(add_next(db, "Test CA 1", &f->e), f->e, ERR_CONFLICT, "CA \"Test CA 1\": exists already");
	assert_fails(add_next(db, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX", &f->e), f->e,
	    ERR_INPUT, "name of the CA");
	assert_fails(db_authority_promote(db, 1, &f->e), f->e, ERR_CONFLICT,
	    "expected the next one, found it is issuing");
	assert_fails(db_authority_drop(db, 1, &f->e), f->e, ERR_CONFLICT, "found it is issuing");
	assert_fails(db_authority_promote(db, 2, &f->e), f->e, ERR_NOT_FOUND, "CA 2");
	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_fails(add_next(db, "Test CA 3", &f->e), f->e, ERR_CONFLICT,
	    "expected no other next one, found \"Test CA 2\"");
	assert_int_equal(current(f, db), 1);
	assert_lists(f, db, 1, 12, 12);
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	assert_int_equal(current(f, db), 2);
	assert_lists(f, db, 12, 12, 12);
	assert_fails(db_authority_promote(db, 1, &f->e), f->e, ERR_CONFLICT,
	    "expected the next one, found it is former");
	assert_ok(add_server(db, 2, 50, NULL, &f->e), f->e);
	assert_ok(db_authority_drop(db, 1, &f->e), f->e);
	assert_lists(f, db, 2, 2, 12);
	assert_fails(db_authority_drop(db, 1, &f->e), f->e, ERR_CONFLICT, "found it is dropped");
	assert_fails(db_authority_promote(db, 1, &f->e), f->e, ERR_CONFLICT, "found it is dropped");
	/* One that was made by mistake. */
	assert_ok(add_next(db, "Test CA 3", &f->e), f->e);
	assert_ok(db_authority_drop(db, 3, &f->e), f->e);
	db_close(db);
	assert_sqlite(f, ROLES, "Test CA 1:4 Test CA 2:2 Test CA 3:4");
	assert_sqlite(f,
	    "SELECT group_concat(subject || ' ' || detail, ', ') FROM events WHERE action = 'authority.role'",
	    "Test CA 1 former, Test CA 2 issuing, Test CA 1 dropped, Test CA 3 dropped");
	assert_sound(f);
}

/* In a rotation the server keeps its certificate of the former CA until it is moved. */
static void
server_certificate_moves_by_itself(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_certificate c;

	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_fails(add_server(db, 2, 50, NULL, &f->e), f->e, ERR_CONFLICT,
	    "CA \"Test CA 2\": expected the one that issues, found it is next");
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	assert_ok(db_certificate_server(db, &c, &f->e), f->e);
	assert_int_equal(c.authority, 1);
	assert_fails(db_authority_drop(db, 1, &f->e), f->e, ERR_CONFLICT,
	    "CA \"Test CA 1\": expected the server's certificate to be of another CA");
	assert_fails(db_authority_may_drop(db, 1, &f->e), f->e, ERR_CONFLICT, "server's certificate");
	assert_fails(add_server(db, 1, 50, NULL, &f->e), f->e, ERR_CONFLICT, "found it is former");
	assert_ok(add_server(db, 2, 50, "moved", &f->e), f->e);
	assert_ok(db_certificate_server(db, &c, &f->e), f->e);
	assert_int_equal(c.authority, 2);
	assert_ok(db_authority_may_drop(db, 1, &f->e), f->e);
	db_close(db);
	assert_sqlite(f, "SELECT detail FROM events ORDER BY id DESC LIMIT 1", "server vpn.example.com, moved");
}

/* Where nothing shall find the certificates of a CA that is given up. */
static void
dropped_certificates_are_gone(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1);
	const struct db_offer old = { .phone = one, .number = 1 };
	unsigned char serial[1][DB_SERIAL_SIZE];
	struct db_certificate c;
	struct db_bundle b;
	struct db_crl crl;
	char md5[DB_MD5_SIZE];

	serial_of(1, serial[0]);
	md5_of(1, md5);
	(void)offer_new(f, db, one, MAC_1, 1, 1, PROFILE);
	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	assert_ok(add_server(db, 2, 50, NULL, &f->e), f->e);
	assert_fails(db_authority_drop(db, 1, &f->e), f->e, ERR_CONFLICT,
	    "expected no phone to be offered a certificate of it, found 1 that are, phone " MAC_1 " first");
	assert_int_equal(offer_new(f, db, one, MAC_1, 2, 2, PROFILE_2), 2);
	assert_ok(db_certificate_get(db, serial[0], &c, &f->e), f->e);
	assert_false(c.dropped);
	assert_ok(db_authority_drop(db, 1, &f->e), f->e);
	assert_ok(db_certificate_get(db, serial[0], &c, &f->e), f->e);
	assert_true(c.dropped && c.revoked == 0);
	assert_fails(db_generation_offer(db, &old, 1, &f->e), f->e, ERR_CONFLICT,
	    "phone " MAC_1 ": generation 1: the CA of its certificate is dropped");
	assert_fails(generation_make(db, one, MAC_1, 1, false, NULL, &f->e), f->e, ERR_CONFLICT, "its CA is dropped");
	assert_fails(db_bundle_get(db, MAC_1, 0, md5, &b, &f->e), f->e, ERR_NOT_FOUND, "no bundle in force");
	/* Gone with its phone, without a CRL of the CA that is given up. */
	serial_of(2, serial[0]);
	crl_of(&crl, 2);
	assert_ok(db_phone_remove(db, one, 2, serial, 1, 1000, 5, &crl, &f->e), f->e);
	buf_release(&crl.der);
	db_close(db);
	assert_sqlite(f, "SELECT crl_number FROM authorities WHERE id = 1", "1");
	assert_sound(f);
}

static int
profile_count(const struct db_profile_use *use, void *arg, struct err *e)
{
	(void)e;
	*(size_t *)arg += use->phones;
	return 0;
}

static int
host_count(const struct db_host *h, void *arg, struct err *e)
{
	(void)e;
	*(size_t *)arg += strcmp(h->name, "old-name") == 0;
	return 0;
}

static int
issued_print(const struct db_issued_tally *t, void *arg, struct err *e)
{
	char *out = arg;
	size_t len = strlen(out);

	(void)e;
	(void)snprintf(out + len, 64 - len, "%lld:%zu+%zu ", (long long)t->authority, t->phones, t->servers);
	return 0;
}

/* The server's files and the overview go by what can still connect. */
static void
dropped_certificates_do_not_count(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1);
	const struct db_host_range range = { 2, 9 };
	size_t uses = 0, names = 0;
	char issued[64] = "";

	assert_ok(db_host_assign(db, &one, 1, &range, &f->e), f->e);
	(void)offer_new(f, db, one, MAC_1, 1, 1, PROFILE);
	assert_sqlite(f, "UPDATE certificates SET name = 'old-name' WHERE phone IS NOT NULL", "");
	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	assert_ok(add_server(db, 2, 50, NULL, &f->e), f->e);
	(void)offer_new(f, db, one, MAC_1, 2, 2, PROFILE_2);
	assert_ok(db_profile_use_each(db, 1000, false, profile_count, &uses, &f->e), f->e);
	assert_ok(db_host_each(db, host_count, &names, &f->e), f->e);
	assert_ok(db_issued_each(db, 1000, issued_print, issued, &f->e), f->e);
	assert_int_equal(uses, 2);
	assert_int_equal(names, 1);
	assert_string_equal(issued, "1:1+1 2:1+1 ");
	assert_ok(db_authority_drop(db, 1, &f->e), f->e);
	uses = names = 0;
	assert_ok(db_profile_use_each(db, 1000, false, profile_count, &uses, &f->e), f->e);
	assert_ok(db_host_each(db, host_count, &names, &f->e), f->e);
	assert_int_equal(uses, 1);
	assert_int_equal(names, 0);
	db_close(db);
}

struct holdings {
	struct db_holding list[4];
	size_t count;
};

static int
holding_take(const struct db_holding *h, void *arg, struct err *e)
{
	struct holdings *all = arg;

	(void)e;
	assert_true(all->count < 4);
	all->list[all->count++] = *h;
	return 0;
}

static void
session(struct fixture *f, struct db *db, const char *mac, unsigned int n, uint64_t client)
{
	struct db_sighting s = { .what = DB_SIGHT_BEGAN,
		.server = "/run/openvpn/one",
		.attachment = 1,
		.client = client,
		.since = 1000 + (time_t)client,
		.at = 1010 + (time_t)client };
	struct db_sighted seen;
	struct buf cert;

	(void)snprintf(s.name, sizeof(s.name), "%s", mac);
	(void)snprintf(s.address, sizeof(s.address), "192.0.2.7:1194");
	bytes_of(&cert, "phone certificate", n);
	serial_of(n, s.serial);
	assert_int_equal(EVP_Digest(cert.data, cert.len, s.digest, NULL, EVP_sha256(), NULL), 1);
	buf_release(&cert);
	assert_ok(db_session_record(db, &s, 1, &seen, &f->e), f->e);
}

/* What a phone is offered, and what it was seen with, which may be older. */
static void
holdings_tell_what_was_seen(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	const struct db_step offered = { two, 1, DB_RUNG_OFFERED, 1000, "serve" },
			     fetched = { two, 1, DB_RUNG_FETCHED, 1000, "serve" };
	unsigned char serial[1][DB_SERIAL_SIZE];
	struct holdings all = { .count = 0 };
	struct db_crl crl;

	(void)phone_make(f, db, "0004f2000003");
	(void)offer_new(f, db, one, MAC_1, 1, 1, PROFILE);
	session(f, db, MAC_1, 1, 0);
	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	(void)offer_new(f, db, one, MAC_1, 2, 2, PROFILE_2);
	(void)offer_new(f, db, two, MAC_2, 3, 2, PROFILE_2);
	assert_ok(db_holding_each(db, holding_take, &all, &f->e), f->e);
	assert_int_equal(all.count, 2);
	assert_string_equal(all.list[0].mac, MAC_1);
	assert_true(all.list[0].phone == one && all.list[0].offered.number == 2 && all.list[0].offered.authority == 2);
	assert_true(all.list[0].seen.number == 1 && all.list[0].seen.authority == 1);
	assert_true(all.list[0].offered.profile[0] == 0xbb && all.list[0].seen.profile[0] == 0xaa);
	assert_string_equal(all.list[1].mac, MAC_2);
	assert_true(all.list[1].offered.number == 1 && all.list[1].seen.number == 0 && all.list[1].seen.authority == 0);
	assert_false(all.list[0].fetched || all.list[1].fetched);
	session(f, db, MAC_1, 2, 1);
	assert_ok(db_ladder_record(db, &offered, 1, &f->e), f->e);
	all.count = 0;
	assert_ok(db_holding_each(db, holding_take, &all, &f->e), f->e);
	assert_true(all.list[0].seen.number == 2 && all.list[0].seen.authority == 2);
	assert_true(all.list[0].fetched && !all.list[1].fetched);
	assert_ok(db_ladder_record(db, &fetched, 1, &f->e), f->e);
	all.count = 0;
	assert_ok(db_holding_each(db, holding_take, &all, &f->e), f->e);
	assert_true(all.list[1].fetched);
	/* It cannot be there with that one any more. */
	session(f, db, MAC_1, 1, 2);
	serial_of(1, serial[0]);
	crl_of(&crl, 2);
	assert_ok(db_revoke(db, 1, serial, 1, 1000, 4, &crl, &f->e), f->e);
	buf_release(&crl.der);
	all.count = 0;
	assert_ok(db_holding_each(db, holding_take, &all, &f->e), f->e);
	assert_true(all.list[0].offered.number == 2 && all.list[0].seen.number == 0);
	db_close(db);
}

/* A state of before there were roles: the newest CA issued. */
static void
state_of_version_5_gets_roles(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_certificate c;

	assert_ok(add_next(db, "Test CA 2", &f->e), f->e);
	assert_ok(db_authority_promote(db, 2, &f->e), f->e);
	assert_ok(add_server(db, 2, 50, NULL, &f->e), f->e);
	db_close(db);
	assert_sqlite(f, SCHEMA_5 "PRAGMA user_version = 5", "");
	db = writer_open(f);
	assert_int_equal(current(f, db), 2);
	assert_ok(db_certificate_server(db, &c, &f->e), f->e);
	assert_int_equal(c.authority, 2);
	assert_ok(add_next(db, "Test CA 3", &f->e), f->e);
	db_close(db);
	assert_sqlite(f, ROLES, "Test CA 1:3 Test CA 2:2 Test CA 3:1");
	assert_sound(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)
	const struct CMUnitTest tests[] = {
		TEST(roles_go_one_way),
		TEST(server_certificate_moves_by_itself),
		TEST(dropped_certificates_are_gone),
		TEST(dropped_certificates_do_not_count),
		TEST(holdings_tell_what_was_seen),
		TEST(state_of_version_5_gets_roles),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
