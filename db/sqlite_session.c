/* SPDX-License-Identifier: ISC */
#include "db/ladder.h"

#include "common/text.h"
#include "db/sqlite.h"

#include <openssl/evp.h>
#include <string.h>

/* What is known of the phone that a sighting is about. */
struct seen {
	int64_t phone; /* 0: no phone of the fleet */
	char mac[DB_MAC_SIZE];
	int64_t offered;
	bool has_session;
	struct db_session before;
};

static int
session_read(struct db *db, sqlite3_stmt *st, struct db_session *ret, struct err *e)
{
	*ret = (struct db_session){
		.client = (uint64_t)sqlite3_column_int64(st, 1),
		.since = sqlite3_column_int64(st, 2),
		.has_serial = sqlite3_column_type(st, 4) != SQLITE_NULL,
		.number = sqlite3_column_int64(st, 5),
		.ended = sqlite3_column_int64(st, 6),
	};
	if (sql_column_text(db, st, 0, ret->server, sizeof(ret->server), e) != 0 ||
	    sql_column_text(db, st, 3, ret->address, sizeof(ret->address), e) != 0)
		return -1;
	return ret->has_serial ? sql_column_bytes(db, st, 4, ret->serial, sizeof(ret->serial), e) : 0;
}

/* 1, or 0 when there is none. */
static int
session_get(struct db *db, int64_t phone, struct db_session *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_GET, e, SQL_INT(phone));
	int rc = sql_step(db, st, e);

	if (rc > 0 && session_read(db, st, ret, e) != 0)
		rc = -1;
	sql_done(st);
	return rc;
}

int
db_session_get(struct db *db, int64_t phone, struct db_session *ret, struct err *e)
{
	int rc = session_get(db, phone, ret, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "phone with id %lld: no VPN session was seen", (long long)phone);
	return rc < 0 ? -1 : 0;
}

int
db_session_count(struct db *db, size_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_COUNT, e);
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (size_t)sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* ---- whose session, and with what ---- */

static int
phone_find(struct db *db, const struct db_sighting *s, struct seen *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_PHONE, e, SQL_TEXT(s->name), SQL_BLOB(s->serial, DB_SERIAL_SIZE),
	    SQL_TEXT(s->server), SQL_INT((int64_t)s->client), SQL_INT(s->since));
	int rc = sql_step(db, st, e);

	*ret = (struct seen){ .phone = 0 };
	if (rc > 0) {
		ret->phone = sqlite3_column_int64(st, 0);
		ret->offered = sqlite3_column_int64(st, 2);
		rc = sql_column_text(db, st, 1, ret->mac, sizeof(ret->mac), e);
	}
	sql_done(st);
	if (rc < 0 || ret->phone == 0)
		return rc;
	rc = session_get(db, ret->phone, &ret->before, e);
	ret->has_session = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* The generation with this certificate that the phone took last before the session; 0 for none. */
static int
generation_find(struct db *db, int64_t phone, const unsigned char serial[DB_SERIAL_SIZE], time_t since, int64_t *ret,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_GENERATION, e, SQL_INT(phone), SQL_BLOB(serial, DB_SERIAL_SIZE),
	    SQL_INT(since));
	int rc = sql_step(db, st, e);

	*ret = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* The certificate is the one that we know by this serial: another CA may have given the same. */
static int
certificate_is(struct db *db, const struct db_sighting *s, bool *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_DER, e, SQL_BLOB(s->serial, DB_SERIAL_SIZE));
	unsigned char digest[DB_DIGEST_SIZE];
	int rc = sql_step(db, st, e);

	*ret = false;
	if (rc > 0 && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		if (EVP_Digest(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), digest, NULL,
			EVP_sha256(), NULL) == 1)
			*ret = memcmp(digest, s->digest, sizeof(digest)) == 0;
		else
			rc = err_openssl(e, ERR_FAILED, "SHA-256");
	}
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* Where a name was only ever on one certificate, it tells which. */
static int
sole_certificate(struct db *db, const char *name, unsigned char ret[DB_SERIAL_SIZE], bool *ret_sole, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_SOLE, e, SQL_TEXT(name));
	int rc = sql_step(db, st, e);

	*ret_sole = false;
	if (rc > 0 && sqlite3_column_int(st, 0) == 1) {
		*ret_sole = true;
		rc = sql_column_bytes(db, st, 1, ret, DB_SERIAL_SIZE, e);
	}
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
certificate_find(struct db *db, const struct db_sighting *s, const struct seen *seen, struct db_session *ret,
    struct err *e)
{
	bool is_ours = true;

	if (s->what == DB_SIGHT_BEGAN) {
		memcpy(ret->serial, s->serial, sizeof(ret->serial));
		ret->has_serial = true;
		if (certificate_is(db, s, &is_ours, e) != 0)
			return -1;
	} else if (sole_certificate(db, s->name, ret->serial, &ret->has_serial, e) != 0) {
		return -1;
	}
	ret->number = 0;
	if (!ret->has_serial || !is_ours)
		return 0;
	return generation_find(db, seen->phone, ret->serial, s->since, &ret->number, e);
}

/* ---- what it tells ---- */

/* The newest generation that this phone ever connected with; 0 for none. */
static int
newest_connected(struct db *db, int64_t phone, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_LADDER_NEWEST, e, SQL_INT(phone), SQL_INT(DB_RUNG_CONNECTED));
	int rc = sql_step(db, st, e);

	*ret = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
tell_generation(struct db *db, const struct db_sighting *s, const struct seen *seen, const struct db_session *now,
    struct db_sighted *ret, struct err *e)
{
	struct db_step step = {
		.phone = seen->phone,
		.number = now->number,
		.rung = DB_RUNG_CONNECTED,
		.at = s->since,
	};
	bool is_first;

	sqlite3_snprintf(sizeof(step.source), step.source, "from %s at %s", s->address, s->server);
	if (newest_connected(db, seen->phone, &ret->newer, e) != 0 || ladder_add(db, &step, &is_first, e) != 0)
		return -1;
	if (is_first)
		ret->outcome = DB_OUTCOME_CONNECTED;
	/* Who is offered an older one again has not lost the newer. */
	if (ret->newer <= now->number || now->number == seen->offered ||
	    (seen->has_session && seen->before.number == now->number))
		return 0;
	ret->outcome = DB_OUTCOME_FELL_BACK;
	return event_append(db, e, "phone.fell-back", seen->mac, "to generation %lld from %lld, %s",
	    (long long)now->number, (long long)ret->newer, step.source);
}

static int
tell_unknown(struct db *db, const struct db_sighting *s, const struct seen *seen, const struct db_session *now,
    struct db_sighted *ret, struct err *e)
{
	char hex[2 * DB_SERIAL_SIZE + 1];

	if (!now->has_serial) {
		ret->outcome = DB_OUTCOME_UNWATCHED;
		return 0;
	}
	if (seen->has_session && seen->before.has_serial && seen->before.number == 0 &&
	    memcmp(seen->before.serial, now->serial, sizeof(now->serial)) == 0)
		return 0;
	ret->outcome = DB_OUTCOME_UNKNOWN;
	text_hex_number(now->serial, sizeof(now->serial), hex);
	return event_append(db, e, "phone.unknown-certificate", seen->mac,
	    "serial %s is on no bundle of this phone's, from %s at %s", hex, s->address, s->server);
}

static int
session_begin(struct db *db, const struct db_sighting *s, const struct seen *seen, struct db_sighted *ret,
    struct err *e)
{
	struct db_session now;

	if (certificate_find(db, s, seen, &now, e) != 0)
		return -1;
	ret->number = now.number;
	if ((now.number != 0 ? tell_generation(db, s, seen, &now, ret, e) : tell_unknown(db, s, seen, &now, ret, e)) !=
	    0)
		return -1;
	return sql_run(db, SQL_SESSION_PUT, e, SQL_INT(seen->phone), SQL_TEXT(s->server), SQL_INT((int64_t)s->client),
	    SQL_INT(s->since), SQL_TEXT(s->address),
	    now.has_serial ? (struct sql_value)SQL_BLOB(now.serial, DB_SERIAL_SIZE) : (struct sql_value)SQL_NULL,
	    now.number != 0 ? (struct sql_value)SQL_INT(now.number) : (struct sql_value)SQL_NULL,
	    SQL_INT(s->attachment), SQL_INT(DB_RUNG_SETTLED));
}

int
session_fetched(struct db *db, const struct db_step *step, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_MOVE, e, SQL_INT(step->phone), SQL_INT(step->number),
	    SQL_INT(step->at));
	struct db_step connected = { .phone = step->phone, .number = step->number, .rung = DB_RUNG_CONNECTED };
	bool has_moved, is_first;
	int rc = sql_step(db, st, e);

	has_moved = rc > 0;
	if (has_moved) {
		connected.at = sqlite3_column_int64(st, 0);
		sqlite3_snprintf(sizeof(connected.source), connected.source, "from %s at %s",
		    (const char *)sqlite3_column_text(st, 1), (const char *)sqlite3_column_text(st, 2));
		rc = sql_step(db, st, e);
	}
	sql_done(st);
	if (rc < 0)
		return -1;
	return has_moved ? ladder_add(db, &connected, &is_first, e) : 0;
}

static bool
is_same_session(const struct db_session *a, const struct db_sighting *s)
{
	return a->client == s->client && a->since == s->since && strcmp(a->server, s->server) == 0;
}

static int
sighting_record(struct db *db, const struct db_sighting *s, struct db_sighted *ret, struct err *e)
{
	struct seen seen;
	bool is_same;

	*ret = (struct db_sighted){ .outcome = DB_OUTCOME_NONE };
	if (phone_find(db, s, &seen, e) != 0)
		return -1;
	if (seen.phone == 0) {
		if (s->what == DB_SIGHT_BEGAN)
			ret->outcome = DB_OUTCOME_STRANGER;
		return 0;
	}
	ret->phone = seen.phone;
	memcpy(ret->mac, seen.mac, sizeof(ret->mac));
	is_same = seen.has_session && is_same_session(&seen.before, s);
	if (s->what == DB_SIGHT_ENDED)
		return is_same ? sql_run(db, SQL_SESSION_END, e, SQL_INT(seen.phone), SQL_INT(s->at)) : 0;
	if (is_same && (s->what == DB_SIGHT_LISTED || seen.before.has_serial))
		return sql_run(db, SQL_SESSION_SEEN, e, SQL_INT(seen.phone), SQL_INT(s->attachment));
	/* One server may still list what has begun anew at another. */
	if (s->what == DB_SIGHT_LISTED && seen.has_session && seen.before.since > s->since)
		return 0;
	return session_begin(db, s, &seen, ret, e);
}

int
db_session_record(struct db *db, const struct db_sighting *sightings, size_t count, struct db_sighted *ret,
    struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = sighting_record(db, &sightings[i], &ret[i], e);
	return sql_end(db, rc, e);
}

/* ---- the end of listings and of soaks ---- */

int
db_session_sweep(struct db *db, const char *server, int64_t attachment, time_t at, size_t *ret_ended, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = sql_run(db, SQL_SESSION_SWEEP, e, SQL_TEXT(server), SQL_INT(attachment), SQL_INT(at));
	*ret_ended = rc == 0 ? (size_t)sqlite3_changes(db->sql) : 0;
	return sql_end(db, rc, e);
}

/* The session on this server that began first of those that may settle. 1, or 0 when there is none. */
static int
unsettled_first(struct db *db, const char *server, struct db_step *ret, time_t *ret_since, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_UNSETTLED, e, SQL_TEXT(server));
	int rc = sql_step(db, st, e);

	if (rc > 0) {
		ret->phone = sqlite3_column_int64(st, 0);
		ret->number = sqlite3_column_int64(st, 1);
		*ret_since = sqlite3_column_int64(st, 2);
	}
	sql_done(st);
	return rc;
}

static int
session_settle(struct db *db, const char *server, time_t began, time_t at, size_t *ret_settled, time_t *ret_next,
    struct err *e)
{
	struct db_step step = { .rung = DB_RUNG_SETTLED, .at = at };
	bool is_first;
	time_t since = 0;
	int rc;

	while ((rc = unsettled_first(db, server, &step, &since, e)) > 0 && since <= began) {
		sqlite3_snprintf(sizeof(step.source), step.source, "connected for %lld s at %s",
		    (long long)(at - since), server);
		if (ladder_add(db, &step, &is_first, e) != 0 ||
		    sql_run(db, SQL_SESSION_SETTLED, e, SQL_INT(step.phone)) != 0)
			return -1;
		(*ret_settled)++;
	}
	*ret_next = rc > 0 ? since : 0;
	return rc < 0 ? -1 : 0;
}

int
db_session_settle(struct db *db, const char *server, time_t began, time_t at, size_t *ret_settled, time_t *ret_next,
    struct err *e)
{
	*ret_settled = 0;
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, session_settle(db, server, began, at, ret_settled, ret_next, e), e);
}
