/* SPDX-License-Identifier: ISC */
#ifndef CLI_OFFERED_H
#define CLI_OFFERED_H

#include "db/db.h"

/* What a phone is offered: its newest generation, or, when a run of "mint" was interrupted, one before it. */
struct offered {
	int64_t number;
	char profile[DB_HASH_SIZE];
	unsigned char serial[DB_SERIAL_SIZE];
	time_t not_after, revoked;	/* of its certificate; revoked 0: not */
};

/* p->offered must not be 0. ERR_INTEGRITY when there is no such generation. */
int offered_get(struct db *db, const struct db_phone *p, struct offered *ret, struct err *e);

#endif
