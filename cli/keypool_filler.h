/* SPDX-License-Identifier: ISC */
#ifndef CLI_KEYPOOL_FILLER_H
#define CLI_KEYPOOL_FILLER_H

#include "db/db.h"

#include <stdbool.h>

/*
 * A thread that keeps as many keys ready as the setting "keypool" says. Another one makes them, while the machine has
 * nothing else to do; this one stores them, and holds the writer's lock for no longer than that takes. It begins after a
 * while, so that a fleet that boots is served first. What goes wrong is logged, once, and tried again.
 */
struct keypool_filler;

/* where must outlive it. NULL on failure. */
struct keypool_filler *keypool_filler_start(const struct db_location *where, struct err *e);

/*
 * End it. False when it did not end within a second, as a thread that makes a key at idle priority may not where others
 * have the processors: then it still runs, and the process has to be left with _exit(). NULL is taken.
 */
bool keypool_filler_stop(struct keypool_filler *f);

#endif
