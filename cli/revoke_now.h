/* SPDX-License-Identifier: ISC */
#ifndef CLI_REVOKE_NOW_H
#define CLI_REVOKE_NOW_H

#include "cli/revocation.h"
#include "common/command.h"

/* Whose sessions 'revoke --now' is to have ended. */
struct revoke_now {
	struct revocation bar;		/* certificates, revoked before or not, of whatever authority */
	int64_t phone;			/* 0: none that is in the fleet */
	int64_t event;			/* the last one when they were barred */
	size_t attached;		/* out: servers that who watches was attached to */
	enum {
		NOW_UNWATCHED,		/* nobody has taken note */
		NOW_ENDED,		/* no session that is known goes on */
		NOW_GOES_ON,
	} outcome;
};

#define REVOKE_NOW_INIT { .bar = REVOCATION_INIT }

/* Gather all of a phone's certificates, or one, with its phone. */
int revoke_now_of_phone(struct db *db, const struct db_phone *p, struct revoke_now *n, struct err *e);
int revoke_now_of_serial(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct revoke_now *n, struct err *e);

/* Wait, for some seconds at most, for their sessions to have ended; nobody in this process may be the writer meanwhile. */
int revoke_now_wait(const struct invocation *in, struct revoke_now *n, struct err *e);

/* "ended" and so on. */
const char *revoke_now_outcome(const struct revoke_now *n);

/* 0 when the outcome is what was asked for; else -1, with what is left to be done. */
int revoke_now_check(const struct revoke_now *n, struct err *e);

#endif
