/* SPDX-License-Identifier: ISC */
#ifndef DB_BAR_H
#define DB_BAR_H

#include "db/ladder.h"

/*
 * Certificates with which nobody may be on the VPN, whatever the CRL of its server says yet: who watches the servers ends
 * such sessions. All that db/db.h says of its calls holds for these.
 */

struct db_barred {
	unsigned char serial[DB_SERIAL_SIZE];
	time_t since;			/* when that was last asked for; greater each time */
	char name[65];			/* its common name */
	bool has_digest;		/* not, where an imported certificate is not at hand */
	unsigned char digest[DB_DIGEST_SIZE];	/* SHA-256 of its DER */
};

/* Bar certificates, again or for the first time, all or none; who watches answers. *ret_event: the last event of that. */
int db_bar(struct db *db, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count, time_t when, int64_t *ret_event,
    struct err *e);

/* All that have not ended, by serial, in memory that the caller frees; NULL for none. */
int db_barred_all(struct db *db, time_t now, struct db_barred **ret, size_t *ret_count, struct err *e);

/*
 * A session that is known by its name alone, but for what was recorded of its beginning. True: its certificate is barred,
 * or is not known and each one of that name is barred or revoked, one of them at least barred.
 */
int db_barred_session(struct db *db, const char *name, const char *server, uint64_t client, time_t since, bool *ret,
    struct err *e);

/* A session that was told to end. */
struct db_bar_end {
	const char *server;
	uint64_t client;
	time_t since;
	char name[65];
};

/* Each is an event of its phone. All or none. */
int db_bar_end(struct db *db, const struct db_bar_end *ends, size_t count, struct err *e);

/* Who watches has compared what is barred with all clients of so many of its servers: an event. */
int db_bar_compared(struct db *db, size_t barred, size_t attached, size_t servers, struct err *e);

/* Whether that has happened after this event, and at how many servers it was. */
int db_bar_answer(struct db *db, int64_t event, bool *ret, size_t *ret_attached, struct err *e);

#endif
