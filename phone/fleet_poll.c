/* SPDX-License-Identifier: ISC */
#include "phone/fleet_poll.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FIRST_COUNT 256

int
fleet_poll_open(struct fleet_poll *p, struct err *e)
{
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	return p->fd >= 0 ? 0 : err_errno(e, ERR_FAILED, errno, "epoll");
}

void
fleet_poll_close(struct fleet_poll *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p->sockets);
	*p = (struct fleet_poll)FLEET_POLL_INIT;
}

static struct fleet_poll_socket *
find(struct fleet_poll *p, int fd)
{
	size_t at = (size_t)fd, count = p->count > 0 ? p->count : FIRST_COUNT;
	struct fleet_poll_socket *more;

	if (at < p->count)
		return &p->sockets[at];
	while (count <= at)
		count *= 2;
	more = realloc(p->sockets, count * sizeof(*more));
	if (more == NULL)
		return NULL;
	memset(more + p->count, 0, (count - p->count) * sizeof(*more));
	p->sockets = more;
	p->count = count;
	return &more[at];
}

bool
fleet_poll_opened(struct fleet_poll *p, int fd)
{
	struct fleet_poll_socket *s = find(p, fd);

	if (s == NULL)
		return false;
	*s = (struct fleet_poll_socket){ .known = true };
	return true;
}

/* The kernel takes a closed one out of epoll. */
void
fleet_poll_closed(struct fleet_poll *p, int fd)
{
	p->sockets[fd] = (struct fleet_poll_socket){ .known = false };
}

static int
set(struct fleet_poll *p, int fd, struct fleet_poll_socket *s, unsigned char events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int op = s->set == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (s->set == events)
		return 0;
	if (epoll_ctl(p->fd, events == 0 ? EPOLL_CTL_DEL : op, fd, &ev) != 0)
		return -1;
	s->set = events;
	return 0;
}

int
fleet_poll_want(struct fleet_poll *p, int fd, int what)
{
	struct fleet_poll_socket *s = find(p, fd);
	unsigned char events = 0;

	if (s == NULL)
		return -1;
	if (what != CURL_POLL_REMOVE && (what & CURL_POLL_IN) != 0)
		events |= EPOLLIN;
	if (what != CURL_POLL_REMOVE && (what & CURL_POLL_OUT) != 0)
		events |= EPOLLOUT;
	s->wanted = events;
	if (events != 0)
		return set(p, fd, s, events);
	if (!s->known) {
		(void)set(p, fd, s, 0);
		/* Whether or not: its number may be another socket's next. */
		*s = (struct fleet_poll_socket){ .known = false };
	}
	return 0;
}

static unsigned char
ready_bits(uint32_t events)
{
	unsigned char bits = (events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0;

	bits |= (events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
	bits |= (events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0;
	return bits;
}

int
fleet_poll_wait(struct fleet_poll *p, int ms, int ret[FLEET_POLL_MAX], struct err *e)
{
	struct epoll_event ev[FLEET_POLL_MAX];
	int n = epoll_wait(p->fd, ev, FLEET_POLL_MAX, ms), count = 0;

	if (n < 0)
		return errno == EINTR ? 0 : err_errno(e, ERR_FAILED, errno, "epoll");
	for (int i = 0; i < n; i++) {
		struct fleet_poll_socket *s = &p->sockets[ev[i].data.fd];

		if (s->wanted == 0) {
			(void)set(p, ev[i].data.fd, s, 0);
			continue;
		}
		s->ready = ready_bits(ev[i].events);
		ret[count++] = ev[i].data.fd;
	}
	return count;
}

int
fleet_poll_take(struct fleet_poll *p, int fd)
{
	int bits = p->sockets[fd].ready;

	p->sockets[fd].ready = 0;
	return bits;
}
