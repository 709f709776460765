/* SPDX-License-Identifier: ISC */
#include "phone/management.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t
management_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
socket_connect(const char *dir, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, folder, failed;

	folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	/* A socket's path has 107 bytes; that of a state folder may be longer. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		failed = errno;
		(void)close(fd);
		errno = failed;
		fd = -1;
	}
	failed = errno;
	(void)close(folder);
	errno = failed;
	return fd;
}

int
management_open(const char *dir, const char *name, struct management *ret, struct err *e)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);

	*ret = (struct management){ .fd = socket_connect(dir, name) };
	if (ret->fd < 0)
		return err_errno(e, errno == ENOENT || errno == ECONNREFUSED ? ERR_NOT_FOUND : ERR_FAILED, errno,
		    "%s/%s", dir, name);
	if (getsockopt(ret->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		ret->pid = peer.pid;
	return 0;
}

void
management_close(struct management *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);
	m->fd = -1;
}

int
management_send(struct management *m, const char *line, struct err *e)
{
	size_t len = strlen(line);

	/* Commands are short, and the socket's buffer is not: all or nothing. */
	if (send(m->fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		return err_errno(e, ERR_FAILED, errno, "openvpn's management interface");
	return 0;
}

/* A line from what was received, which may be cut: true when there was one. */
static bool
line_take(struct management *m, char line[MANAGEMENT_LINE_SIZE])
{
	const char *start = m->data + m->taken, *feed = memchr(start, '\n', m->used - m->taken);
	size_t len = feed != NULL ? (size_t)(feed - start) : m->used - m->taken, shown = len;

	if (feed == NULL && (m->taken > 0 || m->used < sizeof(m->data)))
		return false;
	if (shown >= MANAGEMENT_LINE_SIZE)
		shown = MANAGEMENT_LINE_SIZE - 1;
	memcpy(line, start, shown);
	line[shown] = '\0';
	line[strcspn(line, "\r")] = '\0';
	m->taken += len + (feed != NULL);
	return true;
}

enum management_answer
management_line(struct management *m, int64_t deadline, char line[MANAGEMENT_LINE_SIZE])
{
	while (!line_take(m, line)) {
		struct pollfd p = { .fd = m->fd, .events = POLLIN };
		int64_t left = deadline - management_now();
		ssize_t n;

		memmove(m->data, m->data + m->taken, m->used - m->taken);
		m->used -= m->taken;
		m->taken = 0;
		if (m->used == sizeof(m->data))
			continue;
		if (left < 0 || poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) == 0)
			return MANAGEMENT_TIMEOUT;
		n = recv(m->fd, m->data + m->used, sizeof(m->data) - m->used, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return MANAGEMENT_END;
		if (n > 0)
			m->used += (size_t)n;
	}
	return MANAGEMENT_LINE;
}

/* The next field of a comma-separated line, fit to be shown and cut where it is too long; *at moves behind the comma. */
static void
field_take(const char **at, char *out, size_t size)
{
	size_t len = strcspn(*at, ",");
	char field[MANAGEMENT_LINE_SIZE];

	if (out != NULL) {
		(void)snprintf(field, sizeof(field), "%.*s", (int)len, *at);
		(void)text_printable(field, out, size);
	}
	*at += len + ((*at)[len] == ',');
}

bool
management_state_parse(const char *line, struct management_state *ret)
{
	static const char prefix[] = ">STATE:";
	char clean[MANAGEMENT_LINE_SIZE];
	const char *at = clean;

	if (strncmp(line, prefix, strlen(prefix)) == 0)
		line += strlen(prefix);
	if (line[0] < '0' || line[0] > '9' || line[strspn(line, "0123456789")] != ',')
		return false;
	(void)text_printable(line, clean, sizeof(clean));
	field_take(&at, NULL, 0);
	field_take(&at, ret->name, sizeof(ret->name));
	field_take(&at, ret->detail, sizeof(ret->detail));
	field_take(&at, ret->address, sizeof(ret->address));
	field_take(&at, ret->server, sizeof(ret->server));
	field_take(&at, ret->port, sizeof(ret->port));
	return true;
}

/* "VERIFY X509NAME ERROR: ...": why this side does not take the server. */
static bool
is_verify_error(const char *text)
{
	return strncmp(text, "VERIFY ", strlen("VERIFY ")) == 0 && strstr(text, "ERROR") != NULL;
}

const char *
management_log_error(const char *line)
{
	static const char prefix[] = ">LOG:", refused[] = "AUTH: Received control message: AUTH_FAILED";
	size_t flags;

	if (strncmp(line, prefix, strlen(prefix)) == 0)
		line += strlen(prefix);
	flags = strspn(line, "0123456789");
	if (flags == 0 || line[flags] != ',')
		return NULL;
	line += flags + 1;
	flags = strcspn(line, ",");
	if (line[flags] != ',' || strspn(line, "IFNWD") != flags)
		return NULL;
	/* The server's word is no error in openvpn's eyes. */
	if (strcspn(line, "FN") >= flags && strncmp(line + flags + 1, refused, strlen(refused)) != 0 &&
	    !is_verify_error(line + flags + 1))
		return NULL;
	return line + flags + 1;
}
