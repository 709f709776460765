/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

#include "common/text.h"

#include <stdio.h>

#define OWNER_PREFIX ".owner."
#define OWNER_SIZE (sizeof(OWNER_PREFIX) + 2 * (size_t)DB_SERIAL_SIZE)

/* ---- who a certificate serves that has another name ---- */

static void
owner_name(const unsigned char serial[DB_SERIAL_SIZE], char out[OWNER_SIZE])
{
	char hex[2 * DB_SERIAL_SIZE + 1];

	text_hex(serial, DB_SERIAL_SIZE, hex);
	(void)snprintf(out, OWNER_SIZE, OWNER_PREFIX "%s", hex);
}

static int
owner_put(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], const char *mac, struct err *e)
{
	char name[OWNER_SIZE];

	owner_name(serial, name);
	return setting_put_sealed(db, name, mac, DB_MAC_SIZE, e);
}

int
db_certificate_owner(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], char ret_mac[DB_MAC_SIZE],
    struct err *e)
{
	char name[OWNER_SIZE], mac[DB_MAC_SIZE];

	owner_name(serial, name);
	if (setting_get_sealed(db, name, mac, sizeof(mac), e) != 0)
		return -1;
	return text_copy(ret_mac, DB_MAC_SIZE, mac, name, e);
}

/* ---- certificates ---- */

/* One that is there may get a key and a phone, but never another phone or CA, nor a second life. */
static int
known_check(struct db *db, const struct db_certificate_imported *c, const struct db_certificate *known,
    int64_t authority, int64_t phone, struct err *e)
{
	const unsigned char *serial = known->serial;
	int64_t owner = 0;

	if (certificate_phone(db, serial, &owner, e) != 0)
		return -1;
	if (known->revoked != 0)
		return certificate_error(e, ERR_CONFLICT, serial, "revoked, so it cannot serve again");
	if (known->authority != authority)
		return certificate_error(e, ERR_CONFLICT, serial,
		    "this serial is in the database already, of another CA");
	if (known->server || c->certificate.cert == NULL || phone == 0 || (owner != 0 && owner != phone))
		return certificate_error(e, ERR_CONFLICT, serial, "this serial is in the database already");
	return 0;
}

static int
certificate_store(struct db *db, const struct db_certificate_imported *c, int64_t authority, int64_t phone,
    struct err *e)
{
	const struct db_certificate_new *new = &c->certificate;
	struct db_certificate known;
	struct err mine = ERR_INIT;

	if (db_certificate_get(db, new->serial, &known, &mine) == 0) {
		if (known_check(db, c, &known, authority, phone, e) != 0)
			return -1;
		return certificate_complete(db, new, phone, c->name, e);
	}
	if (mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	if (certificate_add(db, new, authority, phone, c->name, c->server, e) != 0)
		return -1;
	if (c->revoked == 0)
		return 0;
	return sql_run(db, SQL_CERTIFICATE_REVOKE, e, SQL_BLOB(new->serial, DB_SERIAL_SIZE), SQL_INT(c->revoked),
	    SQL_INT(c->reason));
}

static int
certificate_import(struct db *db, const struct db_certificate_imported *c, int64_t authority, struct err *e)
{
	char hex[2 * DB_SERIAL_SIZE + 1];
	struct db_phone phone = { .id = 0 };

	if (c->phone != NULL && db_phone_get(db, c->phone, &phone, e) != 0)
		return -1;
	if (certificate_store(db, c, c->authority != 0 ? c->authority : authority, phone.id, e) != 0)
		return -1;
	if (c->phone != NULL && c->declared && owner_put(db, c->certificate.serial, phone.mac, e) != 0)
		return -1;
	text_hex_number(c->certificate.serial, DB_SERIAL_SIZE, hex);
	return event_append(db, e, "certificate.import",
	    c->server          ? hex
	    : c->phone != NULL ? c->phone
			       : c->name,
	    "serial %s%s%s", hex, c->certificate.key != NULL ? "" : ", without key",
	    c->revoked != 0 ? ", revoked" : "");
}

/* ---- all of it ---- */

static int
generation_import(struct db *db, struct db_generation_new *g, struct err *e)
{
	struct db_offer offer;
	struct db_phone phone;

	if (db_phone_get(db, g->mac, &phone, e) != 0)
		return -1;
	g->phone = phone.id;
	if (generation_add(db, g, e) != 0)
		return -1;
	offer = (struct db_offer){ .phone = phone.id, .number = g->ret_number };
	return generation_offer(db, &offer, e);
}

int
import_add(struct db *db, const struct db_import *import, int64_t authority, struct err *e)
{
	struct host_picker picker = { .known = false };

	for (size_t i = 0; i < import->phone_count; i++) {
		if (phone_add(db, &import->phones[i], &picker, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < import->certificate_count; i++) {
		if (certificate_import(db, &import->certificates[i], authority, e) != 0)
			return -1;
	}
	if (import->generation_count > 0 &&
	    profile_put(db, import->profile_hash, import->profile, import->profile_len, e) != 0)
		return -1;
	for (size_t i = 0; i < import->generation_count; i++) {
		if (generation_import(db, &import->generations[i], e) != 0)
			return -1;
	}
	return 0;
}

int
import_verify(struct db *db, const struct db_import *import, struct err *e)
{
	return import->verify != NULL ? import->verify(db, import->arg, e) : 0;
}

int
db_import(struct db *db, const struct db_import *import, struct err *e)
{
	int rc;

	if (sql_begin(db, e) != 0)
		return -1;
	rc = import_add(db, import, 0, e);
	if (rc == 0)
		rc = import_verify(db, import, e);
	return sql_end(db, rc, e);
}
