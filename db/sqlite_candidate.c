/* SPDX-License-Identifier: ISC */
#include "db/rollout.h"

#include "common/text.h"
#include "db/sqlite.h"

static int
candidate_read(struct db *db, sqlite3_stmt *st, struct db_candidate *ret, struct err *e)
{
	struct db_phone *p = &ret->phone;

	*ret = (struct db_candidate){
		.phone = {
			.id = sqlite3_column_int64(st, 0),
			.offered = sqlite3_column_int64(st, 4),
			.newest = sqlite3_column_int64(st, 5),
			.not_after = sqlite3_column_int64(st, 7),
			.revoked = sqlite3_column_int64(st, 8),
			.authority = sqlite3_column_int64(st, 9),
		},
		.offered_end = sqlite3_column_int64(st, 11),
		.is_seen_revoked = sqlite3_column_int(st, 12) != 0,
		.wave = sqlite3_column_int(st, 13),
		.forced = sqlite3_column_int(st, 14) != 0,
	};
	if (sql_column_text(db, st, 1, p->mac, sizeof(p->mac), e) != 0 ||
	    sql_column_text(db, st, 2, p->model, sizeof(p->model), e) != 0 ||
	    sql_column_text(db, st, 3, p->firmware, sizeof(p->firmware), e) != 0)
		return -1;
	if (p->newest != 0 && sql_column_hex(db, st, 6, p->profile, sizeof(p->profile), e) != 0)
		return -1;
	return p->offered == 0 ? 0 : sql_column_hex(db, st, 10, ret->offered_profile, sizeof(ret->offered_profile), e);
}

struct candidate_list {
	const struct db_phone_filter *filter; /* NULL: members of */
	int64_t rollout, after;
	int (*each)(const struct db_candidate *c, void *arg, struct err *e);
	void *arg;
};

static int
candidate_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct candidate_list *list = state;
	struct db_candidate *row = rows;
	sqlite3_stmt *st = list->filter != NULL
	                       ? sql_start(db, SQL_CANDIDATE_PAGE, e, SQL_INT(list->after),
				     SQL_TEXT(list->filter->group), SQL_TEXT(list->filter->model), SQL_INT(SQL_PAGE))
	                       : sql_start(db, SQL_CANDIDATE_WAITING, e, SQL_INT(list->after), SQL_INT(list->rollout),
				     SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		rc = candidate_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = row[(*ret_count)++].phone.id;
	}
	sql_done(st);
	return rc;
}

static int
candidate_call(void *state, const void *row, struct err *e)
{
	const struct candidate_list *list = state;

	return list->each(row, list->arg, e);
}

static const struct sql_pages pages = { sizeof(struct db_candidate), candidate_fetch, candidate_call, NULL };

int
db_candidate_each(struct db *db, const struct db_phone_filter *filter,
    int (*each)(const struct db_candidate *c, void *arg, struct err *e), void *arg, struct err *e)
{
	struct candidate_list list = { .filter = filter, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

int
db_candidate_each_waiting(struct db *db, int64_t rollout,
    int (*each)(const struct db_candidate *c, void *arg, struct err *e), void *arg, struct err *e)
{
	struct candidate_list list = { .rollout = rollout, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

int
db_candidate_get(struct db *db, const char *mac, struct db_candidate *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CANDIDATE_BY_MAC, e, SQL_TEXT(mac));
	char shown[32];
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "phone %s: not in the fleet; 'phonevpn phone add' puts it there",
		    text_printable(mac, shown, sizeof(shown)));
	else if (rc > 0)
		rc = candidate_read(db, st, ret, e);
	sql_done(st);
	return rc;
}
