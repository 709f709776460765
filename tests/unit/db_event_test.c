/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#define MAC_1 "0004f2000001"

/* Triggers hold honest programs back; who tampers takes them away first. */
#define WITHOUT_TRIGGERS \
	"DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete; DROP TRIGGER events_no_replace; "

static int
verify(struct fixture *f, size_t *ret_count)
{
	struct db *db = reader_open(f);
	int rc = db_event_verify(db, ret_count, &f->e);

	db_close(db);
	return rc;
}

/* The chain is the one that db/chain.h describes: computed again by the sqlite3 and openssl programs. */
static void
chain_agrees_with_other_programs(void **state)
{
	struct fixture *f = *state;
	struct buf before = BUF_INIT(8192);
	char bytes[4096], stored[128];
	size_t count;

	assert_ok(verify(f, &count), f->e);
	assert_true(count >= 3);
	buf_addf(&before, "%064d", 0);
	for (size_t i = 1; i <= count; i++) {
		struct buf statement = BUF_INIT(2000), input = BUF_INIT(4096), out = BUF_INIT(1000);
		unsigned char raw[2048];

		buf_addf(&statement, "SELECT printf('%%016x%%016x', id, at)");
		for (size_t n = 0; n < 4; n++) {
			static const char *const names[] = { "actor", "action", "subject", "detail" };

			buf_addf(&statement, " || printf('%%016x', length(CAST(%s AS BLOB))) || hex(%s)", names[n],
			    names[n]);
		}
		buf_addf(&statement, " FROM events WHERE id = %zu", i);
		ask_sqlite(f, bytes, sizeof(bytes), buf_string(&statement));
		buf_addf(&before, "%s", bytes);
		assert_ok(buf_check(&before, "event", &f->e), f->e);
		assert_true(text_unhex(buf_string(&before), raw, before.len / 2));
		buf_add(&input, raw, before.len / 2);
		support_shell(&out, &input, "openssl dgst -sha256 -r");
		buf_clear(&statement);
		buf_addf(&statement, "SELECT lower(hex(hash)) FROM events WHERE id = %zu", i);
		ask_sqlite(f, stored, sizeof(stored), buf_string(&statement));
		assert_memory_equal(buf_string(&out), stored, 64);
		buf_clear(&before);
		buf_add_string(&before, stored);
		buf_release(&statement);
		buf_release(&input);
		buf_release(&out);
	}
	buf_release(&before);
}

/* Who did what: the log names the actor, and the database refuses to rewrite it. */
static void
log_is_append_only(void **state)
{
	static const char *const attempts[] = { "DELETE FROM events", "DELETE FROM events WHERE id = 1",
		"UPDATE events SET actor = 'nobody'",
		"INSERT OR REPLACE INTO events SELECT * FROM events WHERE id = 1" };
	struct fixture *f = *state;
	size_t count;

	assert_sqlite(f, "SELECT DISTINCT actor FROM events", "tester: unit test");
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct buf out = BUF_INIT(1000);

		support_shell(&out, NULL, "sqlite3 '%s/phonevpn.db' \"%s\" 2>&1; :", f->dir, attempts[i]);
		assert_non_null(strstr(buf_string(&out), "events are only appended"));
		buf_release(&out);
	}
	assert_ok(verify(f, &count), f->e);
}

/* Each way to touch the log by hand is found, and the first row that does not fit is named. */
static void
tampering_shows(void **state)
{
	static const struct {
		const char *statement, *found;
	} attempts[] = {
		{ "UPDATE events SET detail = detail || ' ' WHERE id = 4", "event 4: expected the hash" },
		{ "UPDATE events SET at = at + 1 WHERE id = 2", "event 2: expected the hash" },
		{ "UPDATE events SET actor = 'tester: unit testp', action = substr(action, 2) WHERE action LIKE 'p%'",
		    "event 4: expected the hash" },
		{ "UPDATE events SET subject = subject || char(0) || 'x' WHERE id = 4",
		    "event 4: expected text, found a NUL" },
		{ "UPDATE events SET hash = zeroblob(32) WHERE id = 3", "event 3: expected the hash" },
		{ "DELETE FROM events WHERE id = 1", "expected event 1, found 2" },
		{ "DELETE FROM events WHERE id = 3", "expected event 3, found 4" },
		{ "DELETE FROM events WHERE id = 5", "expected 5 events, found 4: its end was changed" },
		{ "DELETE FROM events", "expected 5 events, found 0" },
		{ "INSERT INTO events SELECT 6, at, actor, action, subject, detail, hash FROM events WHERE id = 5",
		    "event 6: expected the hash" },
		{ "UPDATE events SET id = id + 10 WHERE id > 3", "expected event 4, found 14" },
		{ "UPDATE settings SET value = (SELECT value FROM settings WHERE name = '.nonce_key') WHERE name = "
		  "'.event_head'",
		    "settings.value" },
	};
	struct fixture *f = *state;
	struct buf out = BUF_INIT(1000);
	struct db *db = writer_open(f);
	size_t count;

	(void)phone_make(f, db, MAC_1);
	(void)phone_make(f, db, "0004f2000002");
	db_close(db);
	assert_ok(verify(f, &count), f->e);
	assert_int_equal(count, 5);
	support_shell(&out, NULL, "cp '%s/phonevpn.db' '%s/good.db'", f->dir, f->folder);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		char statement[1024];

		(void)snprintf(statement, sizeof(statement), "%s%s", WITHOUT_TRIGGERS, attempts[i].statement);
		assert_sqlite(f, statement, "");
		assert_fails(verify(f, &count), f->e, ERR_INTEGRITY, attempts[i].found);
		support_shell(&out, NULL, "cp '%s/good.db' '%s/phonevpn.db'", f->folder, f->dir);
		assert_ok(verify(f, &count), f->e);
	}
	buf_release(&out);
}

/* A log whose end was cut off still takes new events, and goes on telling of the cut. */
static void
cut_log_does_not_stop_the_work(void **state)
{
	struct fixture *f = *state;
	struct db *db;
	size_t count;

	assert_sqlite(f, WITHOUT_TRIGGERS "DELETE FROM events WHERE id = 3", "");
	db = writer_open(f);
	(void)phone_make(f, db, MAC_1);
	db_close(db);
	assert_fails(verify(f, &count), f->e, ERR_INTEGRITY, "expected event 3, found 4");
}

struct seen {
	struct buf text;
	struct db *db;
};

static int
list_event(const struct db_event *event, void *arg, struct err *e)
{
	struct seen *s = arg;

	buf_addf(&s->text, "%lld:%s:%s ", (long long)event->id, event->action, event->subject);
	if (s->db != NULL) {
		struct db_setting change = { "url", buf_string(&s->text) };

		return db_setting_set(s->db, &change, 1, e);
	}
	return 0;
}

static void
assert_events(struct fixture *f, struct db *db, const char *subject, size_t limit, const char *expected)
{
	struct seen s = { .text = BUF_INIT(1 << 16) };

	assert_ok(db_event_each(db, subject, limit, list_event, &s, &f->e), f->e);
	assert_string_equal(buf_string(&s.text), expected);
	buf_release(&s.text);
}

/* A phone's history is its own, the newest part of it, oldest first. */
static void
history_of_one_phone(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t phone = phone_make(f, db, MAC_1);
	struct seen s = { .text = BUF_INIT(1 << 16), .db = db };

	(void)phone_make(f, db, "0004f2000002");
	(void)generation_new(f, db, phone, MAC_1, 1);
	assert_events(f, db, MAC_1, 0, "4:phone.add:" MAC_1 " 7:generation.commit:" MAC_1 " ");
	assert_events(f, db, MAC_1, 1, "7:generation.commit:" MAC_1 " ");
	assert_events(f, db, MAC_1, 100, "4:phone.add:" MAC_1 " 7:generation.commit:" MAC_1 " ");
	assert_events(f, db, NULL, 2, "6:profile.put:" PROFILE " 7:generation.commit:" MAC_1 " ");
	assert_events(f, db, "nobody", 0, "");
	assert_events(f, db, "nobody", 3, "");
	assert_events(f, db, NULL, 0,
	    "1:state.create: 2:authority.add:Test CA 1 3:certificate.issue:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a00000000 "
	    "4:phone.add:" MAC_1 " 5:phone.add:0004f2000002 6:profile.put:" PROFILE " 7:generation.commit:" MAC_1 " ");
	/* A callback that causes events does not run for ever. */
	assert_ok(db_event_each(db, NULL, 0, list_event, &s, &f->e), f->e);
	assert_sqlite(f, "SELECT count(*) FROM events", "14");
	buf_release(&s.text);
	db_close(db);
}

/* Longer than one piece of reading. */
static void
long_history(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_setting settings[1200];
	struct seen s = { .text = BUF_INIT(1 << 20) };
	size_t count, spaces = 0;

	for (size_t i = 0; i < 1200; i++)
		settings[i] = (struct db_setting){ "url", i % 2 == 0 ? "a" : "b" };
	assert_ok(db_setting_set(db, settings, 1200, &f->e), f->e);
	db_close(db);
	db = reader_open(f);
	assert_ok(db_event_verify(db, &count, &f->e), f->e);
	assert_int_equal(count, 1203);
	assert_ok(db_event_each(db, "url", 1100, list_event, &s, &f->e), f->e);
	for (const char *p = buf_string(&s.text); *p != '\0'; p++)
		spaces += *p == ' ';
	assert_int_equal(spaces, 1100);
	assert_memory_equal(buf_string(&s.text), "104:", 4);
	buf_release(&s.text);
	db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chain_agrees_with_other_programs),
		TEST(log_is_append_only),
		TEST(tampering_shows),
		TEST(cut_log_does_not_stop_the_work),
		TEST(history_of_one_phone),
		TEST(long_history),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
