/* SPDX-License-Identifier: ISC */
#include "provisioner/http_accept.h"

#include "common/log.h"
#include "provisioner/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define TICK_MS 1000
#define SHORT_OF_FILES_NS 50000000

/* A connection whose header has not come yet. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	int fd;
	struct sockaddr_in6 proxy;
	time_t since;
};

struct http_accept {
	struct MHD_Daemon *daemon;
	const struct proxy_trust *proxies;
	int fd, epoll, end;
	pthread_t thread;
	TAILQ_HEAD(pending_list, pending) pending; /* the oldest first */
	size_t count;
};

static time_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

static void
tell(const struct sockaddr_in6 *from, const char *what)
{
	char shown[INET6_ADDRSTRLEN] = "?";

	if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr))
		(void)inet_ntop(AF_INET, from->sin6_addr.s6_addr + 12, shown, sizeof(shown));
	else
		(void)inet_ntop(AF_INET6, &from->sin6_addr, shown, sizeof(shown));
	log_warn("PROXY protocol: %s: %s", shown, what);
}

static void
pending_free(struct http_accept *a, struct pending *p)
{
	TAILQ_REMOVE(&a->pending, p, entry);
	a->count--;
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p);
}

/* The library closes what it does not take. */
static void
hand_over(struct http_accept *a, struct pending *p, const struct proxy_header *h)
{
	const struct sockaddr_in6 *client = h->relayed ? &h->client : &p->proxy;
	int fd = p->fd;

	(void)epoll_ctl(a->epoll, EPOLL_CTL_DEL, fd, NULL);
	p->fd = -1;
	if (MHD_add_connection(a->daemon, fd, (const struct sockaddr *)client, sizeof(*client)) != MHD_YES)
		log_debug("PROXY protocol: connection refused by the server");
}

/* The header is only looked at until it is whole: what follows is the client's, and maybe TLS. True: it waits for more. */
static bool
header_take(struct http_accept *a, struct pending *p)
{
	unsigned char data[PROXY_HEADER_MAX];
	struct proxy_header h;
	ssize_t n = recv(p->fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	switch (proxy_header_parse(data, (size_t)n, &h)) {
	case PROXY_HEADER_PARTIAL:
		return true;
	case PROXY_HEADER_WHOLE:
		if (recv(p->fd, data, h.len, MSG_DONTWAIT) == (ssize_t)h.len)
			hand_over(a, p, &h);
		return false;
	case PROXY_HEADER_BROKEN:
		break;
	}
	tell(&p->proxy, "expected a header of version 1 or 2, found something else; is its option for it on?");
	return false;
}

/* fd is taken. Mostly the header is there already. */
static void
connection_take(struct http_accept *a, int fd, const struct sockaddr_storage *from)
{
	struct pending *p = calloc(1, sizeof(*p));
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = p };

	if (p == NULL) {
		(void)close(fd);
		return;
	}
	p->fd = fd;
	p->proxy = proxy_address((const struct sockaddr *)from);
	p->since = now();
	TAILQ_INSERT_TAIL(&a->pending, p, entry);
	a->count++;
	if (!proxy_is_trusted(a->proxies, &p->proxy.sin6_addr))
		tell(&p->proxy, "closed, as it is no --trusted-proxy");
	else if (a->count > HTTP_ACCEPT_MAX)
		tell(&p->proxy, "closed, as too many connections without a header are open");
	else if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &event) == 0 && header_take(a, p))
		return;
	pending_free(a, p);
}

static void
accept_all(struct http_accept *a)
{
	struct sockaddr_storage from;
	socklen_t len;
	int fd;

	for (int i = 0; i < EVENTS; i++) {
		len = sizeof(from);
		fd = accept4(a->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			connection_take(a, fd, &from);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			/* Short of descriptors or memory: they wait in the socket, and are not to be asked for at once. */
			if (errno != EAGAIN)
				(void)nanosleep(&(struct timespec){ .tv_nsec = SHORT_OF_FILES_NS }, NULL);
			return;
		}
	}
}

static void
late_close(struct http_accept *a)
{
	struct pending *p;

	while ((p = TAILQ_FIRST(&a->pending)) != NULL && now() - p->since > HTTP_ACCEPT_SECONDS) {
		tell(&p->proxy, "expected a header, found none in time");
		pending_free(a, p);
	}
}

static void *
run(void *arg)
{
	struct epoll_event events[EVENTS];
	struct http_accept *a = arg;
	int n;

	for (;;) {
		n = epoll_wait(a->epoll, events, EVENTS, TICK_MS);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &a->end)
				return NULL;
			if (events[i].data.ptr == a)
				continue;
			if (!header_take(a, events[i].data.ptr))
				pending_free(a, events[i].data.ptr);
		}
		/* After the others, which are its own no more when it reports them. */
		late_close(a);
		accept_all(a);
	}
}

static void
accept_free(struct http_accept *a)
{
	while (!TAILQ_EMPTY(&a->pending))
		pending_free(a, TAILQ_FIRST(&a->pending));
	if (a->end >= 0)
		(void)close(a->end);
	if (a->epoll >= 0)
		(void)close(a->epoll);
	(void)close(a->fd);
	free(a);
}

static bool
watch(const struct http_accept *a, int fd, const void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = (void *)(uintptr_t)what };

	return fd >= 0 && epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct http_accept *
http_accept_start(int fd, struct MHD_Daemon *daemon, const struct proxy_trust *proxies, struct err *e)
{
	struct http_accept *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL) {
		(void)close(fd);
		(void)err_set(e, ERR_FAILED, "HTTP server: no memory is left to start it");
		return NULL;
	}
	a->daemon = daemon;
	a->proxies = proxies;
	a->fd = fd;
	TAILQ_INIT(&a->pending);
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!watch(a, a->end, &a->end) || !watch(a, fd, a)) {
		(void)err_errno(e, ERR_FAILED, errno, "HTTP server: the listening socket cannot be watched");
		accept_free(a);
		return NULL;
	}
	rc = pthread_create(&a->thread, NULL, run, a);
	if (rc == 0)
		return a;
	(void)err_errno(e, ERR_FAILED, rc, "HTTP server: no thread can be started");
	accept_free(a);
	return NULL;
}

void
http_accept_stop(struct http_accept *a)
{
	if (a == NULL)
		return;
	(void)eventfd_write(a->end, 1);
	(void)pthread_join(a->thread, NULL);
	accept_free(a);
}
