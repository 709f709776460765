/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_PROXY_HEADER_H
#define PROVISIONER_PROXY_HEADER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What a proxy sends before the first byte of a client whom it does not look into: the PROXY protocol, versions 1 and 2,
 * haproxy.org/download/2.6/doc/proxy-protocol.txt (sections are its).
 */
#define PROXY_HEADER_MAX 4096	/* of version 2 with what it may say beside the addresses; it is to fit into 536 */

enum proxy_header_state {
	PROXY_HEADER_WHOLE,
	PROXY_HEADER_PARTIAL,	/* so far all right */
	PROXY_HEADER_BROKEN,	/* not one, or longer than PROXY_HEADER_MAX: the connection is to be closed */
};

struct proxy_header {
	size_t len;
	bool relayed;			/* else it is the proxy's own connection, or it does not know whose */
	struct sockaddr_in6 client;	/* IPv4 as ::ffff:a.b.c.d */
};

/* The bytes that have come so far. *ret is filled when they begin with a whole header. */
enum proxy_header_state proxy_header_parse(const void *data, size_t len, struct proxy_header *ret);

#endif
