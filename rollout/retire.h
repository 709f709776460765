/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_RETIRE_H
#define ROLLOUT_RETIRE_H

#include "db/db.h"

/*
 * Which of a phone's certificates are superseded, and whether they may go. A certificate that is revoked too early takes a
 * phone away that has not got the next one; so it goes only when the phone was seen to stay on the VPN with its successor,
 * and was not seen with another one since.
 */
enum retire_wait {
	RETIRE_READY,		/* it may be revoked */
	RETIRE_OFFER,		/* the newest generation is not offered to the phone */
	RETIRE_FETCH,		/* the phone has neither fetched it, as far as is known, nor connected with it */
	RETIRE_CONNECT,		/* it has fetched it, and not connected with it */
	RETIRE_SETTLE,		/* its sessions with it have not lasted yet */
	RETIRE_FELL_BACK,	/* its last session is with an older certificate, or with an unknown one */
	RETIRE_UNWATCHED,	/* with which certificate its last session is, nobody has seen */
	RETIRE_ROLLED_BACK,	/* it is offered an older generation, as its rollout was rolled back */
};

/* What it waits for, for a message. */
const char *retire_wait_name(enum retire_wait wait);

struct retire_item {
	const struct db_phone *phone;
	struct db_certificate certificate;
	int64_t successor;	/* the generation that has to be taken first, or was */
	enum retire_wait wait;
};

/* Call each for every certificate of the phone that is superseded and not revoked. each may make calls on db. */
int retire_each(struct db *db, const struct db_phone *p, int (*each)(const struct retire_item *item, void *arg, struct err *e),
    void *arg, struct err *e);

#endif
