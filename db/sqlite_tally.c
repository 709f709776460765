/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"
#include "db/tally.h"

/* As the statement counts weeks. */
#define WEEK ((time_t)7 * 24 * 3600)
#define FIRST_MONDAY ((time_t)4 * 24 * 3600)

static int
tally_read(struct db *db, sqlite3_stmt *st, struct db_phone_tally *ret, struct err *e)
{
	struct db_phone_tally t = {
		.phone = {
			.newest = sqlite3_column_int64(st, 2),
			.offered = sqlite3_column_int64(st, 3),
			.revoked = sqlite3_column_int64(st, 4),
		},
		.phones = (size_t)sqlite3_column_int64(st, 5),
		.first_end = sqlite3_column_int64(st, 6),
	};

	for (int i = 0; i < DB_TALLY_LIMITS; i++)
		t.ending[i] = (size_t)sqlite3_column_int64(st, 7 + i);
	t.held = (size_t)sqlite3_column_int64(st, 7 + DB_TALLY_LIMITS);
	if (sql_column_text(db, st, 0, t.phone.model, sizeof(t.phone.model), e) != 0 ||
	    sql_column_text(db, st, 1, t.phone.firmware, sizeof(t.phone.firmware), e) != 0)
		return -1;
	*ret = t;
	return 0;
}

int
db_phone_tally_each(struct db *db, const time_t limits[DB_TALLY_LIMITS],
    int (*each)(const struct db_phone_tally *tally, void *arg, struct err *e), void *arg, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_TALLY, e, SQL_INT(limits[0]), SQL_INT(limits[1]),
	    SQL_INT(limits[2]));
	struct db_phone_tally t;
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		rc = tally_read(db, st, &t, e);
		if (rc == 0 && each(&t, arg, e) != 0)
			rc = -1;
		if (rc != 0)
			break;
	}
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
db_end_week_each(struct db *db, int (*each)(const struct db_end_week *w, void *arg, struct err *e), void *arg,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_END_WEEKS, e);
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		const struct db_end_week w = {
			.monday = sqlite3_column_int64(st, 0) * WEEK + FIRST_MONDAY,
			.phones = (size_t)sqlite3_column_int64(st, 1),
		};

		if (each(&w, arg, e) != 0) {
			rc = -1;
			break;
		}
	}
	sql_done(st);
	return rc;
}

int
db_issued_each(struct db *db, time_t now, int (*each)(const struct db_issued_tally *t, void *arg, struct err *e),
    void *arg, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_TALLY, e, SQL_INT(now));
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		const struct db_issued_tally t = {
			.authority = sqlite3_column_int64(st, 0),
			.phones = (size_t)sqlite3_column_int64(st, 1),
			.servers = (size_t)sqlite3_column_int64(st, 2),
		};

		if (each(&t, arg, e) != 0) {
			rc = -1;
			break;
		}
	}
	sql_done(st);
	return rc;
}

int
db_seen_tally(struct db *db, time_t limit, struct db_seen_tally *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_SEEN, e, SQL_INT(limit));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (struct db_seen_tally){
			.offered = (size_t)sqlite3_column_int64(st, 0),
			.on = (size_t)sqlite3_column_int64(st, 1),
			.never = (size_t)sqlite3_column_int64(st, 2),
			.unseen = (size_t)sqlite3_column_int64(st, 3),
		};
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
db_kind_each(struct db *db, int (*each)(const char *model, const char *firmware, void *arg, struct err *e), void *arg,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_PHONE_KINDS, e);
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		char model[8], firmware[32];

		if (sql_column_text(db, st, 0, model, sizeof(model), e) != 0 ||
		    sql_column_text(db, st, 1, firmware, sizeof(firmware), e) != 0 ||
		    each(model, firmware, arg, e) != 0) {
			rc = -1;
			break;
		}
	}
	sql_done(st);
	return rc < 0 ? -1 : 0;
}
