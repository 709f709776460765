/* SPDX-License-Identifier: ISC */
#include "db/rollout.h"

#include "db/sqlite.h"

#include <string.h>

#define COLUMNS 10 /* of MEMBER_COLUMNS, sqlite_statement.c */

const char *
db_member_state_name(enum db_member_state state)
{
	static const char *const names[] = {
		[DB_MEMBER_WAITING] = "waiting",
		[DB_MEMBER_OFFERED] = "offered",
		[DB_MEMBER_SETTLED] = "settled",
		[DB_MEMBER_FAILED] = "failed",
		[DB_MEMBER_DROPPED] = "dropped",
		[DB_MEMBER_ROLLED_BACK] = "rolled-back",
	};

	return names[state];
}

static int
member_read(struct db *db, sqlite3_stmt *st, struct db_member *ret, struct err *e)
{
	*ret = (struct db_member){
		.phone = sqlite3_column_int64(st, 0),
		.wave = sqlite3_column_int(st, 2),
		.state = (enum db_member_state)sqlite3_column_int(st, 3),
		.why = sqlite3_column_int(st, 4),
		.forced = sqlite3_column_int(st, 5) != 0,
		.former = sqlite3_column_int64(st, 6),
		.target = sqlite3_column_int64(st, 7),
		.since = sqlite3_column_int64(st, 8),
		.notified = sqlite3_column_int64(st, 9),
	};
	return sql_column_text(db, st, 1, ret->mac, sizeof(ret->mac), e);
}

static int
member_get(struct db *db, int64_t rollout, int64_t phone, struct db_member *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_MEMBER_GET, e, SQL_INT(rollout), SQL_INT(phone));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "phone with id %lld: not in this rollout", (long long)phone);
	else if (rc > 0)
		rc = member_read(db, st, ret, e);
	if (rc == 0)
		ret->is_revoked = sqlite3_column_int(st, COLUMNS) != 0;
	sql_done(st);
	return rc;
}

int
db_member_get(struct db *db, int64_t rollout, int64_t phone, struct db_member *ret, struct err *e)
{
	return member_get(db, rollout, phone, ret, e);
}

/* ---- listing ---- */

struct member_list {
	const struct db_member_filter *filter;
	int wave;      /* of the last row */
	int64_t phone; /* the last row's */
	int (*each)(const struct db_member *m, void *arg, struct err *e);
	void *arg;
};

static int
page_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct member_list *list = state;
	const struct db_member_filter *f = list->filter;
	struct db_member *row = rows;
	sqlite3_stmt *st = f->state != 0
	                       ? sql_start(db, SQL_MEMBER_PAGE_STATE, e, SQL_INT(f->rollout), SQL_INT(list->phone),
				     SQL_INT(list->wave), SQL_INT(f->wave), SQL_INT(f->has_target),
				     SQL_INT(f->unnotified), SQL_INT(SQL_PAGE), SQL_INT(f->state))
	                       : sql_start(db, SQL_MEMBER_PAGE, e, SQL_INT(f->rollout), SQL_INT(list->phone), SQL_NULL,
				     SQL_INT(f->wave), SQL_INT(f->has_target), SQL_INT(f->unnotified),
				     SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		rc = member_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->wave = row[*ret_count].wave;
		list->phone = row[(*ret_count)++].phone;
	}
	sql_done(st);
	return rc;
}

static int
page_call(void *state, const void *row, struct err *e)
{
	const struct member_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_member_each(struct db *db, const struct db_member_filter *filter,
    int (*each)(const struct db_member *m, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_member), page_fetch, page_call, NULL };
	struct member_list list = { .filter = filter, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

struct proof_list {
	int64_t rollout, after;
	int (*each)(const struct db_member_proof *p, void *arg, struct err *e);
	void *arg;
};

static int
proof_read(struct db *db, sqlite3_stmt *st, struct db_member_proof *ret, struct err *e)
{
	*ret = (struct db_member_proof){
		.rung = (enum db_rung)sqlite3_column_int(st, COLUMNS),
		.is_revoked = sqlite3_column_int(st, COLUMNS + 1) != 0,
		.has_session = sqlite3_column_type(st, COLUMNS + 2) != SQLITE_NULL,
		.session = {
			.client = (uint64_t)sqlite3_column_int64(st, COLUMNS + 2),
			.since = sqlite3_column_int64(st, COLUMNS + 3),
			.has_serial = sqlite3_column_type(st, COLUMNS + 4) != SQLITE_NULL,
			.number = sqlite3_column_int64(st, COLUMNS + 5),
			.ended = sqlite3_column_int64(st, COLUMNS + 6),
		},
	};
	if (member_read(db, st, &ret->member, e) != 0)
		return -1;
	return ret->session.has_serial
	           ? sql_column_bytes(db, st, COLUMNS + 4, ret->session.serial, sizeof(ret->session.serial), e)
	           : 0;
}

static int
proof_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct proof_list *list = state;
	struct db_member_proof *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_MEMBER_PROOF, e, SQL_INT(list->rollout), SQL_INT(list->after),
	    SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		rc = proof_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = row[(*ret_count)++].member.phone;
	}
	sql_done(st);
	return rc;
}

static int
proof_call(void *state, const void *row, struct err *e)
{
	const struct proof_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_member_proof_each(struct db *db, int64_t rollout,
    int (*each)(const struct db_member_proof *p, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_member_proof), proof_fetch, proof_call, NULL };
	struct proof_list list = { .rollout = rollout, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

struct former_list {
	int64_t rollout;
	unsigned char after[DB_PROFILE_HASH_SIZE];
	int (*each)(const struct db_member_former *f, void *arg, struct err *e);
	void *arg;
};

static int
former_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct former_list *list = state;
	struct db_member_former *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_MEMBER_FORMER_PROFILES, e, SQL_INT(list->rollout),
	    SQL_BLOB(list->after, sizeof(list->after)), SQL_INT(SQL_PAGE));
	int rc;

	*ret_count = 0;
	while ((rc = sql_step(db, st, e)) > 0) {
		struct db_member_former *f = &row[*ret_count];

		f->phones = (size_t)sqlite3_column_int64(st, 1);
		rc = sql_column_bytes(db, st, 0, f->profile, sizeof(f->profile), e);
		if (rc == 0)
			rc = sql_column_text(db, st, 2, f->first, sizeof(f->first), e);
		if (rc != 0)
			break;
		memcpy(list->after, f->profile, sizeof(list->after));
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
former_call(void *state, const void *row, struct err *e)
{
	const struct former_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_member_former_each(struct db *db, int64_t rollout,
    int (*each)(const struct db_member_former *f, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_member_former), former_fetch, former_call, NULL };
	struct former_list list = { .rollout = rollout, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}

/* ---- changes ---- */

int
member_target(struct db *db, int64_t rollout, int64_t phone, int64_t number, struct err *e)
{
	if (sql_run(db, SQL_MEMBER_TARGET, e, SQL_INT(rollout), SQL_INT(phone), SQL_INT(number)) != 0)
		return -1;
	if (sqlite3_changes(db->sql) == 0)
		return err_set(e, ERR_NOT_FOUND, "phone with id %lld: not waiting in this rollout", (long long)phone);
	return 0;
}

int
db_member_target(struct db *db, int64_t rollout, int64_t phone, int64_t number, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, member_target(db, rollout, phone, number, e), e);
}

static int
change_one(struct db *db, const struct db_rollout *r, const struct db_member_change *c, time_t now, struct err *e)
{
	static const char *const actions[] = {
		[DB_MEMBER_WAITING] = "rollout.retried",
		[DB_MEMBER_OFFERED] = "rollout.reopened",
		[DB_MEMBER_SETTLED] = "rollout.settled",
		[DB_MEMBER_FAILED] = "rollout.failed",
		[DB_MEMBER_DROPPED] = "rollout.dropped",
		[DB_MEMBER_ROLLED_BACK] = "rollout.rolled-back",
	};
	struct db_member m;

	if (member_get(db, r->id, c->phone, &m, e) != 0 ||
	    sql_run(db, SQL_MEMBER_SET, e, SQL_INT(r->id), SQL_INT(c->phone), SQL_INT(c->state), SQL_INT(c->why),
		SQL_INT(c->forced), SQL_INT(c->forget_target), SQL_INT(now)) != 0)
		return -1;
	if (c->forced && !m.forced &&
	    event_append(db, e, "rollout.forced", m.mac, "rollout %s: %s", r->name,
		c->note != NULL ? c->note : c->detail) != 0)
		return -1;
	if (c->state == m.state && c->why == m.why)
		return 0;
	return event_append(db, e, actions[c->state], m.mac, "rollout %s: %s", r->name, c->detail);
}

int
db_member_change(struct db *db, const struct db_rollout *r, const struct db_member_change *changes, size_t count,
    time_t now, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = rollout_put(db, r, e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = change_one(db, r, &changes[i], now, e);
	return sql_end(db, rc, e);
}

static int
offer_one(struct db *db, const struct db_rollout *r, int64_t phone, time_t now, struct err *e)
{
	struct db_offer offer = { .phone = phone };
	sqlite3_stmt *st = sql_start(db, SQL_MEMBER_OFFERED, e, SQL_INT(r->id), SQL_INT(phone), SQL_INT(now));
	int rc = sql_step(db, st, e);

	if (rc > 0) {
		offer.number = sqlite3_column_int64(st, 0);
		rc = sql_step(db, st, e);
	} else if (rc == 0) {
		rc = err_set(e, ERR_CONFLICT, "phone with id %lld: not waiting in rollout %s with something to offer",
		    (long long)phone, r->name);
	}
	sql_done(st);
	return rc < 0 ? -1 : generation_offer(db, &offer, e);
}

int
db_member_offer(struct db *db, const struct db_rollout *r, const int64_t *phones, size_t count, time_t now,
    struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = rollout_put(db, r, e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = offer_one(db, r, phones[i], now, e);
	return sql_end(db, rc, e);
}

static int
way_back(struct db *db, int64_t rollout, int64_t phone, time_t now, struct db_offer *ret, enum db_way_back *ret_way,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_MEMBER_FORMER, e, SQL_INT(rollout), SQL_INT(phone));
	int rc = sql_step(db, st, e);

	*ret_way = DB_WAY_BACK_NONE;
	if (rc > 0 && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		*ret = (struct db_offer){ .phone = phone, .number = sqlite3_column_int64(st, 0) };
		if (sqlite3_column_int(st, 3) != 0)
			*ret_way = DB_WAY_BACK_LATER;
		else if (sqlite3_column_int(st, 1) != 0)
			*ret_way = DB_WAY_BACK_REVOKED;
		else
			*ret_way = sqlite3_column_int64(st, 2) <= now ? DB_WAY_BACK_ENDED : DB_WAY_BACK;
	}
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
roll_back_one(struct db *db, const struct db_rollout *r, int64_t phone, time_t now, enum db_way_back *ret_way,
    struct err *e)
{
	const struct db_member_change change = {
		.phone = phone, .state = DB_MEMBER_ROLLED_BACK, .detail = "what was offered before is offered again"
	};
	struct db_offer offer;

	if (way_back(db, r->id, phone, now, &offer, ret_way, e) != 0)
		return -1;
	/* What it was not offered yet, nobody shall offer it later. */
	if (*ret_way == DB_WAY_BACK_NONE)
		return sql_run(db, SQL_MEMBER_WITHDRAW, e, SQL_INT(r->id), SQL_INT(phone), SQL_INT(now));
	if (*ret_way != DB_WAY_BACK)
		return 0;
	return generation_offer(db, &offer, e) == 0 ? change_one(db, r, &change, now, e) : -1;
}

int
db_member_roll_back(struct db *db, const struct db_rollout *r, const int64_t *phones, size_t count, time_t now,
    enum db_way_back *ret_ways, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = rollout_put(db, r, e) == 0 ? event_append(db, e, "rollout.roll-back", r->name, "%zu phones", count) : -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = roll_back_one(db, r, phones[i], now, &ret_ways[i], e);
	return sql_end(db, rc, e);
}

int
db_member_restart(struct db *db, const struct db_rollout *r, time_t now, const char *action, const char *detail,
    size_t *ret_count, struct err *e)
{
	int rc;

	*ret_count = 0;
	if (sql_begin(db, e) != 0)
		return -1;
	rc = rollout_put(db, r, e) == 0 ? sql_run(db, SQL_MEMBER_RESTART, e, SQL_INT(r->id), SQL_INT(now)) : -1;
	if (rc == 0) {
		*ret_count = (size_t)sqlite3_changes(db->sql);
		rc = event_append(db, e, action, r->name, "%s", detail);
	}
	return sql_end(db, rc, e);
}

int
db_member_notified(struct db *db, int64_t rollout, const int64_t *phones, size_t count, time_t now, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = sql_run(db, SQL_MEMBER_NOTIFIED, e, SQL_INT(rollout), SQL_INT(phones[i]), SQL_INT(now));
	return sql_end(db, rc, e);
}
