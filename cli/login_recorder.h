/* SPDX-License-Identifier: ISC */
#ifndef CLI_LOGIN_RECORDER_H
#define CLI_LOGIN_RECORDER_H

#include "db/enroll.h"

#include <stdbool.h>

/*
 * Which phones have logged in as themselves: such a phone is provisioned, and nobody may enroll in its place. A thread
 * records each one's first login, in batches and when nobody else writes, so that no request waits for it; until then
 * it is kept in memory. A server that is killed forgets what it has not recorded, a second or what another writer took.
 */
struct login_recorder;

/* where, with at_once, must outlive it. NULL on failure. */
struct login_recorder *login_recorder_start(const struct db_location *where, struct err *e);

/* A login of a phone that has none on record. */
void login_recorder_note(struct login_recorder *r, const char *mac);

/* It was noted, and may not be on record yet. */
bool login_recorder_has(struct login_recorder *r, const char *mac);

/* While this is held, the recorder does not write: for whoever else in this process does. */
void login_recorder_hold(struct login_recorder *r);
void login_recorder_release(struct login_recorder *r);

/* Record what is left, when nobody else writes, and end it. NULL is taken. */
void login_recorder_stop(struct login_recorder *r);

#endif
