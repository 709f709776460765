/* SPDX-License-Identifier: ISC */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include "common/command.h"
#include "db/db.h"

#include <stdbool.h>

/* phonevpn's global options, in the order of its table in main.c. */
enum {
	GLOBAL_DIR,
	GLOBAL_MASTER_KEY,
};

#define STATE_DIR_DEFAULT "/var/lib/phonevpn"
#define STATE_ACTOR_SIZE 128

/* Where the state is, from --dir, $PHONEVPN_DIR or the default. actor is filled and must live as long as *ret. */
void state_location(const struct invocation *in, char actor[STATE_ACTOR_SIZE], struct db_location *ret);

/* Open the state for reading, or as its one writer. NULL on failure; db_close() it. */
struct db *state_open(const struct invocation *in, struct err *e);
struct db *state_open_writer(const struct invocation *in, struct err *e);

/*
 * What a server does beside its main work came to rc: log a failure as "what: reason; then", once until it does well
 * again. That another writer is at work is none: it will end.
 */
void state_warn_once(bool *has_warned, int rc, const struct err *e, const char *what, const char *then);

#endif
