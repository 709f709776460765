/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>
#include <time.h>

/* ---- giving and taking ---- */

static int
picker_load(struct db *db, struct host_picker *picker, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_HOST_ALL, e);
	int rc;

	memset(picker->given, 0, sizeof(picker->given));
	while ((rc = sql_step(db, st, e)) > 0) {
		int64_t host = sqlite3_column_int64(st, 0);

		if (host >= 0 && host <= DB_HOST_MAX)
			picker->given[host / 8] |= (unsigned char)(1U << host % 8);
	}
	sql_done(st);
	picker->known = rc == 0;
	picker->next = 0;
	return rc;
}

/* The one that was given back first; *ret_host 0 when there is none. */
static int
host_returned(struct db *db, const struct db_host_range *range, uint32_t *ret_host, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_HOST_RETURNED, e, SQL_INT(range->first), SQL_INT(range->last));
	int rc = sql_step(db, st, e);

	*ret_host = rc > 0 ? (uint32_t)sqlite3_column_int64(st, 0) : 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
host_put(struct db *db, int64_t phone, uint32_t host, struct err *e)
{
	return sql_run(db, SQL_HOST_TAKE, e, SQL_INT(host), SQL_INT(phone));
}

int
host_pick(struct db *db, struct host_picker *picker, int64_t phone, const struct db_host_range *range,
    uint32_t *ret_host, struct err *e)
{
	uint32_t last = range->last < DB_HOST_MAX ? range->last : DB_HOST_MAX, host;

	if (!picker->known && picker_load(db, picker, e) != 0)
		return -1;
	host = picker->next > range->first ? picker->next : range->first;
	while (host <= last && (picker->given[host / 8] & 1U << host % 8) != 0)
		host++;
	picker->next = host;
	if (host <= last)
		picker->given[host / 8] |= (unsigned char)(1U << host % 8);
	else if (host_returned(db, range, &host, e) != 0)
		return -1;
	if (host == 0)
		return err_set(e, ERR_CONFLICT, "VPN network: expected a free address, found all %u for phones taken",
		    last - range->first + 1);
	if (host_put(db, phone, host, e) != 0)
		return -1;
	*ret_host = host;
	return 0;
}

int
host_take(struct db *db, int64_t phone, const char *mac, uint32_t host, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_HOST_OWNER, e, SQL_INT(host));
	char owner[DB_MAC_SIZE] = "";
	int rc = sql_step(db, st, e);

	if (rc > 0 && sqlite3_column_int64(st, 0) != phone)
		rc = sql_column_text(db, st, 1, owner, sizeof(owner), e);
	sql_done(st);
	if (rc < 0)
		return -1;
	if (owner[0] != '\0')
		return err_set(e, ERR_CONFLICT, "phone %s: its VPN address belongs to phone %s", mac, owner);
	return host_put(db, phone, host, e);
}

int
host_return(struct db *db, int64_t phone, struct err *e)
{
	return sql_run(db, SQL_HOST_RETURN, e, SQL_INT(phone), SQL_INT(time(NULL)));
}

/* ---- phones that are there already ---- */

static int
host_assign(struct db *db, int64_t phone, struct host_picker *picker, const struct db_host_range *range, struct err *e)
{
	struct db_phone p;
	uint32_t host;

	if (phone_get_by_id(db, phone, &p, e) != 0)
		return -1;
	if (p.vpn_host != 0)
		return 0;
	if (host_pick(db, picker, phone, range, &host, e) != 0)
		return -1;
	return event_append(db, e, "phone.address", p.mac, "VPN host %u", host);
}

int
db_host_assign(struct db *db, const int64_t *phones, size_t count, const struct db_host_range *range, struct err *e)
{
	struct host_picker picker = { .known = false };
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = host_assign(db, phones[i], &picker, range, e);
	return sql_end(db, rc, e);
}

int
db_host_taken(struct db *db, const struct db_host_range *range, size_t *ret, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_HOST_TAKEN, e, SQL_INT(range->first), SQL_INT(range->last));
	int rc = sql_step(db, st, e);

	if (rc > 0)
		*ret = (size_t)sqlite3_column_int64(st, 0);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

/* ---- another network ---- */

/* The first phone whose number is above host; *ret_phone 0 when there is none. */
static int
host_above(struct db *db, uint32_t host, int64_t *ret_phone, char ret_mac[DB_MAC_SIZE], uint32_t *ret_host,
    struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_HOST_ABOVE, e, SQL_INT(host));
	int rc = sql_step(db, st, e);

	*ret_phone = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
	*ret_host = rc > 0 ? (uint32_t)sqlite3_column_int64(st, 2) : 0;
	if (rc > 0)
		rc = sql_column_text(db, st, 1, ret_mac, DB_MAC_SIZE, e);
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

static int
hosts_move(struct db *db, const struct db_host_range *range, size_t *ret_moved, struct err *e)
{
	struct host_picker picker = { .known = false };
	uint32_t old = range->last, new;
	char mac[DB_MAC_SIZE];
	int64_t phone;

	for (*ret_moved = 0;; (*ret_moved)++) {
		if (host_above(db, old, &phone, mac, &old, e) != 0)
			return -1;
		if (phone == 0)
			return 0;
		if (host_return(db, phone, e) != 0 || host_pick(db, &picker, phone, range, &new, e) != 0 ||
		    event_append(db, e, "phone.address", mac, "VPN host %u to %u", old, new) != 0)
			return -1;
	}
}

static int
network_set(struct db *db, const struct db_setting *network, const struct db_host_range *range, size_t *ret_kept,
    size_t *ret_moved, struct err *e)
{
	size_t taken = 0;

	if (setting_change(db, network, e) != 0 || hosts_move(db, range, ret_moved, e) != 0 ||
	    db_host_taken(db, range, &taken, e) != 0)
		return -1;
	*ret_kept = taken - *ret_moved;
	return 0;
}

int
db_network_set(struct db *db, const struct db_setting *network, const struct db_host_range *range, size_t *ret_kept,
    size_t *ret_moved, struct err *e)
{
	if (sql_begin(db, e) != 0)
		return -1;
	return sql_end(db, network_set(db, network, range, ret_kept, ret_moved, e), e);
}

/* ---- listing ---- */

struct host_list {
	int64_t host, certificate;
	int (*each)(const struct db_host *host, void *arg, struct err *e);
	void *arg;
};

static int
host_fetch(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e)
{
	struct host_list *list = state;
	struct db_host *row = rows;
	sqlite3_stmt *st = sql_start(db, SQL_HOST_PAGE, e, SQL_INT(list->host), SQL_INT(list->certificate),
	    SQL_INT(SQL_PAGE));
	int rc;

	while ((rc = sql_step(db, st, e)) > 0) {
		struct db_host *h = &row[*ret_count];

		list->host = sqlite3_column_int64(st, 0);
		list->certificate = sqlite3_column_int64(st, 1);
		h->host = (uint32_t)list->host;
		rc = sql_column_text(db, st, 2, h->name, sizeof(h->name), e);
		if (rc != 0)
			break;
		(*ret_count)++;
	}
	sql_done(st);
	return rc;
}

static int
host_call(void *state, const void *row, struct err *e)
{
	const struct host_list *list = state;

	return list->each(row, list->arg, e);
}

int
db_host_each(struct db *db, int (*each)(const struct db_host *host, void *arg, struct err *e), void *arg, struct err *e)
{
	static const struct sql_pages pages = { sizeof(struct db_host), host_fetch, host_call, NULL };
	struct host_list list = { .each = each, .arg = arg };

	return sql_pages_each(db, &pages, &list, e);
}
