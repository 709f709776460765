/* SPDX-License-Identifier: ISC */
#include "db/holding.h"

#include "common/text.h"
#include "db/sqlite.h"

struct holding_list {
	char after[DB_MAC_SIZE];
	int (*each)(const struct db_holding *h, void *arg, struct err *e);
	void *arg;
};

/* Three columns from there on; NULL where there is none. */
static int
held_read(struct db *db, sqlite3_stmt *st, int column, struct db_held *ret, struct err *e)
{
	if (sqlite3_column_type(st, column + 2) == SQLITE_NULL)
		return 0;
	ret->number = sqlite3_column_int64(st, column);
	ret->authority = sqlite3_column_int64(st, column + 1);
	return sql_column_bytes(db, st, column + 2, ret->profile, sizeof(ret->profile), e);
}

static int
holding_read(struct db *db, sqlite3_stmt *st, struct db_holding *ret, struct err *e)
{
	*ret = (struct db_holding){ .phone = sqlite3_column_int64(st, 0), .fetched = sqlite3_column_int(st, 8) != 0 };
	if (sql_column_text(db, st, 1, ret->mac, sizeof(ret->mac), e) != 0 ||
	    held_read(db, st, 2, &ret->offered, e) != 0 || held_read(db, st, 5, &ret->seen, e) != 0)
		return -1;
	return 0;
}

static int
holding_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct holding_list *list = state;
	struct db_holding *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_HOLDING_PAGE, e, SQL_TEXT(list->after), SQL_INT(SQL_PAGE));
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		rc = holding_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		(*ret_count)++;
	}
	sql_done(st);
	if (rc == 0 && *ret_count > 0)
		rc = text_copy(list->after, sizeof(list->after), row[*ret_count - 1].mac, "MAC", e);
	return rc;
}

static int
holding_call(void *state, const void *row, struct err *e)
{
	const struct holding_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_holding_each(struct db *db, int (*each)(const struct db_holding *h, void *arg, struct err *e), void *arg,
    struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_holding), holding_fetch, holding_call, NULL };
	struct holding_list list = { .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}
