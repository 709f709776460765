/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_CA_H
#define CLI_ROLLOUT_CA_H

#include "rollout/plan.h"

/*
 * Put the CA of that name, which a rollout is to move phones to, into its plan, and into r the stage that it begins with:
 * the CA is one that nobody has yet, or one that a rollout which was taken back has left issuing beside the former, and
 * that the servers trust since then. ERR_CONFLICT for any other.
 */
int rollout_ca_take(struct db *db, const char *name, struct plan *plan, struct db_rollout *r, struct err *e);

#endif
