/* SPDX-License-Identifier: ISC */
#ifndef CLI_SESSION_REPORT_H
#define CLI_SESSION_REPORT_H

#include "db/ladder.h"

#include <jansson.h>

/* What is known of a phone on the VPN, for people and for scripts. */

/* For db_ladder_each() with a JSON array. */
int step_json(const struct db_step *step, void *arg, struct err *e);

/* The phone's newest session, or null: a new reference. */
int session_json(struct db *db, int64_t phone, json_t **ret, struct err *e);

/* The same as a line, or nothing. */
int session_line(struct db *db, int64_t phone, struct err *e);

/* Its rungs under a heading, or nothing. */
int steps_print(struct db *db, int64_t phone, struct err *e);

#endif
