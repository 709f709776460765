/* SPDX-License-Identifier: ISC */
#include "common/listen.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHOWN_SIZE 64
#define PORT_SIZE 6

static int
refuse(const char *listen, struct err *e)
{
	char shown[SHOWN_SIZE];

	return err_set(e, ERR_INPUT,
	    "listen: expected ADDRESS:PORT, as 0.0.0.0:8080, 127.0.0.1:0 or [::1]:8080, "
	    "found \"%s\"",
	    text_printable(listen, shown, sizeof(shown)));
}

/* The part before the last colon, without the brackets that an IPv6 address, and no other, stands in. */
static int
split(const char *listen, char host[INET6_ADDRSTRLEN], char port[PORT_SIZE], struct err *e)
{
	const char *colon = strrchr(listen, ':'), *start = listen, *end = colon;
	unsigned long number;
	bool six;

	if (colon == NULL || colon == listen)
		return refuse(listen, e);
	six = listen[0] == '[';
	if (six && colon[-1] != ']')
		return refuse(listen, e);
	if (six) {
		start++;
		end--;
	}
	if (start >= end || (size_t)(end - start) >= INET6_ADDRSTRLEN ||
	    six != (memchr(start, ':', (size_t)(end - start)) != NULL))
		return refuse(listen, e);
	if (text_number(colon + 1, 0, 65535, "port", &number, NULL) != 0)
		return refuse(listen, e);
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	(void)snprintf(port, PORT_SIZE, "%u", (unsigned int)number & 0xffff);
	return 0;
}

static int
bind_failed(const char *listen, int reason, struct err *e)
{
	if (reason == EADDRINUSE)
		return err_set(e, ERR_CONFLICT,
		    "%s: already in use; stop the other server or choose another port (port 0 "
		    "picks a free one)",
		    listen);
	if (reason == EADDRNOTAVAIL)
		return err_set(e, ERR_INPUT, "%s: expected an address of this machine, found another", listen);
	if (reason == EACCES)
		return err_set(e, ERR_FAILED, "%s: a port below 1024 needs root or CAP_NET_BIND_SERVICE", listen);
	return err_errno(e, ERR_FAILED, reason, "%s", listen);
}

/* Bound here, as libmicrohttpd would not tell why it could not. */
static int
bind_listen(const struct addrinfo *at, const char *listen_at, struct err *e)
{
	int fd, on = 1, off = 0, reason;

	fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, ERR_FAILED, errno, "%s", listen_at);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* "[::]" is to mean every address, whatever the system's default is. */
	if (at->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	reason = errno;
	(void)close(fd);
	return bind_failed(listen_at, reason, e);
}

static int
url_format(int fd, bool tls, char url[LISTEN_URL_SIZE], struct err *e)
{
	char host[INET6_ADDRSTRLEN], port[PORT_SIZE];
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	const char *scheme = tls ? "https" : "http";

	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return err_errno(e, ERR_FAILED, errno, "listening socket");
	if (getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_set(e, ERR_FAILED, "listening socket: its address cannot be read");
	(void)snprintf(url, LISTEN_URL_SIZE, at.ss_family == AF_INET6 ? "%s://[%s]:%s" : "%s://%s:%s", scheme, host,
	    port);
	return 0;
}

/* The address; the caller frees it with freeaddrinfo(). */
static int
resolve(const char *listen, struct addrinfo **ret, struct err *e)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	char host[INET6_ADDRSTRLEN], port[PORT_SIZE];

	if (split(listen, host, port, e) != 0)
		return -1;
	return getaddrinfo(host, port, &hints, ret) != 0 ? refuse(listen, e) : 0;
}

int
listen_check(const char *listen, struct err *e)
{
	struct addrinfo *at = NULL;

	if (resolve(listen, &at, e) != 0)
		return -1;
	freeaddrinfo(at);
	return 0;
}

int
listen_open(const char *listen, bool tls, char ret_url[LISTEN_URL_SIZE], struct err *e)
{
	struct addrinfo *at = NULL;
	int fd;

	if (resolve(listen, &at, e) != 0)
		return -1;
	fd = bind_listen(at, listen, e);
	freeaddrinfo(at);
	if (fd >= 0 && url_format(fd, tls, ret_url, e) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* As a message shall say it of what was handed over. */
static int
check_socket(int fd, struct err *e)
{
	int type = 0, listens = 0, family = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return err_errno(e, ERR_INPUT, errno, "descriptor %d: expected a listening socket", fd);
	len = sizeof(int);
	(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	len = sizeof(int);
	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	if (type != SOCK_STREAM || !listens || (family != AF_INET && family != AF_INET6))
		return err_set(e, ERR_INPUT,
		    "descriptor %d: expected a TCP socket that listens (ListenStream=ADDRESS:PORT), found another", fd);
	return 0;
}

int
listen_take(int fd, bool tls, char ret_url[LISTEN_URL_SIZE], struct err *e)
{
	int flags;

	if (check_socket(fd, e) != 0)
		goto fail;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		(void)err_errno(e, ERR_FAILED, errno, "descriptor %d", fd);
		goto fail;
	}
	if (url_format(fd, tls, ret_url, e) == 0)
		return fd;
fail:
	(void)close(fd);
	return -1;
}

bool
listen_is_local(const char *listen)
{
	struct addrinfo *at = NULL;
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	bool local;

	if (resolve(listen, &at, NULL) != 0)
		return false;
	if (at->ai_family == AF_INET) {
		memcpy(&four, at->ai_addr, sizeof(four));
		local = ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	} else {
		memcpy(&six, at->ai_addr, sizeof(six));
		local = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
	}
	freeaddrinfo(at);
	return local;
}
