/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_SERVER_FLEET_H
#define CLI_CHECK_SERVER_FLEET_H

#include "bundler/check_server.h"
#include "cli/check_report.h"
#include "db/db.h"

/*
 * Judge a server against every phone that a bundle is offered to: each profile once, each certificate by itself.
 * *ret_count: phones. What is found is reported at once, and f is empty afterwards.
 */
int check_server_walk(struct check_server *server, struct db *db, struct check_report *report, struct findings *f,
    size_t *ret_count, bool quiet, struct err *e);

#endif
