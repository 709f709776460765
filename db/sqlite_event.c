/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is sealed as the log's end: the last row's id and hash. */
#define HEAD_SIZE (8 + CHAIN_HASH_SIZE)

static int
head_read(struct db *db, int64_t *ret_id, unsigned char ret_hash[CHAIN_HASH_SIZE], struct err *e)
{
	unsigned char head[HEAD_SIZE];

	if (setting_get_sealed(db, SETTING_EVENT_HEAD, head, sizeof(head), e) != 0)
		return -1;
	*ret_id = chain_get_number(head);
	memcpy(ret_hash, head + 8, CHAIN_HASH_SIZE);
	return 0;
}

static int
last_id(struct db *db, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_EVENT_LAST, e);
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
head_load(struct db *db, struct err *e)
{
	if (db->head_known)
		return 0;
	if (head_read(db, &db->head_id, db->head, e) != 0 || last_id(db, &db->last_id, e) != 0)
		return -1;
	db->head_known = true;
	return 0;
}

int
event_append(struct db *db, struct err *e, const char *action, const char *subject, const char *fmt, ...)
{
	unsigned char hash[CHAIN_HASH_SIZE];
	struct db_event event;
	char *detail = NULL;
	va_list ap;
	int rc = -1;

	va_start(ap, fmt);
	rc = vasprintf(&detail, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return err_set(e, ERR_FAILED, "event: no memory");
	rc = -1;
	if (head_load(db, e) != 0)
		goto out;
	/* Forged rows behind the end do not keep us from working: db_event_verify() tells of them. */
	event = (struct db_event){
		.id = (db->last_id > db->head_id ? db->last_id : db->head_id) + 1,
		.when = time(NULL),
		.actor = db->actor,
		.action = action,
		.subject = subject,
		.detail = detail,
	};
	if (chain_hash(db->head, &event, hash, e) != 0 ||
	    sql_run(db, SQL_EVENT_ADD, e, SQL_INT(event.id), SQL_INT(event.when), SQL_TEXT(event.actor),
		SQL_TEXT(event.action), SQL_TEXT(event.subject), SQL_TEXT(event.detail),
		SQL_BLOB(hash, sizeof(hash))) != 0)
		goto out;
	db->head_id = db->last_id = event.id;
	memcpy(db->head, hash, sizeof(hash));
	db->head_changed = true;
	rc = 0;
out:
	free(detail);
	return rc;
}

int
event_head_store(struct db *db, struct err *e)
{
	unsigned char head[HEAD_SIZE];

	if (!db->head_changed)
		return 0;
	chain_put_number(head, db->head_id);
	memcpy(head + 8, db->head, CHAIN_HASH_SIZE);
	return setting_put_sealed(db, SETTING_EVENT_HEAD, head, sizeof(head), e);
}

/* ---- listing ---- */

struct event_row {
	struct db_event event;
	char *text; /* all four strings */
};

struct event_list {
	const char *subject;
	int64_t after, last;
	int (*each)(const struct db_event *event, void *arg, struct err *e);
	void *arg;
};

static const char *
column_string(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text != NULL ? (const char *)text : "";
}

/* The strings are SQLite's until the next step. */
static struct db_event
event_read(sqlite3_stmt *st)
{
	return (struct db_event){
		.id = sqlite3_column_int64(st, 0),
		.when = sqlite3_column_int64(st, 1),
		.actor = column_string(st, 2),
		.action = column_string(st, 3),
		.subject = column_string(st, 4),
		.detail = column_string(st, 5),
	};
}

static const char *
string_put(char **to, const char *s)
{
	const size_t size = strlen(s) + 1;
	const char *copy = memcpy(*to, s, size);

	*to += size;
	return copy;
}

static int
event_copy(const struct db_event *event, struct event_row *ret, struct err *e)
{
	char *to = malloc(strlen(event->actor) + strlen(event->action) + strlen(event->subject) +
			  strlen(event->detail) + 4);

	if (to == NULL)
		return err_set(e, ERR_FAILED, "event: no memory");
	ret->event = *event;
	ret->text = to;
	ret->event.actor = string_put(&to, event->actor);
	ret->event.action = string_put(&to, event->action);
	ret->event.subject = string_put(&to, event->subject);
	ret->event.detail = string_put(&to, event->detail);
	return 0;
}

static int
event_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct event_list *list = state;
	struct event_row *row = rows;
	sqlite3_stmt *st;
	int rc;

	if (list->subject != NULL)
		st = sql_start(db, SQL_EVENT_PAGE_BY_SUBJECT, e, SQL_INT(list->after), SQL_INT(list->last),
		    SQL_INT(SQL_PAGE), SQL_TEXT(list->subject));
	else
		st = sql_start(db, SQL_EVENT_PAGE, e, SQL_INT(list->after), SQL_INT(list->last), SQL_INT(SQL_PAGE));
	while ((rc = sql_step(db, st, e)) > 0) {
		const struct db_event event = event_read(st);

		rc = event_copy(&event, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = event.id;
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
event_call(void *state, const void *row, struct err *e)
{
	const struct event_list *list = state;

	return list->each(&((const struct event_row *)row)->event, list->arg, e);
}

static void
event_release(void *row)
{
	free(((struct event_row *)row)->text);
}

/* Listing begins behind *ret_after. */
static int
event_start(struct db *db, const char *subject, size_t limit, int64_t *ret_after, struct err *e)
{
	const enum sql which = subject != NULL ? SQL_EVENT_START_BY_SUBJECT : SQL_EVENT_START;
	const int64_t rows = limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
	sqlite3_stmt *st;
	int rc;

	*ret_after = 0;
	if (limit == 0)
		return 0;
	if (subject != NULL)
		st = sql_start(db, which, e, SQL_INT(rows), SQL_TEXT(subject));
	else
		st = sql_start(db, which, e, SQL_INT(rows));
	rc = sql_step(db, st, e);
	if (rc > 0)
		*ret_after = sqlite3_column_int64(st, 0) - 1;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
db_event_each(struct db *db, const char *subject, size_t limit,
    int (*each)(const struct db_event *event, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct event_row), event_fetch, event_call, event_release };
	struct event_list list = { .subject = subject, .each = each, .arg = arg };

	/* What a callback appends is not listed. */
	if (last_id(db, &list.last, e) != 0 || event_start(db, subject, limit, &list.after, e) != 0)
		return -1;
	return sql_pages_each(db, &pages, &list, e);
}

/* ---- the chain ---- */

static int
event_check(struct db *db, sqlite3_stmt *st, int64_t expected_id, unsigned char hash[CHAIN_HASH_SIZE], struct err *e)
{
	const struct db_event event = event_read(st);
	unsigned char stored[CHAIN_HASH_SIZE], before[CHAIN_HASH_SIZE];

	if (event.id != expected_id)
		return err_set(e, ERR_INTEGRITY, "event log: expected event %lld, found %lld: rows are missing",
		    (long long)expected_id, (long long)event.id);
	/* Text behind a NUL would not be hashed. */
	for (int i = 2; i < 6; i++) {
		if (strlen(column_string(st, i)) != (size_t)sqlite3_column_bytes(st, i))
			return err_set(e, ERR_INTEGRITY, "event %lld: expected text, found a NUL byte in it",
			    (long long)event.id);
	}
	memcpy(before, hash, sizeof(before));
	if (sql_column_bytes(db, st, 6, stored, sizeof(stored), e) != 0 || chain_hash(before, &event, hash, e) != 0)
		return -1;
	if (memcmp(stored, hash, sizeof(stored)) != 0)
		return err_set(e, ERR_INTEGRITY,
		    "event %lld: expected the hash of itself and the events before it, found another: the log was changed",
		    (long long)event.id);
	return 0;
}

static int
chain_walk(struct db *db, int64_t *ret_count, unsigned char hash[CHAIN_HASH_SIZE], struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_EVENT_ALL, e);
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		rc = event_check(db, st, *ret_count + 1, hash, e);
		if (rc != 0)
			break;
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

int
db_event_verify(struct db *db, size_t *ret_count, struct err *e)
{
	unsigned char hash[CHAIN_HASH_SIZE] = { 0 }, head[CHAIN_HASH_SIZE];
	int64_t count, head_id;
	int rc = -1;

	/* Rows and end of one moment. */
	if (db_read_begin(db, e) != 0)
		return -1;
	if (chain_walk(db, &count, hash, e) != 0 || head_read(db, &head_id, head, e) != 0)
		goto out;
	if (head_id != count || memcmp(head, hash, sizeof(head)) != 0) {
		err_set(e, ERR_INTEGRITY, "event log: expected %lld events, found %lld: its end was changed",
		    (long long)head_id, (long long)count);
		goto out;
	}
	*ret_count = (size_t)count;
	rc = 0;
out:
	db_read_end(db);
	return rc;
}
