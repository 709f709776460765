/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>
#include <time.h>

#define SERIAL_HEX_SIZE (2 * DB_SERIAL_SIZE + 1)

static struct seal_place
certificate_place(const unsigned char serial[DB_SERIAL_SIZE])
{
	return (struct seal_place){
		.table = "certificates",
		.column = "sealed_key",
		.row = serial,
		.row_len = DB_SERIAL_SIZE,
	};
}

int
certificate_error(struct err *e, enum err_code code, const unsigned char serial[DB_SERIAL_SIZE], const char *text)
{
	char hex[SERIAL_HEX_SIZE];

	text_hex_number(serial, DB_SERIAL_SIZE, hex);
	return err_set(e, code, "certificate %s: %s", hex, text);
}

int
certificate_missing(const unsigned char serial[DB_SERIAL_SIZE], struct err *e)
{
	return certificate_error(e, ERR_NOT_FOUND, serial, "not in the database");
}

/* Sealed for this row; nothing at all for a key that is not at hand, which no sealed one is. */
static int
key_seal(struct db *db, const struct db_certificate_new *c, struct buf *out, struct err *e)
{
	const struct seal_place place = certificate_place(c->serial);

	return c->key == NULL ? 0 : sql_seal(db, &place, c->key->data, c->key->len, out, e);
}

int
certificate_add(struct db *db, const struct db_certificate_new *c, int64_t authority, int64_t phone, const char *name,
    bool server, struct err *e)
{
	struct buf sealed = BUF_INIT(DB_DER_MAX + SEAL_OVERHEAD);
	int rc = -1;

	if (c->not_after <= c->not_before)
		return certificate_error(e, ERR_INPUT, c->serial, "expected notAfter behind notBefore");
	if (key_seal(db, c, &sealed, e) != 0)
		goto out;
	rc = sql_run(db, SQL_CERTIFICATE_ADD, e, SQL_BLOB(c->serial, DB_SERIAL_SIZE), SQL_INT(authority),
	    { .type = phone != 0 ? SQL_IS_INT : SQL_IS_NULL, .number = phone }, SQL_TEXT(name),
	    SQL_TEXT(server ? "server" : "phone"), SQL_INT(c->not_before), SQL_INT(c->not_after), SQL_INT(time(NULL)),
	    SQL_BLOB(c->cert != NULL ? c->cert->data : NULL, c->cert != NULL ? c->cert->len : 0),
	    SQL_BLOB(sealed.data, sealed.len));
	if (rc != 0 && sql_failed_unique(db))
		certificate_error(e, ERR_CONFLICT, c->serial, "this serial is in the database already");
	else if (rc != 0 && sql_failed_foreign_key(db))
		certificate_error(e, ERR_NOT_FOUND, c->serial, "its CA or its phone is not in the database");
out:
	buf_release(&sealed);
	return rc;
}

int
certificate_complete(struct db *db, const struct db_certificate_new *c, int64_t phone, const char *name, struct err *e)
{
	struct buf sealed = BUF_INIT(DB_DER_MAX + SEAL_OVERHEAD);
	int rc = -1;

	if (key_seal(db, c, &sealed, e) == 0)
		rc = sql_run(db, SQL_CERTIFICATE_COMPLETE, e, SQL_BLOB(c->serial, DB_SERIAL_SIZE), SQL_INT(phone),
		    SQL_TEXT(name), SQL_BLOB(c->cert->data, c->cert->len), SQL_BLOB(sealed.data, sealed.len));
	buf_release(&sealed);
	return rc;
}

int
certificate_phone(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_PHONE, e, SQL_BLOB(serial, DB_SERIAL_SIZE));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = sqlite3_column_int64(st, 0);
	sql_done(st);
	if (rc == 0)
		return certificate_missing(serial, e);
	return rc < 0 ? -1 : 0;
}

/* A row of CERTIFICATE_SELECT (sqlite_statement.c). */
int
certificate_read(struct db *db, sqlite3_stmt *st, struct db_certificate *ret, struct err *e)
{
	char kind[8];
	struct db_certificate c = {
		.authority = sqlite3_column_int64(st, 2),
		.not_before = sqlite3_column_int64(st, 5),
		.not_after = sqlite3_column_int64(st, 6),
		.issued = sqlite3_column_int64(st, 7),
		.revoked = sqlite3_column_int64(st, 8),
		.reason = sqlite3_column_int(st, 9),
		.dropped = sqlite3_column_int(st, 11) != 0,
	};

	if (sql_column_bytes(db, st, 1, c.serial, sizeof(c.serial), e) != 0 ||
	    sql_column_text(db, st, 3, c.name, sizeof(c.name), e) != 0 ||
	    sql_column_text(db, st, 4, kind, sizeof(kind), e) != 0)
		return -1;
	c.server = strcmp(kind, "server") == 0;
	*ret = c;
	return 0;
}

int
db_certificate_get(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct db_certificate *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_GET, e, SQL_BLOB(serial, DB_SERIAL_SIZE));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = certificate_missing(serial, e);
	else if (rc > 0)
		rc = certificate_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
db_certificate_server(struct db *db, struct db_certificate *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_SERVER, e);
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "state folder %s: no server certificate of a CA that phones trust",
		    db->dir);
	else if (rc > 0)
		rc = certificate_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
certificate_key(struct db *db, sqlite3_stmt *st, int column, const unsigned char serial[DB_SERIAL_SIZE],
    struct buf *ret, struct err *e)
{
	const struct seal_place place = certificate_place(serial);
	char hex[SERIAL_HEX_SIZE];

	if (sqlite3_column_bytes(st, column) == 0)
		return certificate_error(e, ERR_NOT_FOUND, serial,
		    "its CA was imported without this certificate's key");
	if (sql_column_sealed(db, st, column, &place, ret, e) == 0)
		return 0;
	text_hex_number(serial, DB_SERIAL_SIZE, hex);
	return err_prefix(e, "certificate %s", hex);
}

static int
certificate_bytes(sqlite3_stmt *st, int column, const unsigned char serial[DB_SERIAL_SIZE], struct buf *ret,
    struct err *e)
{
	if (sqlite3_column_bytes(st, column) == 0)
		return certificate_error(e, ERR_NOT_FOUND, serial, "its CA was imported without this certificate");
	return sql_column_buf(st, column, ret, e);
}

int
db_certificate_der(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct buf *ret_cert, struct buf *ret_key,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_CERTIFICATE_DER, e, SQL_BLOB(serial, DB_SERIAL_SIZE));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = certificate_missing(serial, e);
	else if (rc > 0)
		rc = 0;
	/* The key first: when it does not open, nothing was appended. */
	if (rc == 0 && ret_key != NULL)
		rc = certificate_key(db, st, 1, serial, ret_key, e);
	if (rc == 0 && ret_cert != NULL)
		rc = certificate_bytes(st, 0, serial, ret_cert, e);
	sql_done(st);
	return rc;
}

static int
certificate_add_server(struct db *db, int64_t authority, const char *name, const struct db_certificate_new *c,
    const char *note, struct err *e)
{
	char hex[SERIAL_HEX_SIZE], field[sizeof(((struct db_certificate *)NULL)->name)];

	if (text_copy(field, sizeof(field), name, "name of the server", e) != 0 ||
	    authority_issues(db, authority, e) != 0 || certificate_add(db, c, authority, 0, name, true, e) != 0)
		return -1;
	text_hex(c->serial, DB_SERIAL_SIZE, hex);
	return event_append(db, e, "certificate.issue", hex, "server %s%s%s", name, note != NULL ? ", " : "",
	    note != NULL ? note : "");
}

int
db_certificate_add_server(struct db *db, int64_t authority, const char *name, const struct db_certificate_new *c,
    const char *note, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, certificate_add_server(db, authority, name, c, note, e), e);
}

/* ---- listing ---- */

struct certificate_list {
	const struct db_certificate_filter *filter;
	int64_t after;
	int (*each)(const struct db_certificate *c, void *arg, struct err *e);
	void *arg;
};

static sqlite3_stmt *
certificate_page(struct db *db, const struct certificate_list *list, struct err *e)
{
	const struct db_certificate_filter *f = list->filter;
	const struct sql_value values[] = { SQL_INT(list->after), SQL_INT(f->authority), SQL_INT(f->revoked),
		SQL_INT(SQL_PAGE), SQL_TEXT(f->name) };

	if (f->name != NULL)
		return sql_start_values(db, SQL_CERTIFICATE_PAGE_BY_NAME, values, 5, e);
	if (f->server)
		return sql_start_values(db, SQL_CERTIFICATE_PAGE_SERVER, values, 4, e);
	return sql_start_values(db, f->revoked ? SQL_CERTIFICATE_PAGE_REVOKED : SQL_CERTIFICATE_PAGE, values, 4, e);
}

static int
certificate_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct certificate_list *list = state;
	struct db_certificate *row = rows;
	sqlite3_stmt *st = certificate_page(db, list, e);
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		rc = certificate_read(db, st, &row[*ret_count], e);
		if (rc != 0)
			break;
		list->after = sqlite3_column_int64(st, 0);
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
certificate_call(void *state, const void *row, struct err *e)
{
	const struct certificate_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_certificate_each(struct db *db, const struct db_certificate_filter *filter,
    int (*each)(const struct db_certificate *c, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_certificate), certificate_fetch, certificate_call,
		NULL };
	struct certificate_list list = { .filter = filter, .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}
