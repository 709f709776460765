/* SPDX-License-Identifier: ISC */
#include "rollout/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 100      /* a server that starts lets clients in soon after it has made its socket */
#define GREETING_MS 10000 /* a server that is about to start may take as long */
#define LIST_COMMAND "status 3\n"
#define READ_BYTES 65536

int64_t
listener_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Greater each time, after a restart of this program or of the machine as well. */
static int64_t
attachment_number(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
listener_init(struct listener *l, const char *path)
{
	*l = (struct listener){ .path = path, .fd = -1 };
}

void
listener_close(struct listener *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	l->is_up = l->is_listed = false;
	l->reader = (struct management_reader){ .len = 0 };
}

/* problem is filled. */
static void
lost(struct listener *l, listener_call *call, void *arg)
{
	listener_close(l);
	l->next = listener_now() + RETRY_MS;
	if (l->has_failed)
		return;
	l->has_failed = true;
	call(arg, l, LISTENER_LOST, NULL);
}

static void
refuse(struct listener *l, listener_call *call, void *arg, const char *why)
{
	err_set(&l->problem, ERR_CONFLICT, "%s: %s", l->path, why);
	listener_close(l);
	l->is_refused = true;
	call(arg, l, LISTENER_REFUSED, NULL);
}

static int
attach(struct listener *l, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(l->path);

	if (len >= sizeof(address.sun_path))
		return err_set(e, ERR_USAGE, "%s: expected a socket's path of at most %zu bytes, found %zu", l->path,
		    sizeof(address.sun_path) - 1, len);
	memcpy(address.sun_path, l->path, len);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || connect(l->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return err_errno(e, ERR_FAILED, errno, "%s", l->path);
	l->next = listener_now() + GREETING_MS;
	return 0;
}

void
listener_tick(struct listener *l, listener_call *call, void *arg)
{
	if (l->is_refused || listener_now() < l->next)
		return;
	if (l->fd < 0) {
		if (attach(l, &l->problem) != 0)
			lost(l, call, arg);
	} else if (!l->is_listed) {
		/* It takes one listener at a time. */
		err_set(&l->problem, ERR_CONFLICT, "%s: %s within %d s; another program may be attached to it", l->path,
		    l->is_up ? "did not list its clients" : "did not greet", GREETING_MS / 1000);
		lost(l, call, arg);
	}
}

void
listener_list(struct listener *l)
{
	l->is_listed = false;
	l->next = listener_now() + GREETING_MS;
	l->attachment = attachment_number();
	l->asked = time(NULL);
	/* So short that the socket takes it, or the server takes nothing any more: then the list does not come in time. */
	(void)send(l->fd, LIST_COMMAND, strlen(LIST_COMMAND), MSG_NOSIGNAL);
}

/* HALT: also an old client ends then, where RESTART would have it come back at once. */
bool
listener_kill(struct listener *l, uint64_t client)
{
	char command[64];
	int len = snprintf(command, sizeof(command), "client-kill %llu HALT\n", (unsigned long long)client);

	return l->is_up && send(l->fd, command, (size_t)len, MSG_NOSIGNAL) == len;
}

static void
greeted(struct listener *l)
{
	if (l->is_up)
		return;
	l->is_up = true;
	listener_list(l);
}

struct reading {
	struct listener *l;
	listener_call *call;
	void *arg;
};

static void
told(void *arg, enum management_event event, const struct management_client *client)
{
	struct reading *r = arg;
	struct listener *l = r->l;

	if (l->is_refused)
		return;
	switch (event) {
	case MANAGEMENT_HELLO:
		greeted(l);
		break;
	case MANAGEMENT_BEGAN:
		r->call(r->arg, l, LISTENER_BEGAN, client);
		break;
	case MANAGEMENT_ENDED:
		r->call(r->arg, l, LISTENER_ENDED, client);
		break;
	case MANAGEMENT_LISTED:
		r->call(r->arg, l, LISTENER_SEEN, client);
		break;
	case MANAGEMENT_LIST_END:
		l->is_listed = true;
		l->has_failed = false;
		r->call(r->arg, l, LISTENER_LISTED, NULL);
		break;
	case MANAGEMENT_KILLED:
		r->call(r->arg, l, LISTENER_KILLED, NULL);
		break;
	case MANAGEMENT_NOT_KILLED:
		r->call(r->arg, l, LISTENER_NOT_KILLED, NULL);
		break;
	case MANAGEMENT_PASSWORD:
		refuse(l, r->call, r->arg,
		    "it asks for a password; 'management SOCKET unix' without a password file does not");
		break;
	case MANAGEMENT_ADMISSION:
		refuse(l, r->call, r->arg,
		    "its server has management-client-auth: phones would wait for an answer that does not come");
		break;
	case MANAGEMENT_HOLD:
		refuse(l, r->call, r->arg, "its server has management-hold and waits for another program");
		break;
	}
}

void
listener_read(struct listener *l, listener_call *call, void *arg)
{
	struct reading reading = { l, call, arg };
	char bytes[READ_BYTES];
	ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

	if (n > 0) {
		management_read(&l->reader, bytes, (size_t)n, told, &reading);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0)
		err_set(&l->problem, ERR_FAILED, "%s: the server has closed it", l->path);
	else
		err_errno(&l->problem, ERR_FAILED, errno, "%s", l->path);
	lost(l, call, arg);
}
