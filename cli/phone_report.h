/* SPDX-License-Identifier: ISC */
#ifndef CLI_PHONE_REPORT_H
#define CLI_PHONE_REPORT_H

#include "cli/address.h"
#include "db/db.h"

#include <jansson.h>

/* Where a phone stands on its way to the VPN. */
enum phone_stand {
	STAND_TURNED_DOWN,	/* the model or its firmware cannot */
	STAND_NONE,		/* nothing minted yet */
	STAND_MINTED,		/* a generation that is not offered */
	STAND_OFFERED,
	STAND_REVOKED,		/* its newest certificate is */
};

/* why, unless NULL, gets the reason of STAND_TURNED_DOWN. */
enum phone_stand phone_stand(const struct db_phone *p, struct err *why);

/* "offered" and so on. */
const char *phone_stand_name(enum phone_stand stand);

/* The phone as a JSON object, without secrets; a new reference, or NULL. */
json_t *phone_report(const struct db_phone *p, const struct addresses *addresses);

/* A serial in lower-case hex. */
#define SERIAL_HEX_SIZE (2 * DB_SERIAL_SIZE + 1)
void serial_hex(const unsigned char serial[DB_SERIAL_SIZE], char out[SERIAL_HEX_SIZE]);

/* The reverse; fewer digits are the lower ones. The code is ERR_USAGE. */
int serial_parse(const char *s, unsigned char ret[DB_SERIAL_SIZE], struct err *e);

#endif
