/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>
#include <time.h>

#define PHONE_SECRET_MAX 4096
#define DETAIL_MAX 2048

struct seal_place
phone_place(const char *mac, const char *column)
{
	return (struct seal_place){ .table = "phones", .column = column, .row = mac, .row_len = strlen(mac) };
}

static int
phone_seal(struct db *db, const char *mac, const char *column, const char *plain, struct buf *out, struct err *e)
{
	const struct seal_place place = phone_place(mac, column);

	return sql_seal(db, &place, plain, strlen(plain), out, e);
}

/* Which of the two UNIQUE columns was it? */
static int
phone_exists(struct db *db, const struct db_phone *p, struct err *e)
{
	struct db_phone other;

	if (db_phone_get(db, p->mac, &other, NULL) == 0 && other.id != p->id)
		return err_set(e, ERR_CONFLICT, "phone %s: in the fleet already", p->mac);
	if (db_phone_get_by_user(db, p->http_user, &other, NULL) == 0)
		return err_set(e, ERR_CONFLICT, "phone %s: HTTP user %s belongs to phone %s", p->mac, p->http_user,
		    other.mac);
	return err_set(e, ERR_CONFLICT, "phone %s: in the fleet already", p->mac);
}

static int
phone_check(const struct db_phone *p, const char *http_password, struct err *e)
{
	char shown[32];

	if (!text_is_hex(p->mac, DB_MAC_SIZE - 1))
		return err_set(e, ERR_INPUT, "phone %s: expected a MAC of 12 lower-case hex digits",
		    text_printable(p->mac, shown, sizeof(shown)));
	if (p->http_user[0] == '\0')
		return err_set(e, ERR_INPUT, "phone %s: expected an HTTP user, found none", p->mac);
	if (http_password != NULL && http_password[0] == '\0')
		return err_set(e, ERR_INPUT, "phone %s: expected an HTTP password, found an empty one", p->mac);
	return 0;
}

/* The number that it asks for, or any; *ret_host 0 when it shall have none. */
static int
host_give(struct db *db, const struct db_phone_new *n, struct host_picker *picker, uint32_t *ret_host, struct err *e)
{
	const int64_t phone = sqlite3_last_insert_rowid(db->sql);

	*ret_host = n->phone.vpn_host;
	if (n->phone.vpn_host != 0)
		return host_take(db, phone, n->phone.mac, n->phone.vpn_host, e);
	return n->hosts.last == 0 ? 0 : host_pick(db, picker, phone, &n->hosts, ret_host, e);
}

int
phone_add(struct db *db, const struct db_phone_new *n, struct host_picker *picker, struct err *e)
{
	struct buf secret = BUF_INIT(PHONE_SECRET_MAX), password = BUF_INIT(PHONE_SECRET_MAX);
	const struct db_phone *p = &n->phone;
	const bool has_secret = n->secret != NULL && n->secret[0] != '\0';
	struct db_phone fresh = *p;
	char host[32] = "";
	uint32_t number;
	int rc = -1;

	fresh.id = 0;
	if (phone_check(p, n->http_password != NULL ? n->http_password : "", e) != 0 ||
	    (has_secret && phone_seal(db, p->mac, "sealed_secret", n->secret, &secret, e) != 0) ||
	    phone_seal(db, p->mac, "sealed_http_password", n->http_password, &password, e) != 0)
		goto out;
	if (sql_run(db, SQL_PHONE_ADD, e, SQL_TEXT(p->mac), SQL_TEXT(p->model), SQL_TEXT(p->firmware),
		SQL_TEXT(p->extension), SQL_TEXT(p->label), SQL_TEXT(p->group), SQL_TEXT(p->http_user),
		SQL_BLOB(password.data, password.len),
		{ .type = has_secret ? SQL_IS_BLOB : SQL_IS_NULL, .data = secret.data, .len = secret.len },
		SQL_INT(time(NULL))) != 0) {
		if (sql_failed_unique(db))
			phone_exists(db, &fresh, e);
		goto out;
	}
	if (host_give(db, n, picker, &number, e) != 0)
		goto out;
	if (number != 0)
		sqlite3_snprintf(sizeof(host), host, ", VPN host %u", number);
	rc = event_append(db, e, "phone.add", p->mac, "model %s%s%s%s", p->model,
	    p->extension[0] != '\0' ? ", extension " : "", p->extension, host);
out:
	buf_release(&secret);
	buf_release(&password);
	return rc;
}

int
db_phone_add(struct db *db, const struct db_phone_new *phones, size_t count, struct err *e)
{
	struct host_picker picker = { .known = false };
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = phone_add(db, &phones[i], &picker, e);
	return sql_end(db, rc, e);
}

/* ---- changing ---- */

static void
difference_add(struct buf *out, const char *field, const char *old, const char *new)
{
	if (strcmp(old, new) != 0)
		buf_addf(out, "%s%s \"%s\" to \"%s\"", out->len > 0 ? ", " : "", field, old, new);
}

/* What the event shall tell: "" when nothing differs. Of secrets only that they changed. */
static void
difference(const struct db_phone *old, const struct db_phone *new, const char *secret, const char *http_password,
    struct buf *out)
{
	difference_add(out, "model", old->model, new->model);
	difference_add(out, "firmware", old->firmware, new->firmware);
	difference_add(out, "extension", old->extension, new->extension);
	difference_add(out, "label", old->label, new->label);
	difference_add(out, "group", old->group, new->group);
	difference_add(out, "HTTP user", old->http_user, new->http_user);
	if (old->vpn_host != new->vpn_host)
		buf_addf(out, "%sVPN host %u to %u", out->len > 0 ? ", " : "", old->vpn_host, new->vpn_host);
	if (secret != NULL && (secret[0] != '\0' || old->has_secret))
		buf_addf(out, "%ssecret%s", out->len > 0 ? ", " : "", secret[0] == '\0' ? " taken away" : "");
	if (http_password != NULL)
		buf_addf(out, "%sHTTP password", out->len > 0 ? ", " : "");
}

static int
phone_set_sealed(struct db *db, enum sql which, const struct db_phone *p, const char *column, const char *plain,
    struct err *e)
{
	struct buf sealed = BUF_INIT(PHONE_SECRET_MAX);
	int rc = -1;

	if (plain[0] == '\0')
		rc = sql_run(db, which, e, SQL_INT(p->id), SQL_NULL);
	else if (phone_seal(db, p->mac, column, plain, &sealed, e) == 0)
		rc = sql_run(db, which, e, SQL_INT(p->id), SQL_BLOB(sealed.data, sealed.len));
	buf_release(&sealed);
	return rc;
}

int
phone_set_password(struct db *db, const struct db_phone *p, const char *http_password, struct err *e)
{
	return phone_set_sealed(db, SQL_PHONE_SET_HTTP_PASSWORD, p, "sealed_http_password", http_password, e);
}

static int
phone_set(struct db *db, const struct db_phone *p, const char *secret, const char *http_password, struct err *e)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct db_phone old;
	int rc = -1;

	if (phone_get_by_id(db, p->id, &old, e) != 0 || phone_check(p, http_password, e) != 0)
		goto out;
	difference(&old, p, secret, http_password, &detail);
	if (detail.len == 0) {
		rc = 0;
		goto out;
	}
	if (sql_run(db, SQL_PHONE_SET, e, SQL_INT(p->id), SQL_TEXT(p->model), SQL_TEXT(p->firmware),
		SQL_TEXT(p->extension), SQL_TEXT(p->label), SQL_TEXT(p->group), SQL_TEXT(p->http_user)) != 0) {
		if (sql_failed_unique(db))
			phone_exists(db, p, e);
		goto out;
	}
	if (p->vpn_host != old.vpn_host &&
	    (host_return(db, p->id, e) != 0 ||
		(p->vpn_host != 0 && host_take(db, p->id, old.mac, p->vpn_host, e) != 0)))
		goto out;
	/* Sealed for the MAC that is stored, whatever the caller's says. */
	if (secret != NULL && phone_set_sealed(db, SQL_PHONE_SET_SECRET, &old, "sealed_secret", secret, e) != 0)
		goto out;
	if (http_password != NULL && phone_set_password(db, &old, http_password, e) != 0)
		goto out;
	rc = event_append(db, e, "phone.set", old.mac, "%s", buf_string(&detail));
out:
	buf_release(&detail);
	return rc;
}

int
db_phone_set(struct db *db, const struct db_phone *phone, const char *secret, const char *http_password, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, phone_set(db, phone, secret, http_password, e), e);
}
