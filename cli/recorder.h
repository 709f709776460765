/* SPDX-License-Identifier: ISC */
#ifndef CLI_RECORDER_H
#define CLI_RECORDER_H

#include "db/enroll.h"
#include "db/ladder.h"

#include <stdbool.h>

/*
 * What a server has seen of its phones and is to put on record: a phone's first login as itself (such a phone is
 * provisioned, and nobody may enroll in its place), and what it has fetched of a generation. A thread records each once, in
 * batches and when nobody else writes, so that no request waits for it; until then it is kept in memory. A server that is
 * killed forgets what it has not recorded, a second or what another writer took.
 */
struct recorder;

/* where, with at_once, must outlive it. NULL on failure. */
struct recorder *recorder_start(const struct db_location *where, struct err *e);

/* A login of a phone that has none on record. */
void recorder_note_login(struct recorder *r, const char *mac);

/* It was noted, and may not be on record yet. */
bool recorder_has_login(struct recorder *r, const char *mac);

/* A rung, without its source, that is not on record: from that IP address, while enrolling or with a login. */
void recorder_note_rung(struct recorder *r, const struct db_step *step, const char *address, bool enrolling);

/* While this is held, the recorder does not write: for whoever else in this process does. */
void recorder_hold(struct recorder *r);
void recorder_release(struct recorder *r);

/* Record what is left, when nobody else writes, and end it. NULL is taken. */
void recorder_stop(struct recorder *r);

#endif
