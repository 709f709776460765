/* SPDX-License-Identifier: ISC */
#include "db/rollout.h"

#include "common/text.h"
#include "db/sqlite.h"

#include <string.h>
#include <time.h>

const char *
db_rollout_state_name(enum db_rollout_state state)
{
	static const char *const names[] = {
		[DB_ROLLOUT_DRAFT] = "draft",
		[DB_ROLLOUT_RUNNING] = "running",
		[DB_ROLLOUT_PAUSED] = "paused",
		[DB_ROLLOUT_DONE] = "done",
		[DB_ROLLOUT_ABORTED] = "aborted",
		[DB_ROLLOUT_ROLLED_BACK] = "rolled-back",
	};

	return names[state];
}

static int
rollout_read(struct db *db, sqlite3_stmt *st, struct db_rollout *ret, struct err *e)
{
	*ret = (struct db_rollout){
		.id = sqlite3_column_int64(st, 0),
		.created = sqlite3_column_int64(st, 2),
		.state = (enum db_rollout_state)sqlite3_column_int(st, 4),
		.stage = sqlite3_column_int(st, 6),
		.wave = sqlite3_column_int(st, 7),
		.good_since = sqlite3_column_int64(st, 8),
		.minute = sqlite3_column_int64(st, 9),
		.in_minute = sqlite3_column_int64(st, 10),
	};
	if (sql_column_text(db, st, 1, ret->name, sizeof(ret->name), e) != 0 ||
	    sql_column_text(db, st, 3, ret->plan, sizeof(ret->plan), e) != 0)
		return -1;
	return sql_column_text(db, st, 5, ret->why, sizeof(ret->why), e);
}

int
db_rollout_get(struct db *db, const char *name, struct db_rollout *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_GET, e, SQL_TEXT(name));
	char shown[DB_ROLLOUT_NAME_SIZE];
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND,
		    "rollout %s: there is none of this name; 'phonevpn rollout list' lists them",
		    text_printable(name, shown, sizeof(shown)));
	else if (rc > 0)
		rc = rollout_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
db_member_of(struct db *db, int64_t phone, struct db_rollout *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_OF_PHONE, e, SQL_INT(phone));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "phone with id %lld: in no rollout", (long long)phone);
	else if (rc > 0)
		rc = rollout_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

/* ---- listing ---- */

struct rollout_list {
	int64_t after;
	int (*each)(const struct db_rollout *r, void *arg, struct err *e);
	void *arg;
};

static int
page_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct rollout_list *list = state;
	struct db_rollout *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_PAGE, e, SQL_INT(list->after), SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		rc = rollout_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = row[(*ret_count)++].id;
	}
	sql_done(st);
	return rc;
}

static int
page_call(void *state, const void *row, struct err *e)
{
	const struct rollout_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_rollout_each(struct db *db, int (*each)(const struct db_rollout *r, void *arg, struct err *e), void *arg,
    struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_rollout), page_fetch, page_call, NULL };
	struct rollout_list list = { .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

int
db_rollout_tally(struct db *db, int64_t rollout, struct db_rollout_tally *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_TALLY, e, SQL_INT(rollout));
	int rc;

	*ret = (struct db_rollout_tally){ .waves = 0 };
	while ((rc = sql_step(db, st, e)) > 0) {
		int wave = sqlite3_column_int(st, 0), state = sqlite3_column_int(st, 1);
		size_t count = (size_t)sqlite3_column_int64(st, 2);

		if (wave > DB_WAVES_MAX) {
			rc = err_set(e, ERR_INTEGRITY, "rollout with id %lld: expected at most %d waves, found %d",
			    (long long)rollout, DB_WAVES_MAX, wave);
			break;
		}
		if (wave > ret->waves)
			ret->waves = wave;
		ret->phones[wave][state] = count;
		ret->phones[0][state] += count;
	}
	sql_done(st);
	return rc;
}

int
db_rollout_pace(struct db *db, int64_t rollout, time_t late_before, time_t ready_before, struct db_rollout_pace *ret,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_PACE, e, SQL_INT(rollout), SQL_INT(late_before),
	    SQL_INT(ready_before));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (struct db_rollout_pace){
			.latest = sqlite3_column_int64(st, 0),
			.late = (size_t)sqlite3_column_int64(st, 1),
			.ready = (size_t)sqlite3_column_int64(st, 2),
		};
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* ---- changes ---- */

int
rollout_put(struct db *db, const struct db_rollout *r, struct err *e)
{
	return sql_run(db, SQL_ROLLOUT_SET, e, SQL_INT(r->id), SQL_TEXT(r->plan), SQL_INT(r->state), SQL_TEXT(r->why),
	    SQL_INT(r->stage), SQL_INT(r->wave),
	    r->good_since != 0 ? (struct sql_value)SQL_INT(r->good_since) : (struct sql_value)SQL_NULL,
	    SQL_INT(r->minute), SQL_INT(r->in_minute));
}

int
db_rollout_set(struct db *db, const struct db_rollout *r, const char *action, const char *detail, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = rollout_put(db, r, e);
	if (rc == 0 && action != NULL)
		rc = event_append(db, e, action, r->name, "%s", detail);
	return sql_end(db, rc, e);
}

/* Two rollouts of one phone would not know whose generation it took. */
int
db_rollout_check_busy(struct db *db, int64_t rollout, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ROLLOUT_BUSY, e, SQL_INT(rollout));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		rc = err_set(e, ERR_CONFLICT, "phone %s: it is in the rollout %s, which is not over",
		    (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1));
	sql_done(st);
	return rc;
}

static int
forced_tell(struct db *db, const struct db_rollout *r, const struct db_member *m, struct err *e)
{
	if (!m->forced)
		return 0;
	return event_append(db, e, "rollout.forced", m->mac, "rollout %s: %s", r->name,
	    m->note != NULL ? m->note : "the lock-out guard does not hold it back");
}

static int
members_add(struct db *db, const struct db_rollout *r, const struct db_member *members, size_t count, struct err *e)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < count; i++) {
		const struct db_member *m = &members[i];

		if (sql_run(db, SQL_MEMBER_ADD, e, SQL_INT(r->id), SQL_INT(m->phone), SQL_INT(m->wave),
			SQL_INT(m->forced), SQL_INT(now)) == 0) {
			if (forced_tell(db, r, m, e) != 0)
				return -1;
			continue;
		}
		if (sql_failed_unique(db))
			return err_set(e, ERR_CONFLICT, "phone %s: it is in this rollout already", m->mac);
		return sql_failed_foreign_key(db) ? err_set(e, ERR_NOT_FOUND, "phone %s: not in the fleet", m->mac)
		                                  : -1;
	}
	return db_rollout_check_busy(db, r->id, e);
}

static int
rollout_add(struct db *db, struct db_rollout *r, const struct db_member *members, size_t count, struct err *e)
{
	r->created = time(NULL);
	if (sql_run(db, SQL_ROLLOUT_ADD, e, SQL_TEXT(r->name), SQL_INT(r->created), SQL_TEXT(r->plan),
		SQL_INT(r->state), SQL_INT(r->stage)) != 0)
		return sql_failed_unique(db)
		           ? err_set(e, ERR_CONFLICT, "rollout %s: there is one of this name", r->name)
		           : -1;
	r->id = sqlite3_last_insert_rowid(db->sql);
	if (members_add(db, r, members, count, e) != 0)
		return -1;
	return event_append(db, e, "rollout.create", r->name, "%zu phones, %s", count, r->plan);
}

int
db_rollout_create(struct db *db, struct db_rollout *r, const struct db_member *members, size_t count, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, rollout_add(db, r, members, count, e), e);
}

int
db_member_add(struct db *db, const struct db_rollout *r, const struct db_member *members, size_t count, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = members_add(db, r, members, count, e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = event_append(db, e, "rollout.added", members[i].mac, "to rollout %s, wave %d", r->name,
		    members[i].wave);
	return sql_end(db, rc, e);
}
