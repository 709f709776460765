/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

/* Keys that wait for their phones: no two phones may get one, and nobody may read one. */

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"

static const struct db_key_kind native = { 2048, "native" }, library = { 2048, "library" }, large = { 3072, "native" };

static void
fill(struct fixture *f, struct db *db, const struct db_key_kind *kind, unsigned int first, size_t count)
{
	struct buf keys[8] = { 0 };

	for (size_t i = 0; i < count; i++)
		bytes_of(&keys[i], CLEAR_PHONE_KEY, first + (unsigned int)i);
	assert_ok(db_key_pool_add(db, kind, keys, count, &f->e), f->e);
	for (size_t i = 0; i < count; i++)
		buf_release(&keys[i]);
}

static void
assert_count(struct fixture *f, struct db *db, const struct db_key_kind *kind, size_t expected)
{
	size_t count = 99;

	assert_ok(db_key_pool_count(db, kind, &count, &f->e), f->e);
	assert_int_equal(count, expected);
}

/* expected 0: there is none. */
static int64_t
assert_next(struct fixture *f, struct db *db, const struct db_key_kind *kind, int64_t after, unsigned int expected)
{
	struct buf key = BUF_INIT(DB_DER_MAX), wanted;
	int64_t id = -1;

	assert_ok(db_key_pool_next(db, kind, after, &id, &key, &f->e), f->e);
	if (expected == 0) {
		assert_int_equal(id, 0);
		assert_int_equal(key.len, 0);
		return 0;
	}
	bytes_of(&wanted, CLEAR_PHONE_KEY, expected);
	assert_string_equal(buf_string(&key), buf_string(&wanted));
	buf_release(&key);
	buf_release(&wanted);
	return id;
}

static int
commit(struct db *db, int64_t phone, const char *mac, unsigned int n, int64_t pool_key, struct err *e)
{
	struct buf cert, key;
	struct db_certificate_new c = { .cert = &cert, .key = &key, .not_after = NOT_AFTER };
	struct db_generation_new g = {
		.phone = phone, .certificate = &c, .authority = 1, .size = 1000, .pool_key = pool_key
	};
	int rc;

	bytes_of(&cert, "certificate", n);
	bytes_of(&key, CLEAR_PHONE_KEY, n);
	serial_of(n, c.serial);
	md5_of(n, g.md5);
	(void)snprintf(g.mac, sizeof(g.mac), "%s", mac);
	(void)snprintf(g.profile, sizeof(g.profile), "%s", PROFILE);
	rc = db_profile_put(db, PROFILE, "profile text", 12, e);
	if (rc == 0)
		rc = db_generation_commit(db, &g, 1, e);
	buf_release(&cert);
	buf_release(&key);
	return rc;
}

static void
keys_come_in_order_and_by_kind(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id;

	assert_next(f, db, &native, 0, 0);
	fill(f, db, &native, 1, 2);
	fill(f, db, &library, 3, 1);
	fill(f, db, &large, 4, 1);
	fill(f, db, &native, 5, 1);
	assert_count(f, db, &native, 3);
	assert_count(f, db, &library, 1);
	assert_count(f, db, &large, 1);
	id = assert_next(f, db, &native, 0, 1);
	id = assert_next(f, db, &native, id, 2);
	id = assert_next(f, db, &native, id, 5);
	assert_next(f, db, &native, id, 0);
	assert_next(f, db, &library, 0, 3);
	db_close(db);
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'keypool.fill' ORDER BY id LIMIT 1",
	    "2 keys of 2048 bits (native)");
	assert_sound(f);
}

/* Two phones with one key could read each other's calls. */
static void
key_leaves_once(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2), id;

	fill(f, db, &native, 1, 1);
	id = assert_next(f, db, &native, 0, 1);
	assert_ok(commit(db, one, MAC_1, 1, id, &f->e), f->e);
	assert_count(f, db, &native, 0);
	assert_fails(commit(db, two, MAC_2, 2, id, &f->e), f->e, ERR_CONFLICT,
	    "phone 0004f2000002: key 1 of the pool: taken already");
	assert_sqlite(f, "SELECT count(*) FROM generations", "1");
	/* Its number is not given to another key, either. */
	fill(f, db, &native, 3, 1);
	assert_true(assert_next(f, db, &native, 0, 3) > id);
	db_close(db);
	assert_sound(f);
}

/* What fails is undone as a whole: the key waits on. */
static void
key_stays_when_its_certificate_is_not_stored(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), id;

	fill(f, db, &native, 1, 1);
	id = assert_next(f, db, &native, 0, 1);
	assert_fails(commit(db, one, MAC_2, 1, id, &f->e), f->e, ERR_NOT_FOUND, "expected MAC");
	assert_next(f, db, &native, 0, 1);
	db_close(db);
}

static void
keys_are_sealed_to_their_place(void **state)
{
	struct fixture *f = *state;
	struct buf out = BUF_INIT(4096), key = BUF_INIT(DB_DER_MAX);
	struct db *db = writer_open(f);
	int64_t id;

	fill(f, db, &native, 1, 2);
	db_close(db);
	support_shell(&out, NULL, "! grep -rl '" CLEAR_PHONE_KEY "' '%s'", f->dir);
	assert_int_equal(out.len, 0);
	assert_sqlite(f, "UPDATE key_pool SET sealed_key = (SELECT k.sealed_key FROM key_pool AS k WHERE k.id = 2)",
	    "");
	db = writer_open(f);
	assert_fails(db_key_pool_next(db, &native, 0, &id, &key, &f->e), f->e, ERR_INTEGRITY,
	    "key 1 of the pool ('phonevpn keypool clear' forgets them all): key_pool.sealed_key: expected a value sealed");
	assert_int_equal(key.len, 0);
	db_close(db);
	buf_release(&key);
	buf_release(&out);
}

/* One that does not open any more must not be in the way of every mint. */
static void
pool_can_be_cleared(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	size_t count = 0;

	fill(f, db, &native, 1, 2);
	fill(f, db, &large, 3, 1);
	assert_ok(db_key_pool_clear(db, &count, &f->e), f->e);
	assert_int_equal(count, 3);
	assert_next(f, db, &native, 0, 0);
	fill(f, db, &native, 4, 1);
	assert_int_equal(assert_next(f, db, &native, 0, 4), 4);
	db_close(db);
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'keypool.clear'", "3 keys");
}

/* A folder of before there was a pool opens, with an empty one. */
static void
state_of_version_2(void **state)
{
	struct fixture *f = *state;
	struct db *db;

	assert_sqlite(f, SCHEMA_3 "DROP TABLE key_pool; PRAGMA user_version = 2", "");
	db = writer_open(f);
	assert_count(f, db, &native, 0);
	fill(f, db, &native, 1, 1);
	assert_next(f, db, &native, 0, 1);
	db_close(db);
	assert_sound(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_come_in_order_and_by_kind),
		TEST(key_leaves_once),
		TEST(key_stays_when_its_certificate_is_not_stored),
		TEST(keys_are_sealed_to_their_place),
		TEST(pool_can_be_cleared),
		TEST(state_of_version_2),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
