/* SPDX-License-Identifier: ISC */
#include "db/ladder.h"

#include "db/sqlite.h"

const char *
db_rung_name(enum db_rung rung)
{
	static const char *const names[] = {
		[DB_RUNG_OFFERED] = "offered",
		[DB_RUNG_FETCHED] = "fetched",
		[DB_RUNG_CONNECTED] = "connected",
		[DB_RUNG_SETTLED] = "settled",
	};

	return names[rung];
}

int
ladder_add(struct db *db, const struct db_step *s, bool *ret_new, struct err *e)
{
	char mac[DB_MAC_SIZE], action[32];

	*ret_new = false;
	if (sql_run(db, SQL_LADDER_ADD, e, SQL_INT(s->phone), SQL_INT(s->number), SQL_INT(s->rung), SQL_INT(s->at),
		SQL_TEXT(s->source)) != 0)
		return -1;
	if (sqlite3_changes(db->sql) == 0)
		return 0;
	*ret_new = true;
	if (phone_mac(db, s->phone, mac, e) != 0)
		return -1;
	sqlite3_snprintf(sizeof(action), action, "phone.%s", db_rung_name(s->rung));
	return event_append(db, e, action, mac, "generation %lld, %s", (long long)s->number, s->source);
}

int
db_ladder_record(struct db *db, const struct db_step *steps, size_t count, struct err *e)
{
	bool is_new;
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = ladder_add(db, &steps[i], &is_new, e);
		if (rc == 0 && is_new && steps[i].rung == DB_RUNG_FETCHED)
			rc = session_fetched(db, &steps[i], e);
	}
	return sql_end(db, rc, e);
}

struct walk {
	int64_t phone;
	struct db_step last; /* of the page before */
	int (*each)(const struct db_step *step, void *arg, struct err *e);
	void *arg;
};

static int
page_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct walk *w = state;
	struct db_step *steps = rows;
	sqlite3_stmt *st = sql_start(db, SQL_LADDER_PAGE, e, SQL_INT(w->phone), SQL_INT(w->last.number),
	    SQL_INT(w->last.rung), SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		struct db_step *s = &steps[*ret_count];

		*s = (struct db_step){
			.phone = w->phone,
			.number = sqlite3_column_int64(st, 0),
			.rung = (enum db_rung)sqlite3_column_int(st, 1),
			.at = sqlite3_column_int64(st, 2),
		};
		rc = sql_column_text(db, st, 3, s->source, sizeof(s->source), e);
		if (rc != 0)
			break;
		w->last = *s;
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
page_call(void *state, const void *row, struct err *e)
{
	struct walk *w = state;

	return w->each(row, w->arg, e);
}

int
db_ladder_each(struct db *db, int64_t phone, int (*each)(const struct db_step *step, void *arg, struct err *e),
    void *arg, struct err *e)
{
	static const struct sql_pages pages = {
		.row_size = sizeof(struct db_step),
		.fetch = page_fetch,
		.call = page_call,
	};
	struct walk w = { .phone = phone, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &w, e);
}
