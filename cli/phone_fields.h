/* SPDX-License-Identifier: ISC */
#ifndef CLI_PHONE_FIELDS_H
#define CLI_PHONE_FIELDS_H

#include "db/db.h"
#include "common/command.h"

/* What an admin says of a phone, as options of "phone add" and "phone set", and as columns of a CSV file. */
enum phone_field {
	FIELD_MAC,
	FIELD_MODEL,
	FIELD_FIRMWARE,
	FIELD_EXTENSION,
	FIELD_SECRET,
	FIELD_LABEL,
	FIELD_GROUP,
	FIELD_HTTP_USER,
	FIELD_HTTP_PASSWORD,
	FIELD_COUNT,
};

#define FIELD_SECRET_MAX 80
#define FIELD_PASSWORD_MAX 128

/* A phone under construction. Its secrets are cleansed by phone_draft_release(). */
struct phone_draft {
	struct db_phone phone;
	struct buf secret, http_password;
};

#define PHONE_DRAFT_INIT { .secret = BUF_INIT(FIELD_SECRET_MAX), .http_password = BUF_INIT(FIELD_PASSWORD_MAX) }

/* The name of a CSV column. */
const char *phone_field_name(enum phone_field field);

/* Check a value and take it over. ERR_INPUT names the field, what was expected and what was found. */
int phone_field_put(struct phone_draft *d, enum phone_field field, const char *value, struct err *e);

/* After the fields: MAC and model are there; the HTTP login becomes the MAC and a random password unless given. */
int phone_draft_finish(struct phone_draft *d, struct err *e);

/* 24 random letters and digits. */
int phone_password_new(struct buf *out, struct err *e);

/* For db_phone_add(); borrows from d. */
struct db_phone_new phone_draft_new(const struct phone_draft *d);

void phone_draft_release(struct phone_draft *d);

/* A MAC in front of the other arguments of a command; the code is ERR_USAGE. */
int phone_argument(const char *s, char ret_mac[DB_MAC_SIZE], struct err *e);

/* Say on stderr what is odd about a MAC, but no error. */
void phone_warn_mac(const struct invocation *in, const char *mac);

#endif
