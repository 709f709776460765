/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"

static const struct db_phone_filter all = DB_ALL_PHONES;

static void
phone_fill(struct db_phone_new *n, const char *mac, const char *user)
{
	*n = (struct db_phone_new){ .http_password = CLEAR_PASSWORD };
	(void)snprintf(n->phone.mac, sizeof(n->phone.mac), "%s", mac);
	(void)snprintf(n->phone.model, sizeof(n->phone.model), "D65");
	(void)snprintf(n->phone.http_user, sizeof(n->phone.http_user), "%s", user);
}

static size_t
phone_count(struct fixture *f, struct db *db)
{
	size_t count;

	assert_ok(db_phone_count(db, &all, &count, &f->e), f->e);
	return count;
}

static void
assert_secret(struct fixture *f, struct db *db, int64_t id, const char *secret, const char *password)
{
	struct buf out = BUF_INIT(100);

	assert_ok(db_phone_secret(db, id, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), secret);
	buf_clear(&out);
	assert_ok(db_phone_http_password(db, id, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), password);
	buf_release(&out);
}

/* What an admin entered about a phone comes back, every field in its place. */
static void
phone_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new n = {
		.phone = {
			.mac = MAC_1, .model = "D80", .firmware = "2_9_22", .extension = "100", .label = "Zo\303\253, desk",
			.group = "sales", .http_user = "u1",
		},
		.secret = CLEAR_SECRET,
		.http_password = CLEAR_PASSWORD,
	};
	struct db_phone p;

	assert_ok(db_phone_add(db, &n, 1, &f->e), f->e);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_string_equal(p.mac, MAC_1);
	assert_string_equal(p.model, "D80");
	assert_string_equal(p.firmware, "2_9_22");
	assert_string_equal(p.extension, "100");
	assert_string_equal(p.label, "Zo\303\253, desk");
	assert_string_equal(p.group, "sales");
	assert_string_equal(p.http_user, "u1");
	assert_true(p.has_secret);
	assert_true(p.created > 0);
	assert_int_equal(p.newest, 0);
	assert_int_equal(p.offered, 0);
	assert_string_equal(p.offered_md5, "");
	assert_int_equal(p.authority, 0);
	assert_secret(f, db, p.id, CLEAR_SECRET, CLEAR_PASSWORD);
	assert_ok(db_phone_get_by_user(db, "u1", &p, &f->e), f->e);
	assert_string_equal(p.mac, MAC_1);
	assert_fails(db_phone_get(db, MAC_2, &p, &f->e), f->e, ERR_NOT_FOUND, "phone " MAC_2 ": not in the fleet");
	assert_fails(db_phone_get_by_user(db, "u\033[2J", &p, &f->e), f->e, ERR_NOT_FOUND, "HTTP user u?[2J: no phone");
	db_close(db);
	assert_sound(f);
}

/* An import with one phone that exists imports nothing, and says which. */
static void
add_is_all_or_none(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new n[3];

	phone_fill(&n[0], MAC_1, "u1");
	phone_fill(&n[1], MAC_2, "u2");
	phone_fill(&n[2], MAC_1, "u3");
	assert_fails(db_phone_add(db, n, 3, &f->e), f->e, ERR_CONFLICT, "phone " MAC_1 ": in the fleet already");
	phone_fill(&n[2], "0004f2000003", "u2");
	assert_fails(db_phone_add(db, n, 3, &f->e), f->e, ERR_CONFLICT,
	    "phone 0004f2000003: HTTP user u2 belongs to phone " MAC_2);
	phone_fill(&n[2], "0004F2000003", "u3");
	assert_fails(db_phone_add(db, n, 3, &f->e), f->e, ERR_INPUT, "12 lower-case hex digits");
	phone_fill(&n[2], "0004f2000003", "");
	assert_fails(db_phone_add(db, n, 3, &f->e), f->e, ERR_INPUT, "expected an HTTP user");
	phone_fill(&n[2], "0004f2000003", "u3");
	n[2].http_password = NULL;
	assert_fails(db_phone_add(db, n, 3, &f->e), f->e, ERR_INPUT, "expected an HTTP password");
	assert_int_equal(phone_count(f, db), 0);
	assert_ok(db_phone_add(db, n, 2, &f->e), f->e);
	assert_int_equal(phone_count(f, db), 2);
	assert_ok(db_phone_add(db, n, 0, &f->e), f->e);
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'phone.add'", "2");
}

/* A change changes what it names and nothing else; the log tells of it without the secret. */
static void
set_replaces_what_it_names(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t id = phone_make(f, db, MAC_1);
	struct db_phone p, q;

	(void)phone_make(f, db, MAC_2);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	(void)snprintf(p.firmware, sizeof(p.firmware), "2_9_22");
	(void)snprintf(p.group, sizeof(p.group), "sales");
	assert_ok(db_phone_set(db, &p, NULL, NULL, &f->e), f->e);
	assert_secret(f, db, id, CLEAR_SECRET, CLEAR_PASSWORD);
	assert_ok(db_phone_set(db, &p, NULL, "another", &f->e), f->e);
	assert_secret(f, db, id, CLEAR_SECRET, "another");
	assert_ok(db_phone_set(db, &p, "", NULL, &f->e), f->e);
	assert_secret(f, db, id, "", "another");
	assert_ok(db_phone_get(db, MAC_1, &q, &f->e), f->e);
	assert_string_equal(q.firmware, "2_9_22");
	assert_string_equal(q.group, "sales");
	assert_false(q.has_secret);
	assert_ok(db_phone_set(db, &p, "new-secret", NULL, &f->e), f->e);
	assert_secret(f, db, id, "new-secret", "another");
	assert_ok(db_phone_set(db, &p, NULL, NULL, &f->e), f->e);
	(void)snprintf(p.http_user, sizeof(p.http_user), "user-" MAC_2);
	assert_fails(db_phone_set(db, &p, "lost", NULL, &f->e), f->e, ERR_CONFLICT,
	    "HTTP user user-" MAC_2 " belongs to phone " MAC_2);
	assert_secret(f, db, id, "new-secret", "another");
	p.id = 99;
	assert_fails(db_phone_set(db, &p, NULL, NULL, &f->e), f->e, ERR_NOT_FOUND, "id 99");
	db_close(db);
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'phone.set' AND subject = '" MAC_1 "'",
	    "firmware \"\" to \"2_9_22\", group \"\" to \"sales\"\nHTTP password\nsecret taken away\nsecret");
}

/* Passwords that somebody exchanged in the database let nobody in. */
static void
exchanged_secrets_are_noticed(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct buf out = BUF_INIT(100);

	assert_sqlite(f,
	    "CREATE TEMP TABLE old AS SELECT id, sealed_http_password AS sealed FROM phones;"
	    "UPDATE phones SET sealed_http_password = (SELECT sealed FROM old WHERE old.id <> phones.id)",
	    "");
	assert_fails(db_phone_http_password(db, one, &out, &f->e), f->e, ERR_INTEGRITY, "phone " MAC_1);
	assert_fails(db_phone_http_password(db, two, &out, &f->e), f->e, ERR_INTEGRITY, "phone " MAC_2);
	assert_ok(db_phone_secret(db, one, &out, &f->e), f->e);
	buf_clear(&out);
	/* One column's value in another of the same row. */
	assert_sqlite(f, "UPDATE phones SET sealed_http_password = sealed_secret", "");
	assert_fails(db_phone_http_password(db, one, &out, &f->e), f->e, ERR_INTEGRITY, "phone " MAC_1);
	/* The rows' names exchanged instead. */
	assert_sqlite(f, "UPDATE phones SET mac = '0004f20000ff' WHERE id = 1", "");
	assert_fails(db_phone_secret(db, one, &out, &f->e), f->e, ERR_INTEGRITY, "phone 0004f20000ff");
	assert_int_equal(out.len, 0);
	assert_fails(db_phone_secret(db, 77, &out, &f->e), f->e, ERR_NOT_FOUND, "id 77");
	buf_release(&out);
	db_close(db);
}

struct walk {
	struct db *db;
	size_t count, stop;
	char last[DB_MAC_SIZE];
	bool change;
};

static int
walk_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct walk *w = arg;
	struct db_phone changed = *p;

	assert_true(strcmp(p->mac, w->last) > 0);
	memcpy(w->last, p->mac, sizeof(w->last));
	w->count++;
	if (w->count == w->stop)
		return err_set(e, ERR_CONFLICT, "stopped at %s", p->mac);
	if (!w->change)
		return 0;
	(void)snprintf(changed.label, sizeof(changed.label), "seen %zu", w->count);
	return db_phone_set(w->db, &changed, NULL, NULL, e);
}

/* Every phone of a large fleet is visited once, in order, also while the callback changes them. */
static void
each_visits_every_phone_once(void **state)
{
	enum { COUNT = 1300 };
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_phone_new *n = calloc(COUNT, sizeof(*n));
	struct db_phone_filter some = { .group = "even" };
	struct walk w = { .db = db, .change = true };
	char mac[DB_MAC_SIZE], user[32];
	size_t count;

	assert_non_null(n);
	for (unsigned int i = 0; i < COUNT; i++) {
		(void)snprintf(mac, sizeof(mac), "0004f2%06x", (i * 7919) % COUNT);
		(void)snprintf(user, sizeof(user), "u%u", i);
		phone_fill(&n[i], mac, user);
		(void)snprintf(n[i].phone.group, sizeof(n[i].phone.group), "%s", i % 2 == 0 ? "even" : "odd");
	}
	assert_ok(db_phone_add(db, n, COUNT, &f->e), f->e);
	free(n);
	assert_int_equal(phone_count(f, db), COUNT);
	assert_ok(db_phone_each(db, &some, walk_phone, &w, &f->e), f->e);
	assert_int_equal(w.count, COUNT / 2);
	assert_sqlite(f,
	    "SELECT count(*), count(DISTINCT label) FROM phones WHERE label LIKE 'seen %' AND grp = 'even'", "650|650");
	w = (struct walk){ .stop = 600 };
	assert_fails(db_phone_each(db, &all, walk_phone, &w, &f->e), f->e, ERR_CONFLICT, "stopped at");
	assert_int_equal(w.count, 600);
	db_close(db);
	db = reader_open(f);
	w = (struct walk){ .count = 0 };
	assert_ok(db_phone_each(db, &all, walk_phone, &w, &f->e), f->e);
	assert_int_equal(w.count, COUNT);
	some = (struct db_phone_filter){ .group = "odd", .model = "D65" };
	assert_ok(db_phone_count(db, &some, &count, &f->e), f->e);
	assert_int_equal(count, COUNT / 2);
	some.model = "D40";
	assert_ok(db_phone_count(db, &some, &count, &f->e), f->e);
	assert_int_equal(count, 0);
	assert_ok(db_phone_each(db, &some, walk_phone, &w, &f->e), f->e);
	assert_int_equal(w.count, COUNT);
	db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phone_comes_back_whole),
		TEST(add_is_all_or_none),
		TEST(set_replaces_what_it_names),
		TEST(exchanged_secrets_are_noticed),
		TEST(each_visits_every_phone_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
