/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_ACCEPT_H
#define PROVISIONER_HTTP_ACCEPT_H

#include "common/err.h"
#include "provisioner/proxy.h"

#include <microhttpd.h>

/*
 * Inside provisioner/http*.c only: connections of which each begins with a PROXY protocol header, which the library has
 * no place for. A thread of its own takes them, reads the header and nothing behind it, and hands them to the daemon under
 * the address that the header names. Only proxies are let in, since anybody else could name any address (section 2 of the
 * specification): others are closed.
 */
#define HTTP_ACCEPT_SECONDS 5	/* for a header; a lost packet is sent again after 3 at the latest */
#define HTTP_ACCEPT_MAX 256	/* connections whose header has not come yet */

struct http_accept;

/*
 * fd listens, and is ours from here on, also after a failure. The daemon has MHD_USE_NO_LISTEN_SOCKET, and like proxies
 * has to last until http_accept_stop(). NULL on failure.
 */
struct http_accept *http_accept_start(int fd, struct MHD_Daemon *daemon, const struct proxy_trust *proxies,
    struct err *e);

/* Take no more. NULL is taken. */
void http_accept_stop(struct http_accept *a);

#endif
