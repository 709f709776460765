/* SPDX-License-Identifier: ISC */
#ifndef DB_HOLDING_H
#define DB_HOLDING_H

#include "db/db.h"
#include "db/request.h"

/*
 * What phones have in their hands, as far as is known: whom it makes them trust, and who has signed it. To be asked before
 * an authority is given up, or the server gets a certificate of another one.
 */
struct db_held {
	int64_t number;		/* the generation; 0: none is known */
	int64_t authority;	/* that has issued its certificate */
	unsigned char profile[DB_PROFILE_HASH_SIZE];	/* for db_profile_get() */
};

struct db_holding {
	int64_t phone;
	char mac[DB_MAC_SIZE];
	struct db_held offered;	/* what the phone is offered */
	bool fetched;		/* it has fetched that, or connected with it: db/ladder.h */
	struct db_held seen;	/* what its newest VPN session was with, revoked ones left out */
};

/* Every phone that is offered a generation, as db_phone_each(). */
int db_holding_each(struct db *db, int (*each)(const struct db_holding *h, void *arg, struct err *e), void *arg,
    struct err *e);

#endif
