/* SPDX-License-Identifier: ISC */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include "cli/settings.h"
#include "db/authority.h"

/* Render the profile that phones get by the settings and CAs as they are now, and take its hash. */
int profile_current(struct db *db, const struct settings *s, struct buf *ret_text, char ret_hash[PROFILE_HASH_SIZE],
    struct err *e);

/* With the CAs of other roles than DB_ROLES_PHONES. */
int profile_with(struct db *db, const struct settings *s, unsigned int roles, struct buf *ret_text,
    char ret_hash[PROFILE_HASH_SIZE], struct err *e);

#endif
