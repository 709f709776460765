/* SPDX-License-Identifier: ISC */
#ifndef CLI_KEYPOOL_FILLER_H
#define CLI_KEYPOOL_FILLER_H

#include "db/db.h"

/*
 * A thread that keeps as many keys ready as the setting "keypool" says, while the machine has nothing else to do. It
 * begins after a while, so that a fleet that boots is served first. What goes wrong is logged, once, and tried again.
 */
struct keypool_filler;

/* where must outlive it. NULL on failure. */
struct keypool_filler *keypool_filler_start(const struct db_location *where, struct err *e);

/* Ends it within the making of a key; NULL is taken. */
void keypool_filler_stop(struct keypool_filler *f);

#endif
