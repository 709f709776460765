/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVE_RUN_H
#define CLI_SERVE_RUN_H

#include "cli/service_manager.h"
#include "common/buf.h"
#include "common/command.h"
#include "provisioner/http.h"

/* The running server: what is beside it, and what signals and the service manager ask of it. */
struct serving {
	const struct invocation *in;
	const struct http_config *http;
	const char *admin;		/* where the admin listener is, or NULL */
	int admin_socket;		/* the service manager's for it, or -1; not both */
};

/* Serve until SIGTERM or SIGINT; SIGHUP reloads. */
int serve_until_stopped(const struct serving *s, struct err *e);

#endif
