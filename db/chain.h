/* SPDX-License-Identifier: ISC */
#ifndef DB_CHAIN_H
#define DB_CHAIN_H

#include "common/err.h"
#include "db/db.h"

#define CHAIN_HASH_SIZE 32

/*
 * The hash of an event: SHA-256 of the hash of the event before (32 zero bytes before the first), then id, time, and
 * actor, action, subject and detail, each behind its length. Numbers and lengths are 8 bytes, big end first.
 */
int chain_hash(const unsigned char before[CHAIN_HASH_SIZE], const struct db_event *event,
    unsigned char ret[CHAIN_HASH_SIZE], struct err *e);

/* n as 8 bytes, big end first, and back. */
void chain_put_number(unsigned char out[8], int64_t n);
int64_t chain_get_number(const unsigned char in[8]);

#endif
