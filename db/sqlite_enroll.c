/* SPDX-License-Identifier: ISC */
#include "db/enroll.h"

#include "common/text.h"
#include "db/sqlite.h"

#include <time.h>

/* ---- the window ---- */

int
db_enroll_window(struct db *db, struct db_enroll_window *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ENROLL_WINDOW, e);
	int rc = sql_step(db, st, e);

	if (rc == 0) {
		rc = err_set(e, ERR_NOT_FOUND, "enrolment: not open; 'phonevpn enroll open' opens it");
	} else if (rc > 0) {
		ret->opened = sqlite3_column_int64(st, 0);
		ret->until = sqlite3_column_int64(st, 1);
		ret->named = sqlite3_column_int(st, 3) != 0;
		rc = sql_column_text(db, st, 2, ret->networks, sizeof(ret->networks), e);
	}
	sql_done(st);
	return rc;
}

static int
enroll_open(struct db *db, const struct db_enroll_window *w, const int64_t *phones, size_t count, struct err *e)
{
	char until[TEXT_TIME_SIZE], named[40] = "";

	if (sql_run(db, SQL_ENROLL_OPEN, e, SQL_INT(w->opened), SQL_INT(w->until), SQL_TEXT(w->networks),
		SQL_INT(count > 0)) != 0 ||
	    sql_run(db, SQL_ENROLL_NAMES_CLEAR, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (sql_run(db, SQL_ENROLL_NAME, e, SQL_INT(phones[i])) == 0)
			continue;
		return sql_failed_foreign_key(db)
		           ? err_set(e, ERR_NOT_FOUND, "phone with id %lld: not in the fleet", (long long)phones[i])
		           : -1;
	}
	text_time(w->until, until);
	if (count > 0)
		sqlite3_snprintf(sizeof(named), named, ", phones named: %llu", (unsigned long long)count);
	return event_append(db, e, "enroll.open", "", "for %s until %s%s", w->networks, until, named);
}

int
db_enroll_open(struct db *db, const struct db_enroll_window *w, const int64_t *phones, size_t count, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, enroll_open(db, w, phones, count, e), e);
}

static int
enroll_close(struct db *db, struct err *e)
{
	struct db_enroll_window w;

	if (db_enroll_window(db, &w, e) != 0 || sql_run(db, SQL_ENROLL_CLOSE, e) != 0 ||
	    sql_run(db, SQL_ENROLL_NAMES_CLEAR, e) != 0)
		return -1;
	return event_append(db, e, "enroll.close", "", "%s", "");
}

int
db_enroll_close(struct db *db, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, enroll_close(db, e), e);
}

/* ---- the phones ---- */

/* *ret_id 0: it may not. */
static int
enroll_phone(struct db *db, const char *mac, int64_t *ret_id, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ENROLL_PHONE, e, SQL_TEXT(mac));
	int rc = sql_step(db, st, e);

	*ret_id = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
db_enroll_may(struct db *db, const char *mac, bool *ret, struct err *e)
{
	int64_t id;

	if (enroll_phone(db, mac, &id, e) != 0)
		return -1;
	*ret = id != 0;
	return 0;
}

int
db_enroll_count(struct db *db, size_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_ENROLL_COUNT, e);
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (size_t)sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
enroll_claim(struct db *db, const char *mac, const char *address, struct err *e)
{
	int64_t id;

	if (enroll_phone(db, mac, &id, e) != 0)
		return -1;
	if (id == 0)
		return err_set(e, ERR_NOT_FOUND, "phone %s: may not enroll", mac);
	if (sql_run(db, SQL_ENROLL_CLAIM, e, SQL_INT(id), SQL_INT(time(NULL)), SQL_TEXT(address)) != 0)
		return -1;
	return event_append(db, e, "phone.enroll", mac, "from %s", address);
}

int
db_enroll_claim(struct db *db, const char *mac, const char *address, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, enroll_claim(db, mac, address, e), e);
}

static int
login_record(struct db *db, const struct db_login *l, struct err *e)
{
	if (sql_run(db, SQL_LOGIN_RECORD, e, SQL_TEXT(l->mac), SQL_INT(l->when)) != 0)
		return -1;
	if (sqlite3_changes(db->sql) == 0)
		return 0;
	return event_append(db, e, "phone.login", l->mac, "the first of its own");
}

int
db_login_record(struct db *db, const struct db_login *logins, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = login_record(db, &logins[i], e);
	return sql_end(db, rc, e);
}

static int
phone_reset(struct db *db, const struct db_reset *r, struct err *e)
{
	struct db_phone p;

	if (r->http_password == NULL || r->http_password[0] == '\0')
		return err_set(e, ERR_INPUT, "reset: expected another HTTP password, found none");
	if (phone_get_by_id(db, r->phone, &p, e) != 0 || phone_set_password(db, &p, r->http_password, e) != 0 ||
	    sql_run(db, SQL_PHONE_RESET, e, SQL_INT(p.id), SQL_INT(time(NULL))) != 0)
		return -1;
	return event_append(db, e, "phone.reset", p.mac, "may enroll again, with another HTTP password");
}

int
db_phone_reset(struct db *db, const struct db_reset *resets, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = phone_reset(db, &resets[i], e);
	return sql_end(db, rc, e);
}
