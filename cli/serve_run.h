/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVE_RUN_H
#define CLI_SERVE_RUN_H

#include "cli/serve_enroll.h"
#include "cli/service_manager.h"
#include "common/buf.h"
#include "common/command.h"
#include "provisioner/http.h"

#define SERVE_TLS_MAX (1 << 20)

/* The running server: what is beside it, and what signals and the service manager ask of it. */
struct serving {
	const struct invocation *in;
	const struct http_config *http;
	struct serve_enroll *enroll;	/* its recorder is stopped with the server */
	const char *tls_cert, *tls_key;	/* files, or NULL */
	const char *admin;		/* where the admin listener is, or NULL */
	int admin_socket;		/* the service manager's for it, or -1; not both */
};

/* The pair of --tls-cert and --tls-key, which are NULL both or none; key onto a buffer that is released. */
int serve_tls_read(const char *cert_file, const char *key_file, struct buf *cert, struct buf *key, struct err *e);

/* Serve until SIGTERM or SIGINT; SIGHUP reloads. */
int serve_until_stopped(const struct serving *s, struct err *e);

#endif
