/* SPDX-License-Identifier: ISC */
#ifndef DB_MASTER_KEY_H
#define DB_MASTER_KEY_H

#include "common/err.h"
#include "db/seal.h"

#include <stdbool.h>

/*
 * The master key: a plain file of 32 random bytes that nobody but its owner can read. One that belongs to root may be
 * readable by its group, too (0640), for a service that gets it as a credential. The caller cleanses the key.
 */

/* ERR_NOT_FOUND when there is no such file; ERR_INTEGRITY when its size or its permission is wrong. */
int master_key_load(const char *path, unsigned char ret[SEAL_KEY_SIZE], struct err *e);

/* Load it, or make it (0600) when there is none. */
int master_key_take(const char *path, unsigned char ret[SEAL_KEY_SIZE], bool *ret_made, struct err *e);

#endif
