/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_POLL_H
#define PHONE_FLEET_POLL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * epoll for libcurl's sockets, with as few system calls as can be. libcurl lets go of a connection behind each request
 * and takes it up again for the next one; a socket that is known to be closed here stays in epoll meanwhile, and is only
 * taken out when it has something to say that nobody wants to hear.
 */
struct fleet_poll {
	int fd;
	struct fleet_poll_socket {
		bool known;			/* between fleet_poll_opened() and fleet_poll_closed() */
		unsigned char wanted, set;	/* EPOLLIN, EPOLLOUT: by libcurl; in epoll */
		unsigned char ready;		/* CURL_CSELECT_, not yet taken */
	} *sockets;			/* by descriptor */
	size_t count;
};

#define FLEET_POLL_INIT { .fd = -1 }

int fleet_poll_open(struct fleet_poll *p, struct err *e);
void fleet_poll_close(struct fleet_poll *p);

/* A connection's socket. Of others libcurl does not tell. False: no memory. */
bool fleet_poll_opened(struct fleet_poll *p, int fd);
void fleet_poll_closed(struct fleet_poll *p, int fd);

/* what: one of CURL_POLL_. -1 when epoll refuses. */
int fleet_poll_want(struct fleet_poll *p, int fd, int what);

#define FLEET_POLL_MAX 256

/* At most so many sockets that are ready, after at most ms; -1 for an error of epoll. */
int fleet_poll_wait(struct fleet_poll *p, int ms, int ret[FLEET_POLL_MAX], struct err *e);

/* CURL_CSELECT_ of one of these; 0 when its descriptor is no longer that socket's. */
int fleet_poll_take(struct fleet_poll *p, int fd);

#endif
