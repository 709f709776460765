/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_NOTIFY_H
#define CLI_ROLLOUT_NOTIFY_H

#include "db/db.h"

#include <stdbool.h>

/*
 * Ask phones of running rollouts, that were offered their generation, to fetch it now: the setting notify-command is run
 * for each, once, with the phone in its environment. Not all at once: *ret_more tells that some are left. The state's
 * writer lock is not held while a command runs.
 */
int rollout_notify(const struct db_location *where, bool *ret_more, struct err *e);

#endif
