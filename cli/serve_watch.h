/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVE_WATCH_H
#define CLI_SERVE_WATCH_H

#include "common/command.h"
#include "provisioner/admin.h"

/*
 * What the admin listener tells of the state folder, with a handle of its own, so that no phone waits for it. The whole
 * fleet is counted at most once a minute.
 */
struct serve_watch;

/* server is borrowed: close this one first. NULL on failure. */
struct serve_watch *serve_watch_open(const struct invocation *in, struct http_server *server, struct err *e);

/* NULL is taken. */
void serve_watch_close(struct serve_watch *w);

/* What admin_start() is given, but for where it listens. */
struct admin_config serve_watch_admin(struct serve_watch *w);

#endif
