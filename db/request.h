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

/* A number that has changed when somebody else has changed the state since the last call on this handle. */
int db_data_version(struct db *db, int64_t *ret, struct err *e);

/* Whose an HTTP user is, and append the password that goes with it: one look-up by the user's name, however many. */
int db_phone_login(struct db *db, const char *http_user, char ret_mac[DB_MAC_SIZE], struct buf *ret_password,
    struct err *e);

#endif
