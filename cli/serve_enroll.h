/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVE_ENROLL_H
#define CLI_SERVE_ENROLL_H

#include "cli/recorder.h"

/* How a server lets phones enroll. All is borrowed. */
struct serve_enroll {
	struct db_location where;	/* at_once: a request waits for no other writer */
	const char *base_dir;		/* the admin's own documents, or NULL */
	struct recorder *recorder;
};

/*
 * Somebody at address asks for a phone's document without a login; db is for reading. 0 with the document in out, and
 * the phone, when it may enroll: it has, then, on disk. Of all who ask at once, in whichever server, one gets that. ERR_NOT_FOUND
 * when it may not, ERR_CONFLICT while somebody else is writing; nothing is changed then.
 */
int serve_enroll(const struct serve_enroll *s, struct db *db, const char *mac, const char *address, struct db_phone *ret,
    struct buf *out, struct err *e);

#endif
