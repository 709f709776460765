/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_THROTTLE_H
#define PROVISIONER_HTTP_THROTTLE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Inside provisioner/http*.c only: logins that wait for their turn (throttle.h), as suspended connections. */
struct http_throttle;
struct http_request;

enum http_turn {
	HTTP_TURN_NOW,
	HTTP_TURN_LATER,	/* the connection is suspended; its handler is called again when the turn has come */
	HTTP_TURN_FULL,
};

/* max: as many may wait at once. NULL on failure. */
struct http_throttle *http_throttle_new(size_t max, struct err *e);

/* After http_throttle_end(), or when nothing was served. NULL is taken. */
void http_throttle_free(struct http_throttle *t);

/* Before a request's login is looked at. user is borrowed until http_throttle_leave(). */
enum http_turn http_throttle_enter(struct http_request *q, const char *user);

/* After it was: q->login says how it ended. */
void http_throttle_leave(struct http_request *q);

/* Let all go on at once, and nobody wait any more: the library does not stop while a connection is suspended. */
void http_throttle_end(struct http_throttle *t);

void http_throttle_render(struct http_throttle *t, struct buf *out);

#endif
