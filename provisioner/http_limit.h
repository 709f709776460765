/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_LIMIT_H
#define PROVISIONER_HTTP_LIMIT_H

#include "common/err.h"
#include "provisioner/proxy.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Inside provisioner/http*.c only: what one client, and all of them together, may take of the server.
 *
 * A phone's request has some 500 bytes of header and an answer's has 300. The library keeps all of a connection's memory
 * from its start to its end, so 5,000 phones cost 18 MB for this, and 27 MB in all.
 */
#define HTTP_CONNECTION_MEMORY 3584	/* bytes, for a request's header and its answer's */
#define HTTP_TARGET_MAX 2048		/* bytes of a request's target: more is 414 */
#define HTTP_HEADER_MAX 2500		/* bytes of a request's header: more is 431; an answer's header has the rest */
#define HTTP_CONNECTIONS_MAX 10000	/* at once, unless fewer are set or the process may not open as many files */
#define HTTP_CONNECTIONS_SPARE 256	/* further ones, which are answered with 503 */
#define HTTP_REFUSED_PER_ADDRESS 16	/* of one address beyond its share; what comes then is closed without an answer */
#define HTTP_WAITING_SHARE 4		/* a quarter of all may wait for the turn of their login (throttle.h) */
#define HTTP_CROWD 512		/* connections, from which on an answer with a document ends its connection */
#define HTTP_RETRY_SECONDS "5"		/* after which a refused client is told to come again */
#define HTTP_IDLE_SECONDS 30		/* without a byte */
#define HTTP_REQUEST_SECONDS 30		/* from the connection's start or the last answer until the request is whole */
#define HTTP_REFUSED_SECONDS 5		/* the same for a connection beyond the limit */
#define HTTP_ANSWER_SECONDS 30		/* for an answer, and a second more for each KiB of it */

struct http_limit;
struct http_connection;

/*
 * max connections in all, and per_address for each IPv4 address or IPv6 /64 (0: as many as in all) that is not one of the
 * proxies, borrowed, whose connections are everybody's. NULL on failure.
 */
struct http_limit *http_limit_new(unsigned int max, unsigned int per_address, const struct proxy_trust *proxies,
    struct err *e);

/* When no connection is left. NULL is taken. */
void http_limit_free(struct http_limit *l);

/* At its start and end: count a connection, and end it when its time is over. *ret_connection NULL: memory is short. */
void http_limit_notify(struct http_limit *l, struct MHD_Connection *connection, struct http_connection **ret_connection,
    enum MHD_ConnectionNotificationCode code);

/* It is one too many, and all its requests are answered with 503, if it has not been closed at once. */
bool http_limit_exceeded(const struct http_connection *c);

/* So many are open that each is to end with its document, and give its memory to the next. */
bool http_limit_crowded(const struct http_limit *l);

/* Its request is whole, and an answer of len bytes is on its way. */
void http_limit_answer(struct http_connection *c, size_t len);

/* The answer is out: the next request may begin. */
void http_limit_next(struct http_connection *c);

#endif
