/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_RUNNER_H
#define CLI_ROLLOUT_RUNNER_H

#include "db/db.h"

#include <stdbool.h>

/* A thread that moves rollouts on while a server runs. What goes wrong is logged, once, and tried again. */
struct rollout_runner;

/* where, with at_once, must outlive it. NULL on failure. */
struct rollout_runner *rollout_runner_start(const struct db_location *where, struct err *e);

/* End it after the step that it is at. False when that has not ended within some seconds. NULL is taken. */
bool rollout_runner_stop(struct rollout_runner *r);

#endif
