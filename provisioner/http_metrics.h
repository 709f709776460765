/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_METRICS_H
#define PROVISIONER_HTTP_METRICS_H

#include "common/buf.h"
#include "provisioner/route.h"

#include <stdatomic.h>

/* What came of the login of one request. */
enum http_login {
	HTTP_LOGIN_NONE,	/* the request had none, or needed none */
	HTTP_LOGIN_RIGHT,
	HTTP_LOGIN_STALE,	/* right but for the nonce's age */
	HTTP_LOGIN_MALFORMED,
	HTTP_LOGIN_UNKNOWN,	/* no such user */
	HTTP_LOGIN_WRONG,	/* password, realm, uri or nonce */
	HTTP_LOGIN_OTHER,	/* right, and asks for another phone's files */
	HTTP_LOGIN_FAILED,	/* the store could not be asked */
	HTTP_LOGIN_THROTTLED,	/* not looked at, as too many wrong ones wait already */
};
#define HTTP_LOGINS (HTTP_LOGIN_THROTTLED + 1)

#define HTTP_STATUSES 17	/* those that we or the library answer with, and one for all others */

/* Counted by all threads at once; zeroed at the start. */
struct http_counts {
	atomic_ulong requests[ROUTE_BUNDLE + 1][HTTP_STATUSES];
	atomic_ulong logins[HTTP_LOGINS];
	atomic_ulong bytes;
};

/* One finished request. status 0: it ended without an answer. */
void http_count(struct http_counts *c, enum route_kind route, unsigned int status, enum http_login login,
    size_t bytes);

/* Their families in Prometheus' format. */
void http_counts_render(struct http_counts *c, struct buf *out);

/* "config", "bundle"; as the log and the metrics name it. */
const char *http_route_name(enum route_kind kind);

/* "wrong_password"; "" for HTTP_LOGIN_NONE and HTTP_LOGIN_RIGHT. */
const char *http_login_name(enum http_login login);

#endif
