/* SPDX-License-Identifier: ISC */
#include "db/bar.h"

#include "common/text.h"
#include "db/sqlite.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPARED "barred.compared"
#define COMPARED_AT "%zu barred, at %zu of %zu servers"

/* Whose history an event about this certificate belongs to: the phone's MAC, or else its name. */
static int
subject_of(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], char ret[65], struct err *e)
{
	struct db_certificate c;
	int64_t phone = 0;

	if (db_certificate_get(db, serial, &c, e) != 0 || certificate_phone(db, serial, &phone, e) != 0)
		return -1;
	(void)snprintf(ret, 65, "%s", c.name);
	return phone != 0 ? phone_mac(db, phone, ret, e) : 0;
}

static int
bar_one(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], time_t when, struct err *e)
{
	char hex[2 * DB_SERIAL_SIZE + 1], subject[65];

	if (subject_of(db, serial, subject, e) != 0 ||
	    sql_run(db, SQL_BAR, e, SQL_BLOB(serial, DB_SERIAL_SIZE), SQL_INT(when)) != 0)
		return -1;
	text_hex_number(serial, DB_SERIAL_SIZE, hex);
	return event_append(db, e, "certificate.bar", subject, "serial %s: its sessions are to end now", hex);
}

int
db_bar(struct db *db, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count, time_t when, int64_t *ret_event,
    struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = bar_one(db, serials[i], when, e);
	if (rc == 0)
		rc = sql_exec_number(db, "SELECT coalesce(max(id), 0) FROM events", ret_event, e);
	return sql_end(db, rc, e);
}

static int
barred_read(struct db *db, sqlite3_stmt *st, struct db_barred *ret, struct err *e)
{
	const int size = sqlite3_column_bytes(st, 2);

	*ret = (struct db_barred){ .has_digest = size > 0, .since = sqlite3_column_int64(st, 3) };
	if (sql_column_bytes(db, st, 0, ret->serial, sizeof(ret->serial), e) != 0 ||
	    sql_column_text(db, st, 1, ret->name, sizeof(ret->name), e) != 0)
		return -1;
	if (size > 0 &&
	    EVP_Digest(sqlite3_column_blob(st, 2), (size_t)size, ret->digest, NULL, EVP_sha256(), NULL) != 1)
		return err_openssl(e, ERR_FAILED, "SHA-256");
	return 0;
}

int
db_barred_all(struct db *db, time_t now, struct db_barred **ret, size_t *ret_count, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_BARRED_ALL, e, SQL_INT(now));
	struct db_barred *all = NULL, *more;
	size_t count = 0;
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		more = reallocarray(all, count + 1, sizeof(*all));
		rc = more != NULL ? 0 : err_set(e, ERR_FAILED, "barred certificates: no memory");
		if (more != NULL)
			all = more;
		if (rc != 0 || (rc = barred_read(db, st, &all[count], e)) != 0)
			break;
		count++;
	}
	sql_done(st);
	if (rc != 0) {
		free(all);
		return -1;
	}
	*ret = all;
	*ret_count = count;
	return 0;
}

int
db_barred_session(struct db *db, const char *name, const char *server, uint64_t client, time_t since, bool *ret,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_BARRED_SESSION, e, SQL_TEXT(name), SQL_TEXT(server),
	    SQL_INT((int64_t)client), SQL_INT(since));
	int rc = sql_step(db, st, e);

	*ret = rc > 0 && sqlite3_column_int(st, 0) != 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
end_record(struct db *db, const struct db_bar_end *end, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SESSION_PHONE, e, SQL_TEXT(end->name), SQL_NULL, SQL_TEXT(end->server),
	    SQL_INT((int64_t)end->client), SQL_INT(end->since));
	char subject[65];
	int rc = sql_step(db, st, e);

	(void)snprintf(subject, sizeof(subject), "%s", end->name);
	if (rc > 0)
		rc = sql_column_text(db, st, 1, subject, sizeof(subject), e);
	sql_done(st);
	if (rc < 0)
		return -1;
	return event_append(db, e, "session.end", subject, "its certificate is barred: client %llu of %s at %s",
	    (unsigned long long)end->client, end->name, end->server);
}

int
db_bar_end(struct db *db, const struct db_bar_end *ends, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = end_record(db, &ends[i], e);
	return sql_end(db, rc, e);
}

int
db_bar_compared(struct db *db, size_t barred, size_t attached, size_t servers, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, event_append(db, e, COMPARED, "", COMPARED_AT, barred, attached, servers), e);
}

int
db_bar_answer(struct db *db, int64_t event, bool *ret, size_t *ret_attached, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_BAR_ANSWER, e, SQL_INT(event), SQL_TEXT(COMPARED));
	size_t barred, servers;
	int rc = sql_step(db, st, e);

	*ret = rc > 0;
	if (rc > 0 &&
	    sscanf((const char *)sqlite3_column_text(st, 0), COMPARED_AT, &barred, ret_attached, &servers) != 3)
		rc = err_set(e, ERR_INTEGRITY, "%s: events: expected what " COMPARED " says, found another text",
		    db->file);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}
