/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_ADMIN_H
#define PROVISIONER_ADMIN_H

#include "common/buf.h"
#include "common/err.h"
#include "provisioner/http.h"

/*
 * A second HTTP server beside that of the phones, for who watches over it: GET /healthz (200 "ok", or 503 and why) and
 * GET /metrics (Prometheus). It asks for no login and names no phone.
 */
struct admin_config {
	const char *listen;		/* as common/listen.h says, or NULL: */
	int socket;			/* one that listens already; the server's to close, also on failure */
	struct http_server *server;	/* whose counts are shown; must outlive this one */
	/* Called from one thread. */
	void *arg;
	int (*health)(void *arg, struct err *e);	/* -1: e says what is wrong */
	void (*metrics)(void *arg, struct buf *out);	/* further families */
};

struct admin;

/* NULL on failure: a port in use is ERR_CONFLICT. config is copied. */
struct admin *admin_start(const struct admin_config *config, struct err *e);

/* "http://127.0.0.1:43211", borrowed. */
const char *admin_url(const struct admin *a);

/* NULL is taken. */
void admin_stop(struct admin *a);

#endif
