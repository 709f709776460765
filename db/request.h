/* SPDX-License-Identifier: ISC */
#ifndef DB_REQUEST_H
#define DB_REQUEST_H

#include "db/db.h"

/* What a server that reads all day, a request at a time, needs beside db.h. */

/*
 * All calls between these two, on a handle that was opened for reading, see the state of one moment, and cost less; a
 * writer is neither waited for nor held up. They may be nested.
 */
int db_read_begin(struct db *db, struct err *e);
void db_read_end(struct db *db);

/*
 * From now on the state that the two had last is kept for the next, as long as nobody has changed anything: that is seen
 * without a call of the system. Meanwhile a writer's changes pile up in the WAL, so db_read_idle() lets go of it, to be
 * called when there was nothing to do for a while.
 */
void db_read_keep(struct db *db);
void db_read_idle(struct db *db);

/* What names the state that a handle sees between the two: handles that see the same have the same. */
#define DB_MOMENT_WORDS 12
struct db_moment {
	uint64_t words[DB_MOMENT_WORDS];
};

/* False where it cannot be told: without db_read_keep(), or when somebody changed the state in just that moment. */
bool db_read_moment(const struct db *db, struct db_moment *ret);

/* A number that has changed when somebody else has changed the state since the last call on this handle. */
int db_data_version(struct db *db, int64_t *ret, struct err *e);

/*
 * Whose an HTTP user is, and append the password that goes with it: one look-up by the user's name, however many. Of the
 * phone all is told but its group, address and age, and its newest generation; and whether it is on record that the offered one
 * was offered and fetched (db/ladder.h).
 */
int db_phone_login(struct db *db, const char *http_user, struct db_phone *ret, struct buf *ret_password, struct err *e);

#define DB_PROFILE_HASH_SIZE 32

/*
 * The bundle that such a phone is offered, as db_bundle_get() has it, but for the text of its profile: many phones share
 * it, and what a hash names never changes, so it need not be read each time. The caller releases ret.
 */
int db_bundle_offered(struct db *db, const struct db_phone *p, struct db_bundle *ret,
    unsigned char ret_profile[DB_PROFILE_HASH_SIZE], struct err *e);

/* Append the text. */
int db_profile_get(struct db *db, const unsigned char hash[DB_PROFILE_HASH_SIZE], struct buf *out, struct err *e);

#endif
