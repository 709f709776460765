/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_SIZE sizeof(((struct db_authority *)NULL)->name)

const char *
db_role_name(enum db_role role)
{
	static const char *const names[] = {
		[DB_ROLE_NEXT] = "next",
		[DB_ROLE_ISSUING] = "issuing",
		[DB_ROLE_FORMER] = "former",
		[DB_ROLE_DROPPED] = "dropped",
	};

	return names[role];
}

static struct seal_place
authority_place(const char *name)
{
	return (struct seal_place){
		.table = "authorities",
		.column = "sealed_key",
		.row = name,
		.row_len = strlen(name),
	};
}

static int
authority_missing(int64_t id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "CA %lld: not in the database", (long long)id);
}

static int
crl_check(const struct db_crl *crl, struct err *e)
{
	if (crl->number > INT64_MAX || crl->der.len == 0)
		return err_set(e, ERR_INPUT,
		    "CRL: expected DER bytes and a number below 2^63, found %zu bytes, number %llu", crl->der.len,
		    (unsigned long long)crl->number);
	return 0;
}

int
authority_add(struct db *db, const struct db_authority_new *n, enum db_role role, int64_t *ret_id, struct err *e)
{
	const struct seal_place place = authority_place(n->name);
	struct buf sealed = BUF_INIT(DB_DER_MAX + SEAL_OVERHEAD);
	const struct db_crl *crl = n->crl;
	int rc = -1;

	if (crl_check(crl, e) != 0 || sql_seal(db, &place, n->key->data, n->key->len, &sealed, e) != 0)
		goto out;
	if (sql_run(db, SQL_AUTHORITY_ADD, e, SQL_TEXT(n->name), SQL_BLOB(n->cert->data, n->cert->len),
		SQL_BLOB(sealed.data, sealed.len), SQL_INT(time(NULL)), SQL_INT((int64_t)crl->number),
		SQL_INT(crl->this_update), SQL_INT(crl->next_update), SQL_BLOB(crl->der.data, crl->der.len),
		SQL_INT(role)) != 0) {
		if (sql_failed_unique(db))
			err_set(e, ERR_CONFLICT, "CA \"%s\": exists already", n->name);
		goto out;
	}
	*ret_id = sqlite3_last_insert_rowid(db->sql);
	rc = event_append(db, e, "authority.add", n->name, "id %lld, %s, CRL number %llu", (long long)*ret_id,
	    db_role_name(role), (unsigned long long)crl->number);
out:
	buf_release(&sealed);
	return rc;
}

/* A row of AUTHORITY_SELECT (sqlite_statement.c). */
static int
authority_read(struct db *db, sqlite3_stmt *st, struct db_authority *ret, struct err *e)
{
	struct db_authority a = {
		.id = sqlite3_column_int64(st, 0),
		.cert = BUF_INIT(DB_DER_MAX),
		.created = sqlite3_column_int64(st, 3),
		.crl_number = (uint64_t)sqlite3_column_int64(st, 4),
		.crl_this_update = sqlite3_column_int64(st, 5),
		.crl_next_update = sqlite3_column_int64(st, 6),
		.role = (enum db_role)sqlite3_column_int(st, 7),
	};

	if (sql_column_text(db, st, 1, a.name, sizeof(a.name), e) != 0 || sql_column_buf(st, 2, &a.cert, e) != 0) {
		db_authority_release(&a);
		return -1;
	}
	*ret = a;
	return 0;
}

int
db_authority_current(struct db *db, struct db_authority *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_CURRENT, e);
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "state folder %s: no CA in the database", db->dir);
	else if (rc > 0)
		rc = authority_read(db, st, ret, e);
	sql_done(st);
	return rc;
}

int
db_authority_list(struct db *db, unsigned int roles, struct db_authority **ret, size_t *ret_count, struct err *e)
{
	struct db_authority *all = NULL, *more;
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_ALL, e, SQL_INT(roles));
	size_t count = 0;
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		more = reallocarray(all, count + 1, sizeof(*all));
		rc = more == NULL ? err_set(e, ERR_FAILED, "list of CAs: no memory") : 0;
		if (rc == 0) {
			all = more;
			rc = authority_read(db, st, &all[count], e);
		}
		if (rc != 0)
			break;
		count++;
	}
	sql_done(st);
	if (rc != 0) {
		db_authority_free(all, count);
		return -1;
	}
	*ret = all;
	*ret_count = count;
	return 0;
}

int
db_authority_key(struct db *db, int64_t id, struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_KEY, e, SQL_INT(id));
	char name[NAME_SIZE];
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = authority_missing(id, e);
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, name, sizeof(name), e);
	if (rc == 0) {
		const struct seal_place place = authority_place(name);

		rc = sql_column_sealed(db, st, 1, &place, ret, e);
		if (rc != 0)
			err_prefix(e, "CA \"%s\"", name);
	}
	sql_done(st);
	return rc;
}

int
db_authority_crl(struct db *db, int64_t id, struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_CRL, e, SQL_INT(id));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = authority_missing(id, e);
	else if (rc > 0)
		rc = sql_column_buf(st, 0, ret, e);
	sql_done(st);
	return rc;
}

/* The CRL's number must grow: RFC 5280 section 5.2.3. */
static int
crl_number_check(struct db *db, int64_t id, const struct db_crl *crl, char *ret_name, size_t size, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_STATE, e, SQL_INT(id));
	uint64_t last = 0;
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = authority_missing(id, e);
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, ret_name, size, e);
	if (rc == 0)
		last = (uint64_t)sqlite3_column_int64(st, 1);
	sql_done(st);
	if (rc == 0 && crl->number <= last)
		rc = err_set(e, ERR_CONFLICT, "CRL of CA \"%s\": expected a number greater than %llu, found %llu",
		    ret_name, (unsigned long long)last, (unsigned long long)crl->number);
	return rc;
}

int
authority_set_crl(struct db *db, int64_t id, const struct db_crl *crl, struct err *e)
{
	char name[NAME_SIZE];

	if (crl_check(crl, e) != 0 || crl_number_check(db, id, crl, name, sizeof(name), e) != 0 ||
	    sql_run(db, SQL_AUTHORITY_SET_CRL, e, SQL_INT(id), SQL_INT((int64_t)crl->number), SQL_INT(crl->this_update),
		SQL_INT(crl->next_update), SQL_BLOB(crl->der.data, crl->der.len)) != 0)
		return -1;
	return event_append(db, e, "crl.set", name, "number %llu", (unsigned long long)crl->number);
}

int
db_authority_set_crl(struct db *db, int64_t id, const struct db_crl *crl, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, authority_set_crl(db, id, crl, e), e);
}

/* ---- roles ---- */

static int
authority_state(struct db *db, int64_t id, char ret_name[NAME_SIZE], enum db_role *ret_role, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_STATE, e, SQL_INT(id));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = authority_missing(id, e);
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, ret_name, NAME_SIZE, e);
	if (rc == 0)
		*ret_role = (enum db_role)sqlite3_column_int(st, 2);
	sql_done(st);
	return rc;
}

static int
role_error(const char *name, const char *expected, enum db_role role, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "CA \"%s\": expected %s, found it is %s", name, expected, db_role_name(role));
}

int
authority_issues(struct db *db, int64_t id, struct err *e)
{
	enum db_role role;
	char name[NAME_SIZE];

	if (authority_state(db, id, name, &role, e) != 0)
		return -1;
	return role == DB_ROLE_ISSUING ? 0 : role_error(name, "the one that issues", role, e);
}

static int
role_set(struct db *db, int64_t id, const char *name, enum db_role role, struct err *e)
{
	if (sql_run(db, SQL_AUTHORITY_SET_ROLE, e, SQL_INT(id), SQL_INT(role)) != 0)
		return -1;
	return event_append(db, e, "authority.role", name, "%s", db_role_name(role));
}

static int
authority_add_next(struct db *db, const struct db_authority_new *n, struct err *e)
{
	struct db_authority *next = NULL;
	char name[NAME_SIZE];
	size_t count = 0;
	int64_t id;
	int rc = -1;

	if (text_copy(name, sizeof(name), n->name, "name of the CA", e) != 0 ||
	    db_authority_list(db, DB_ROLES(DB_ROLE_NEXT), &next, &count, e) != 0)
		return -1;
	if (count > 0)
		err_set(e, ERR_CONFLICT, "CA \"%s\": expected no other next one, found \"%s\"", n->name, next[0].name);
	else
		rc = authority_add(db, n, DB_ROLE_NEXT, &id, e);
	db_authority_free(next, count);
	return rc;
}

int
db_authority_add(struct db *db, const struct db_authority_new *n, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, authority_add_next(db, n, e), e);
}

static int
authority_promote(struct db *db, int64_t id, struct err *e)
{
	struct db_authority former;
	enum db_role role;
	char name[NAME_SIZE];
	int rc;

	if (authority_state(db, id, name, &role, e) != 0)
		return -1;
	if (role != DB_ROLE_NEXT)
		return role_error(name, "the next one", role, e);
	if (db_authority_current(db, &former, e) != 0)
		return -1;
	rc = role_set(db, former.id, former.name, DB_ROLE_FORMER, e);
	db_authority_release(&former);
	return rc == 0 ? role_set(db, id, name, DB_ROLE_ISSUING, e) : -1;
}

int
db_authority_promote(struct db *db, int64_t id, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, authority_promote(db, id, e), e);
}

/* No phone may be offered what no server takes. */
static int
offered_check(struct db *db, int64_t id, const char *name, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_AUTHORITY_OFFERED, e, SQL_INT(id));
	char mac[DB_MAC_SIZE];
	int rc = sql_step(db, st, e);

	if (rc > 0 && sqlite3_column_int64(st, 0) > 0)
		rc = sql_column_text(db, st, 1, mac, sizeof(mac), e) != 0
		         ? -1
		         : err_set(e, ERR_CONFLICT,
			       "CA \"%s\": expected no phone to be offered a certificate of it, found %lld that are, "
			       "phone %s first",
			       name, (long long)sqlite3_column_int64(st, 0), mac);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
server_check(struct db *db, int64_t id, const char *name, struct err *e)
{
	struct db_certificate server;
	struct err why = ERR_INIT;

	if (db_certificate_server(db, &server, &why) != 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_set(e, why.code, "%s", why.text);
	return server.authority != id ? 0
	                              : err_set(e, ERR_CONFLICT,
					    "CA \"%s\": expected the server's certificate to be of another CA, found "
					    "it is of this one; 'phonevpn server renew' moves it",
					    name);
}

static int
may_drop(struct db *db, int64_t id, char ret_name[NAME_SIZE], struct err *e)
{
	enum db_role role;

	if (authority_state(db, id, ret_name, &role, e) != 0)
		return -1;
	if (role != DB_ROLE_NEXT && role != DB_ROLE_FORMER)
		return role_error(ret_name, "a former or the next one", role, e);
	return server_check(db, id, ret_name, e);
}

int
db_authority_may_drop(struct db *db, int64_t id, struct err *e)
{
	char name[NAME_SIZE];

	return may_drop(db, id, name, e);
}

static int
authority_drop(struct db *db, int64_t id, struct err *e)
{
	char name[NAME_SIZE];

	if (may_drop(db, id, name, e) != 0 || offered_check(db, id, name, e) != 0)
		return -1;
	return role_set(db, id, name, DB_ROLE_DROPPED, e);
}

int
db_authority_drop(struct db *db, int64_t id, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, authority_drop(db, id, e), e);
}

void
db_authority_release(struct db_authority *a)
{
	buf_release(&a->cert);
}

void
db_authority_free(struct db_authority *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		db_authority_release(&all[i]);
	free(all);
}
