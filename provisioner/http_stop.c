/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STOP_SECONDS 5
#define FIRST_REQUEST_SECONDS 1
#define TAKEN_NS 20000000

/* ---- connections that have not asked yet, which an end is to wait for ---- */

static void
fresh_count(struct http_server *s, bool begins)
{
	(void)pthread_mutex_lock(&s->lock);
	if (begins)
		s->fresh++;
	else if (--s->fresh == 0)
		(void)pthread_cond_broadcast(&s->idle);
	(void)pthread_mutex_unlock(&s->lock);
}

void
http_peer_notify(void *server, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct http_peer *p = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		p = calloc(1, sizeof(*p));
		*context = p;
		if (p == NULL)
			return;
		p->server = server;
		http_limit_notify(p->server->limit, connection, &p->limited, what);
		fresh_count(p->server, true);
	} else if (p != NULL) {
		http_limit_notify(p->server->limit, connection, &p->limited, what);
		http_receipt_end(p, connection);
		if (!p->asked)
			fresh_count(p->server, false);
		free(p);
		*context = NULL;
	}
}

struct http_peer *
http_peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

void
http_peer_asks(struct http_peer *p)
{
	http_receipt_next(p);
	if (p->asked)
		return;
	p->asked = true;
	fresh_count(p->server, false);
}

/* ---- the end ---- */

/*
 * Whoever lent us the socket has it also after us: what comes from now on is to wait there for our successor. The library
 * goes on to accept from the same descriptor, which is put on a socket that nobody knows.
 */
static void
socket_give_back(struct http_server *s)
{
	const struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&unnamed, sizeof(sa_family_t)) == 0 && listen(fd, 1) == 0)
		(void)dup3(fd, s->lent, O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
}

/* *count is s->active or s->fresh. */
static void
wait_for_none(struct http_server *s, const size_t *count, int seconds)
{
	struct timespec until;
	int rc = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&s->lock);
	while (*count > 0 && rc == 0)
		rc = pthread_cond_timedwait(&s->idle, &s->lock, &until);
	(void)pthread_mutex_unlock(&s->lock);
}

/*
 * MHD_quiesce_daemon() of 0.9.75 ends the process when a thread of its pool takes the listening socket out of its epoll
 * set at the same moment. So the socket stays, new connections are refused by the accept policy, and the daemon is
 * stopped when no request is under way.
 */
void
http_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	if (s->accept != NULL)
		http_accept_stop(s->accept);
	else if (s->lent >= 0)
		socket_give_back(s);
	/* A thread may be about to count one that it has taken. */
	if (s->lent >= 0)
		(void)nanosleep(&(struct timespec){ .tv_nsec = TAKEN_NS }, NULL);
	atomic_store(&s->stopping, true);
	http_throttle_end(s->throttle);
	if (s->lent >= 0)
		wait_for_none(s, &s->fresh, FIRST_REQUEST_SECONDS);
	wait_for_none(s, &s->active, STOP_SECONDS);
	MHD_stop_daemon(s->daemon);
	http_free(s);
}
