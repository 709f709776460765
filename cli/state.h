/* SPDX-License-Identifier: ISC */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include "common/command.h"
#include "db/db.h"

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

#endif
