/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include "common/err.h"

#include <stdbool.h>

/* Where an HTTP server listens: "127.0.0.1:8080", "[::1]:0", "0.0.0.0:8080"; port 0: the kernel picks. */

#define LISTEN_URL_SIZE 80 /* "https://[", an IPv6 address, "]:65535" */

/* listen has a form that can be listened on; ERR_INPUT with what was expected otherwise. */
int listen_check(const char *listen, struct err *e);

/*
 * A socket that listens there, or -1: a port in use is ERR_CONFLICT. ret_url gets the URL of it, with the real port:
 * "http://127.0.0.1:43211".
 */
int listen_open(const char *listen, bool tls, char ret_url[LISTEN_URL_SIZE], struct err *e);

/*
 * The same for a socket that listens already, handed over by who started us: fd itself, made non-blocking, or -1 with fd
 * closed when it is no TCP socket that listens.
 */
int listen_take(int fd, bool tls, char ret_url[LISTEN_URL_SIZE], struct err *e);

/* listen names an address that only this machine itself reaches. */
bool listen_is_local(const char *listen);

#endif
