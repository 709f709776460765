/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <string.h>

#define SEALED_MAX 256

int
db_setting_get(struct db *db, const char *name, char *ret_value, size_t size, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SETTING_GET, e, SQL_TEXT(name));
	char shown[80];
	int rc = sql_step(db, st, e);

	if (rc == 0 || (rc > 0 && name[0] == '.'))
		rc = err_set(e, ERR_NOT_FOUND, "setting %s: not set", text_printable(name, shown, sizeof(shown)));
	else if (rc > 0)
		rc = sql_column_text(db, st, 0, ret_value, size, e);
	sql_done(st);
	return rc;
}

int
setting_put(struct db *db, const struct db_setting *setting, struct err *e)
{
	char shown[80];

	if (setting->name[0] == '.' || setting->name[0] == '\0')
		return err_set(e, ERR_INPUT, "setting \"%s\": expected a name that does not begin with a dot",
		    text_printable(setting->name, shown, sizeof(shown)));
	return sql_run(db, SQL_SETTING_PUT, e, SQL_TEXT(setting->name), SQL_TEXT(setting->value));
}

/* Is it what is stored already? */
static int
setting_is(struct db *db, const struct db_setting *setting, bool *ret_same, struct err *e)
{
	sqlite3_stmt *st = sql_start(db, SQL_SETTING_GET, e, SQL_TEXT(setting->name));
	int rc = sql_step(db, st, e);

	*ret_same = rc > 0 && sqlite3_column_type(st, 0) == SQLITE_TEXT &&
	            strcmp((const char *)sqlite3_column_text(st, 0), setting->value) == 0;
	sql_done(st);
	return rc < 0 ? -1 : 0;
}

int
setting_change(struct db *db, const struct db_setting *setting, struct err *e)
{
	bool same;

	if (setting_is(db, setting, &same, e) != 0)
		return -1;
	if (same)
		return 0;
	if (setting_put(db, setting, e) != 0)
		return -1;
	return event_append(db, e, "setting.set", setting->name, "%s", setting->value);
}

int
db_setting_set(struct db *db, const struct db_setting *settings, size_t count, struct err *e)
{
	int rc = 0;

	if (sql_begin(db, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = setting_change(db, &settings[i], e);
	return sql_end(db, rc, e);
}

static struct seal_place
setting_place(const char *name)
{
	return (struct seal_place){ .table = "settings", .column = "value", .row = name, .row_len = strlen(name) };
}

int
setting_put_sealed(struct db *db, const char *name, const void *data, size_t len, struct err *e)
{
	const struct seal_place place = setting_place(name);
	struct buf sealed = BUF_INIT(SEALED_MAX + SEAL_OVERHEAD);
	int rc = -1;

	if (sql_seal(db, &place, data, len, &sealed, e) == 0)
		rc = sql_run(db, SQL_SETTING_PUT, e, SQL_TEXT(name), SQL_BLOB(sealed.data, sealed.len));
	buf_release(&sealed);
	return rc;
}

int
setting_get_sealed(struct db *db, const char *name, void *out, size_t size, struct err *e)
{
	const struct seal_place place = setting_place(name);
	struct buf plain = BUF_INIT(SEALED_MAX);
	sqlite3_stmt *st = sql_start(db, SQL_SETTING_GET, e, SQL_TEXT(name));
	int rc = sql_step(db, st, e);

	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "%s: settings: %s is missing", db->file, name);
	else if (rc > 0)
		rc = sql_column_sealed(db, st, 0, &place, &plain, e);
	if (rc == 0 && plain.len != size)
		rc = err_set(e, ERR_INTEGRITY, "%s: settings: %s: expected %zu bytes, found %zu", db->file, name, size,
		    plain.len);
	if (rc == 0)
		memcpy(out, plain.data, size);
	sql_done(st);
	buf_release(&plain);
	return rc;
}

int
db_nonce_key_get(struct db *db, unsigned char ret_key[DB_NONCE_KEY_SIZE], struct err *e)
{
	return setting_get_sealed(db, SETTING_NONCE_KEY, ret_key, DB_NONCE_KEY_SIZE, e);
}
