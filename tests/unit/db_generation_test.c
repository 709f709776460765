/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "common/text.h"
#include "db/request.h"

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"

static void
assert_bundle(struct fixture *f, struct db *db, int64_t number, const char *md5, unsigned int expected)
{
	char text[64];
	struct db_bundle b;

	assert_ok(db_bundle_get(db, MAC_1, number, md5, &b, &f->e), f->e);
	assert_string_equal(buf_string(&b.profile), "profile text");
	(void)snprintf(text, sizeof(text), "phone certificate %u", expected);
	assert_string_equal(buf_string(&b.cert), text);
	(void)snprintf(text, sizeof(text), CLEAR_PHONE_KEY " %u", expected);
	assert_string_equal(buf_string(&b.key), text);
	md5_of(expected, text);
	assert_string_equal(b.md5, text);
	assert_int_equal(b.size, 1000 + expected);
	db_bundle_release(&b);
}

/* As a server reads it. */
static void
assert_served(struct fixture *f, struct db *db, const struct db_phone *p, unsigned int expected)
{
	unsigned char profile[DB_PROFILE_HASH_SIZE];
	char text[DB_HASH_SIZE];
	struct buf found = BUF_INIT(10000);
	struct db_bundle b, whole;

	assert_ok(db_bundle_offered(db, p, &b, profile, &f->e), f->e);
	assert_ok(db_bundle_get(db, p->mac, expected, NULL, &whole, &f->e), f->e);
	text_hex(profile, sizeof(profile), text);
	assert_string_equal(text, p->profile);
	assert_ok(db_profile_get(db, profile, &found, &f->e), f->e);
	assert_string_equal(buf_string(&found), buf_string(&whole.profile));
	assert_string_equal(b.md5, whole.md5);
	assert_int_equal(b.key.len, whole.key.len);
	assert_memory_equal(b.key.data, whole.key.data, b.key.len);
	profile[0] ^= 1;
	assert_fails(db_profile_get(db, profile, &found, &f->e), f->e, ERR_INTEGRITY, "expected one that a generation");
	buf_release(&found);
	db_bundle_release(&b);
	db_bundle_release(&whole);
}

/* Yesterday's URL gives yesterday's parts, the offer today's, and no phone another one's. */
static void
bundles_by_number_md5_and_offer(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_offer offer = { one, 2 };
	char md5[DB_MD5_SIZE];
	struct db_bundle b;
	struct db_phone p;

	assert_int_equal(generation_new(f, db, one, MAC_1, 1), 1);
	assert_int_equal(generation_new(f, db, one, MAC_1, 2), 2);
	assert_int_equal(generation_new(f, db, two, MAC_2, 3), 1);
	assert_fails(db_bundle_get(db, MAC_1, 0, NULL, &b, &f->e), f->e, ERR_NOT_FOUND, "no generation is offered");
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_bundle(f, db, 1, NULL, 1);
	assert_bundle(f, db, 2, NULL, 2);
	assert_bundle(f, db, 0, NULL, 2);
	for (unsigned int n = 1; n <= 2; n++) {
		md5_of(n, md5);
		assert_bundle(f, db, 0, md5, n);
	}
	md5_of(3, md5);
	assert_fails(db_bundle_get(db, MAC_1, 0, md5, &b, &f->e), f->e, ERR_NOT_FOUND, "no bundle in force with md5");
	assert_fails(db_bundle_get(db, MAC_1, 0, "' OR 1 --", &b, &f->e), f->e, ERR_NOT_FOUND, "no bundle in force");
	assert_fails(db_bundle_get(db, MAC_1, 0, "", &b, &f->e), f->e, ERR_NOT_FOUND, "no bundle in force");
	assert_fails(db_bundle_get(db, MAC_1, 3, NULL, &b, &f->e), f->e, ERR_NOT_FOUND, "no generation 3");
	assert_fails(db_bundle_get(db, "0004f2000009", 1, NULL, &b, &f->e), f->e, ERR_NOT_FOUND, "0004f2000009");
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	md5_of(2, md5);
	assert_string_equal(p.offered_md5, md5);
	assert_string_equal(p.profile, PROFILE);
	assert_served(f, db, &p, 2);
	assert_int_equal(p.serial[19], 2);
	assert_int_equal(p.newest, 2);
	assert_int_equal(p.offered, 2);
	assert_int_equal(p.authority, 1);
	assert_int_equal(p.not_after, NOT_AFTER);
	assert_true(p.offered_created > 0);
	db_close(db);
	assert_sound(f);
}

/* A revoked key must not be fetched any more, not by yesterday's URL either. */
static void
revoked_bundle_is_not_found_by_md5(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1);
	struct db_offer offer = { one, 1 };
	unsigned char serials[1][DB_SERIAL_SIZE];
	char md5[DB_MD5_SIZE];
	struct db_bundle b;
	struct db_crl crl;

	(void)generation_new(f, db, one, MAC_1, 1);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	serial_of(1, serials[0]);
	crl_of(&crl, 2);
	assert_ok(db_revoke(db, 1, serials, 1, 1700000000, 1, &crl, &f->e), f->e);
	buf_release(&crl.der);
	md5_of(1, md5);
	assert_fails(db_bundle_get(db, MAC_1, 0, md5, &b, &f->e), f->e, ERR_NOT_FOUND, "no bundle in force with md5");
	assert_fails(db_generation_offer(db, &offer, 1, &f->e), f->e, ERR_CONFLICT, "its certificate is revoked");
	assert_fails(generation_make(db, one, MAC_1, 1, false, NULL, &f->e), f->e, ERR_CONFLICT, "cannot serve again");
	db_close(db);
}

/* A key sealed for another serial must not be rendered into this phone's bundle. */
static void
bundle_with_an_exchanged_key_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1);
	struct db_bundle b;

	(void)generation_new(f, db, one, MAC_1, 1);
	(void)generation_new(f, db, one, MAC_1, 2);
	assert_sqlite(f,
	    "CREATE TEMP TABLE old AS SELECT id, sealed_key FROM certificates WHERE kind = 'phone';"
	    "UPDATE certificates SET sealed_key = (SELECT old.sealed_key FROM old WHERE old.id <> certificates.id) "
	    "WHERE kind = 'phone'",
	    "");
	assert_fails(db_bundle_get(db, MAC_1, 1, NULL, &b, &f->e), f->e, ERR_INTEGRITY,
	    "00000001: certificates.sealed_key");
	assert_fails(db_bundle_get(db, MAC_1, 2, NULL, &b, &f->e), f->e, ERR_INTEGRITY,
	    "00000002: certificates.sealed_key");
	db_close(db);
}

/* A batch with one bad generation leaves no certificate behind that no phone has. */
static void
commit_is_all_or_none(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_generation_new g[2];
	struct db_certificate_new c[2];
	struct buf der;

	(void)generation_new(f, db, one, MAC_1, 1);
	bytes_of(&der, "der", 0);
	for (unsigned int i = 0; i < 2; i++) {
		c[i] = (struct db_certificate_new){ .cert = &der, .key = &der, .not_after = NOT_AFTER };
		serial_of(10 + i, c[i].serial);
		g[i] = (struct db_generation_new){ .phone = i == 0 ? one : two,
			.mac = MAC_1,
			.certificate = &c[i],
			.authority = 1,
			.profile = PROFILE,
			.size = 1 };
		md5_of(10 + i, g[i].md5);
	}
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_NOT_FOUND,
	    "expected MAC " MAC_1 ", found " MAC_2);
	assert_int_equal(g[0].ret_number, 0);
	(void)snprintf(g[1].mac, sizeof(g[1].mac), MAC_2);
	memcpy(c[1].serial, c[0].serial, DB_SERIAL_SIZE);
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_CONFLICT,
	    "0000000a: this serial is in the database");
	serial_of(11, c[1].serial);
	(void)snprintf(g[1].profile, sizeof(g[1].profile), PROFILE_2);
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_NOT_FOUND, "profile " PROFILE_2 ": not in the");
	(void)snprintf(g[1].profile, sizeof(g[1].profile), "short");
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_INPUT, "profile short: expected a SHA-256");
	(void)snprintf(g[1].profile, sizeof(g[1].profile), PROFILE);
	g[1].authority = 5;
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_NOT_FOUND, "CA 5: not in the database");
	g[1].authority = 1;
	g[1].md5[0] = 'X';
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_INPUT, "md5 and size");
	g[1].md5[0] = '0';
	g[1].phone = 99;
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_NOT_FOUND, "id 99");
	g[1].phone = two;
	c[1].not_after = 0;
	assert_fails(db_generation_commit(db, g, 2, &f->e), f->e, ERR_INPUT, "notAfter behind notBefore");
	c[1].not_after = NOT_AFTER;
	assert_sqlite(f, "SELECT count(*) FROM certificates", "2");
	assert_sqlite(f, "SELECT count(*) FROM generations", "1");
	assert_ok(db_generation_commit(db, g, 2, &f->e), f->e);
	assert_int_equal(g[0].ret_number, 2);
	assert_int_equal(g[1].ret_number, 1);
	buf_release(&der);
	db_close(db);
	assert_sound(f);
}

/* An unfit number in a batch of offers offers none of it; the same offer twice is one event. */
static void
offer_is_all_or_none(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_offer offers[2] = { { one, 1 }, { two, 2 } };
	struct db_phone p;

	(void)generation_new(f, db, one, MAC_1, 1);
	(void)generation_new(f, db, two, MAC_2, 2);
	assert_fails(db_generation_offer(db, offers, 2, &f->e), f->e, ERR_NOT_FOUND, "no generation 2");
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.offered, 0);
	offers[1].number = 1;
	assert_ok(db_generation_offer(db, offers, 2, &f->e), f->e);
	assert_ok(db_generation_offer(db, offers, 2, &f->e), f->e);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'generation.offer'", "2");
	db_close(db);
}

static int
list_generation(const struct db_generation *g, void *arg, struct err *e)
{
	(void)e;
	buf_addf(arg, "%lld:%d:%s%s ", (long long)g->number, g->serial[19], g->md5 + 30, g->offered ? ":offered" : "");
	return 0;
}

/* A new profile on the old certificate is a generation of its own, with its own bytes. */
static void
generations_are_listed_oldest_first(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_generation_new g = { .phone = one, .mac = MAC_1, .profile = PROFILE_2, .size = 7 };
	struct db_offer offer = { one, 2 };
	struct buf out = BUF_INIT(1000);
	struct db_bundle b;

	(void)generation_new(f, db, one, MAC_1, 1);
	assert_fails(db_profile_put(db, "none", "x", 1, &f->e), f->e, ERR_INPUT, "expected a SHA-256");
	assert_ok(db_profile_put(db, PROFILE_2, "other", 5, &f->e), f->e);
	assert_ok(db_profile_put(db, PROFILE_2, "other", 5, &f->e), f->e);
	assert_fails(db_profile_put(db, PROFILE_2, "forged", 6, &f->e), f->e, ERR_INTEGRITY, "another text");
	serial_of(1, g.serial);
	md5_of(2, g.md5);
	assert_ok(db_generation_commit(db, &g, 1, &f->e), f->e);
	assert_int_equal(g.ret_number, 2);
	assert_ok(db_bundle_get(db, MAC_1, 2, NULL, &b, &f->e), f->e);
	assert_string_equal(buf_string(&b.profile), "other");
	assert_string_equal(buf_string(&b.cert), "phone certificate 1");
	db_bundle_release(&b);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	assert_ok(db_generation_each(db, one, list_generation, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), "1:1:01 2:1:02:offered ");
	buf_clear(&out);
	assert_ok(db_generation_each(db, two, list_generation, &out, &f->e), f->e);
	assert_int_equal(out.len, 0);
	/* Another phone's certificate is not this one's to use. */
	g.phone = two;
	(void)snprintf(g.mac, sizeof(g.mac), MAC_2);
	assert_fails(db_generation_commit(db, &g, 1, &f->e), f->e, ERR_NOT_FOUND,
	    "phone " MAC_2 ": certificate 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a00000001: this phone has no such");
	serial_of(0, g.serial);
	assert_fails(db_generation_commit(db, &g, 1, &f->e), f->e, ERR_NOT_FOUND, "this phone has no such");
	buf_release(&out);
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'profile.put'", "2");
	assert_sound(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bundles_by_number_md5_and_offer),
		TEST(revoked_bundle_is_not_found_by_md5),
		TEST(bundle_with_an_exchanged_key_is_noticed),
		TEST(commit_is_all_or_none),
		TEST(offer_is_all_or_none),
		TEST(generations_are_listed_oldest_first),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
