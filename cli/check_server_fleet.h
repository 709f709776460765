/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_SERVER_FLEET_H
#define CLI_CHECK_SERVER_FLEET_H

#include "bundler/check_server.h"
#include "cli/check_report.h"
#include "db/db.h"

/*
 * Judge a server against every phone that a bundle is offered to, each profile once and each certificate by itself, and
 * against what is revoked. What phones share is told once, with their number, which is *ret_count for all. What is found
 * is reported, and what f held before; it is empty afterwards.
 */
int check_server_walk(struct check_server *server, struct db *db, const struct check_clock *clock,
    struct check_report *report, struct findings *f, size_t *ret_count, bool quiet, struct err *e);

/* The part of it that is no phone's: whether the server turns down what is revoked and has not ended. */
int check_server_revocations(struct check_server *server, struct db *db, const struct check_clock *clock,
    struct findings *out, struct err *e);

#endif
