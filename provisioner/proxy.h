/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_PROXY_H
#define PROVISIONER_PROXY_H

#include "common/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Reverse proxies in front of the server, whose word about the client's address is believed. */
#define PROXY_NETWORKS_MAX 32

struct proxy_network {
	struct in6_addr address;	/* IPv4 as ::ffff:a.b.c.d */
	unsigned int bits;
};

struct proxy_trust {
	struct proxy_network network[PROXY_NETWORKS_MAX];
	size_t count;		/* 0: nobody is believed */
};

/* "127.0.0.1,10.1.0.0/16,fd00::/8": addresses and networks of both families. ERR_USAGE otherwise. */
int proxy_trust_parse(const char *list, struct proxy_trust *ret, struct err *e);

/* A client's address as the kernel tells it, of either family, as one of IPv6: IPv4 as ::ffff:a.b.c.d, of others as ::. */
struct sockaddr_in6 proxy_address(const struct sockaddr *from);

/* An address of the server's connections is one of them. */
bool proxy_is_trusted(const struct proxy_trust *t, const struct in6_addr *address);

/*
 * *client, a trusted proxy, has sent this X-Forwarded-For (several of them joined by commas in their order). Each proxy
 * appends the address that it was asked from, so from its end on what trusted ones wrote is believed: *client becomes the
 * right-most address that is not a trusted proxy's, or the left-most when all are. What stands before something that is
 * no address is not looked at.
 */
void proxy_client(const struct proxy_trust *t, const char *forwarded_for, struct in6_addr *client);

#endif
