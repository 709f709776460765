/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>

/* A row of PHONE_SELECT (sqlite_statement.c). */
static int
phone_read(struct db *db, sqlite3_stmt *st, struct db_phone *ret, struct err *e)
{
	struct db_phone p = {
		.id = sqlite3_column_int64(st, 0),
		.has_secret = sqlite3_column_int(st, 8) != 0,
		.created = sqlite3_column_int64(st, 9),
		.newest = sqlite3_column_int64(st, 10),
		.offered = sqlite3_column_int64(st, 11),
		.offered_created = sqlite3_column_int64(st, 13),
		.not_after = sqlite3_column_int64(st, 15),
		.revoked = sqlite3_column_int64(st, 16),
		.authority = sqlite3_column_int64(st, 17),
		.vpn_host = (uint32_t)sqlite3_column_int64(st, 19),
		.enrolled = sqlite3_column_int64(st, 20),
		.login = sqlite3_column_int64(st, 22),
	};

	if (sql_column_text(db, st, 1, p.mac, sizeof(p.mac), e) != 0 ||
	    sql_column_text(db, st, 2, p.model, sizeof(p.model), e) != 0 ||
	    sql_column_text(db, st, 3, p.firmware, sizeof(p.firmware), e) != 0 ||
	    sql_column_text(db, st, 4, p.extension, sizeof(p.extension), e) != 0 ||
	    sql_column_text(db, st, 5, p.label, sizeof(p.label), e) != 0 ||
	    sql_column_text(db, st, 6, p.group, sizeof(p.group), e) != 0 ||
	    sql_column_text(db, st, 7, p.http_user, sizeof(p.http_user), e) != 0)
		return -1;
	if (p.offered != 0 && sql_column_hex(db, st, 12, p.offered_md5, sizeof(p.offered_md5), e) != 0)
		return -1;
	if (p.newest != 0 && (sql_column_bytes(db, st, 14, p.serial, sizeof(p.serial), e) != 0 ||
				 sql_column_hex(db, st, 18, p.profile, sizeof(p.profile), e) != 0))
		return -1;
	if (p.enrolled != 0 && sql_column_text(db, st, 21, p.enrolled_from, sizeof(p.enrolled_from), e) != 0)
		return -1;
	*ret = p;
	return 0;
}

/* The one row of st, which is done after it; *ret_found tells whether there was one. */
static int
phone_one(struct db *db, sqlite3_stmt *st, struct db_phone *ret, bool *ret_found, struct err *e)
{
	int rc = sql_step(db, st, e);

	*ret_found = rc > 0;
	if (rc > 0)
		rc = phone_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
db_phone_get(struct db *db, const char *mac, struct db_phone *ret, struct err *e)
{
	char shown[32];
	bool found;

	if (phone_one(db, sql_start(db, SQL_PHONE_BY_MAC, e, SQL_TEXT(mac)), ret, &found, e) != 0)
		return -1;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "phone %s: not in the fleet; 'phonevpn phone add' puts it there",
		    text_printable(mac, shown, sizeof(shown)));
	return 0;
}

int
db_phone_get_by_user(struct db *db, const char *http_user, struct db_phone *ret, struct err *e)
{
	char shown[80];
	bool found;

	if (phone_one(db, sql_start(db, SQL_PHONE_BY_USER, e, SQL_TEXT(http_user)), ret, &found, e) != 0)
		return -1;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "HTTP user %s: no phone has it",
		    text_printable(http_user, shown, sizeof(shown)));
	return 0;
}

int
phone_get_by_id(struct db *db, int64_t id, struct db_phone *ret, struct err *e)
{
	bool found;

	if (phone_one(db, sql_start(db, SQL_PHONE_BY_ID, e, SQL_INT(id)), ret, &found, e) != 0)
		return -1;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "phone with id %lld: not in the fleet", (long long)id);
	return 0;
}

int
phone_mac(struct db *db, int64_t id, char ret[DB_MAC_SIZE], struct err *e)
{
	struct db_phone p;

	if (phone_get_by_id(db, id, &p, e) != 0)
		return -1;
	memcpy(ret, p.mac, sizeof(p.mac));
	return 0;
}

/* ---- listing ---- */

struct phone_list {
	const struct db_phone_filter *filter;
	char after[DB_MAC_SIZE];
	int (*each)(const struct db_phone *phone, void *arg, struct err *e);
	void *arg;
};

static int
phone_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct phone_list *list = state;
	struct db_phone *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_PAGE, e, SQL_TEXT(list->after), SQL_TEXT(list->filter->group),
	    SQL_TEXT(list->filter->model), SQL_INT(SQL_PAGE));
	size_t n = 0;
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		rc = phone_read(db, st, &row[n], e);
		if (rc != 0)
			break;
		n++;
	}
	sql_done(st);
	if (n > 0)
		memcpy(list->after, row[n - 1].mac, sizeof(list->after));
	*ret_count = n;
	return rc;
}

static int
phone_call(void *state, const void *row, struct err *e)
{
	const struct phone_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_phone_each(struct db *db, const struct db_phone_filter *filter,
    int (*each)(const struct db_phone *phone, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_phone), phone_fetch, phone_call, NULL };
	struct phone_list list = { .filter = filter, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

int
db_phone_count(struct db *db, const struct db_phone_filter *filter, size_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_COUNT, e, SQL_TEXT(filter->group), SQL_TEXT(filter->model));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (size_t)sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* ---- secrets ---- */

/* Column 1 or 2 of SQL_PHONE_SEALED, bound to the row by the MAC. */
static int
phone_unseal(struct db *db, int64_t id, int column, struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_SEALED, e, SQL_INT(id));
	char mac[DB_MAC_SIZE];
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "phone with id %lld: not in the fleet", (long long)id);
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, mac, sizeof(mac), e);
	if (rc == 0 && sqlite3_column_type(st, column) != SQLITE_NULL) {
		const struct seal_place place = phone_place(mac, sqlite3_column_name(st, column));

		rc = sql_column_sealed(db, st, column, &place, ret, e);
		if (rc != 0)
			err_prefix(e, "phone %s", mac);
	}
	sql_done(st);
	return rc;
}

int
db_phone_secret(struct db *db, int64_t id, struct buf *ret, struct err *e)
{
	return phone_unseal(db, id, 1, ret, e);
}

int
db_phone_http_password(struct db *db, int64_t id, struct buf *ret, struct err *e)
{
	return phone_unseal(db, id, 2, ret, e);
}

/* A row of SQL_PHONE_LOGIN. */
static int
login_read(struct db *db, sqlite3_stmt *st, struct db_phone *ret, struct buf *ret_password, struct err *e)
{
	struct db_phone p = {
		.id = sqlite3_column_int64(st, 0),
		.has_secret = sqlite3_column_int(st, 7) != 0,
		.offered = sqlite3_column_int64(st, 8),
		.enrolled = sqlite3_column_int64(st, 10),
		.login = sqlite3_column_int64(st, 11),
		.rungs = (unsigned int)sqlite3_column_int(st, 13),
	};
	struct seal_place place;

	if (sql_column_text(db, st, 1, p.mac, sizeof(p.mac), e) != 0 ||
	    sql_column_text(db, st, 2, p.model, sizeof(p.model), e) != 0 ||
	    sql_column_text(db, st, 3, p.firmware, sizeof(p.firmware), e) != 0 ||
	    sql_column_text(db, st, 4, p.extension, sizeof(p.extension), e) != 0 ||
	    sql_column_text(db, st, 5, p.label, sizeof(p.label), e) != 0 ||
	    sql_column_text(db, st, 6, p.http_user, sizeof(p.http_user), e) != 0 ||
	    (p.offered != 0 && sql_column_hex(db, st, 9, p.offered_md5, sizeof(p.offered_md5), e) != 0))
		return -1;
	place = phone_place(p.mac, sqlite3_column_name(st, 12));
	if (sql_column_sealed(db, st, 12, &place, ret_password, e) != 0)
		return err_prefix(e, "phone %s", p.mac);
	*ret = p;
	return 0;
}

int
db_phone_login(struct db *db, const char *http_user, struct db_phone *ret, struct buf *ret_password, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_LOGIN, e, SQL_TEXT(http_user));
	char shown[80];
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "HTTP user %s: no phone has it",
		    text_printable(http_user, shown, sizeof(shown)));
	else if (rc > 0)
		rc = login_read(db, st, ret, ret_password, e);
	sql_done(st);
	return rc;
}
