/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What a client sends is cut, so that a line stays below what log_info() takes. */
#define SHOWN_MAX 256
#define TARGET_SHOWN_MAX 1024
#define LINE_SIZE 2048
#define TIME_SIZE 32
#define LOG_MODE 0600

bool
http_log_client(struct http_request *q, const struct sockaddr *from)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	int family = from->sa_family;
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		q->address_len = sizeof(four.sin_addr);
		memcpy(q->address, &four.sin_addr, q->address_len);
	} else if (family == AF_INET6) {
		memcpy(&six, from, sizeof(six));
		q->address_len = sizeof(six.sin6_addr);
		memcpy(q->address, &six.sin6_addr, q->address_len);
		/* An IPv4 client of a socket that takes both: RFC 4291 section 2.5.5.2. */
		if (memcmp(q->address, mapped, sizeof(mapped)) == 0) {
			family = AF_INET;
			q->address_len -= sizeof(mapped);
			memmove(q->address, q->address + sizeof(mapped), q->address_len);
		}
	} else {
		return false;
	}
	return inet_ntop(family, q->address, q->client, sizeof(q->client)) != NULL;
}

/* As http_log_client() left it. */
static struct in6_addr
address_of(const struct http_request *q)
{
	struct in6_addr a = IN6ADDR_ANY_INIT;

	if (q->address_len < sizeof(a))
		a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(a.s6_addr + sizeof(a) - q->address_len, q->address, q->address_len);
	return a;
}

/* Several such fields are one list, in their order: RFC 9110 section 5.2. */
static enum MHD_Result
on_forwarded(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct buf *list = arg;

	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		buf_addf(list, list->len > 0 ? ",%s" : "%s", value != NULL ? value : "");
	return MHD_YES;
}

void
http_log_forwarded(struct http_request *q)
{
	const struct proxy_trust *proxies = &q->server->config.proxies;
	struct sockaddr_in6 client = { .sin6_family = AF_INET6, .sin6_addr = address_of(q) };
	struct buf list = BUF_INIT(HTTP_HEADER_MAX);

	if (!proxy_is_trusted(proxies, &client.sin6_addr))
		return;
	(void)MHD_get_connection_values(q->connection, MHD_HEADER_KIND, on_forwarded, &list);
	if (list.len > 0 && !list.broken) {
		proxy_client(proxies, buf_string(&list), &client.sin6_addr);
		(void)http_log_client(q, (const struct sockaddr *)&client);
	}
	buf_release(&list);
}

/* ---- where to ---- */

static int
log_file_open(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, LOG_MODE);

	return fd >= 0 ? fd : err_errno(e, ERR_FAILED, errno, "access log %s", path);
}

int
http_log_open(struct http_server *s, const char *path, struct err *e)
{
	s->log_fd = -1;
	if (path == NULL)
		return 0;
	s->log_path = strdup(path);
	if (s->log_path == NULL)
		return err_set(e, ERR_FAILED, "access log: no memory");
	s->log_fd = log_file_open(path, e);
	return s->log_fd >= 0 ? 0 : -1;
}

void
http_log_close(struct http_server *s)
{
	if (s->log_fd >= 0)
		(void)close(s->log_fd);
	free(s->log_path);
}

/* The descriptor keeps its number, so that no thread ever finds it closed. */
int
http_log_reopen(struct http_server *s, struct err *e)
{
	int fd, rc = 0;

	if (s->log_path == NULL)
		return 0;
	fd = log_file_open(s->log_path, e);
	if (fd < 0)
		return -1;
	if (dup3(fd, s->log_fd, O_CLOEXEC) < 0)
		rc = err_errno(e, ERR_FAILED, errno, "access log %s", s->log_path);
	(void)close(fd);
	return rc;
}

/* One write a line: O_APPEND keeps those of several threads apart. A full disk is told of once, not at each request. */
static void
line_write(struct http_server *s, char *line, size_t len)
{
	ssize_t written;

	if (s->log_fd < 0) {
		log_info("%s", line);
		return;
	}
	line[len] = '\n';
	written = write(s->log_fd, line, len + 1);
	if (written == (ssize_t)len + 1)
		atomic_store(&s->log_failed, false);
	else if (!atomic_exchange(&s->log_failed, true))
		log_error("access log %s: %s; requests are not logged", s->log_path,
		    written < 0 ? strerror(errno) : "disk full");
}

/* ---- what ---- */

/*
 * As Apache's ap_escape_logitem(): quotes, backslashes and what is not printable are escaped; blanks too where there are
 * no quotes around it. "-" for nothing.
 */
static const char *
escaped(const char *s, bool quoted, char *out, size_t size)
{
	static const char plain[] = "\b\n\r\t\v\"\\", letters[] = "bnrtv\"\\";
	const char *at;
	size_t n = 0;

	for (; s != NULL && *s != '\0' && n + sizeof("\\xff") <= size; s++) {
		at = strchr(plain, *s);
		if (at != NULL)
			n += (size_t)snprintf(out + n, size - n, "\\%c", letters[at - plain]);
		else if (*s < (quoted ? ' ' : '!') || *s > '~')
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned char)*s);
		else
			out[n++] = *s;
	}
	out[n] = '\0';
	return n > 0 ? out : "-";
}

static void
field_take(struct http_request *q, const char *name, char **field)
{
	const char *value = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);

	*field = value != NULL ? strndup(value, SHOWN_MAX) : NULL;
}

void
http_log_begin(struct http_request *q, const char *method, const char *version)
{
	(void)escaped(method, false, q->log_method, sizeof(q->log_method));
	(void)snprintf(q->log_version, sizeof(q->log_version), "%s", version);
	field_take(q, MHD_HTTP_HEADER_USER_AGENT, &q->log_agent);
	field_take(q, MHD_HTTP_HEADER_REFERER, &q->log_referer);
}

void
http_log_user(struct http_request *q, const char *user)
{
	free(q->log_user);
	q->log_user = strndup(user, SHOWN_MAX);
}

/*
 * The path alone: a query is nothing of ours, and scheme and authority (RFC 9112 section 3.2.2) could have a password
 * in them.
 */
static const char *
target_path(const char *target, char out[TARGET_SHOWN_MAX])
{
	const char *authority = target[0] != '/' ? strstr(target, "://") : NULL;

	if (authority != NULL)
		target = authority + 3 + strcspn(authority + 3, "/?");
	(void)snprintf(out, TARGET_SHOWN_MAX, "%.*s", (int)strcspn(target, "?"), target);
	return out;
}

static const char *
or_dash(const char *s)
{
	return s[0] != '\0' ? s : "-";
}

static void
time_format(char out[TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL || strftime(out, TIME_SIZE, "%d/%b/%Y:%H:%M:%S %z", &tm) == 0)
		(void)snprintf(out, TIME_SIZE, "-");
}

/* httpd.apache.org/docs/2.4/logs.html, Combined Log Format; behind it MAC and md5. */
static void
access_log(const struct http_request *q, bool complete)
{
	char when[TIME_SIZE], user[SHOWN_MAX / 2], path[TARGET_SHOWN_MAX], target[TARGET_SHOWN_MAX], agent[SHOWN_MAX],
	    referer[SHOWN_MAX];
	char request[TARGET_SHOWN_MAX + sizeof(q->log_method) + sizeof(q->log_version) + 2] = "-";
	char bytes[24] = "-", line[LINE_SIZE];
	int len;

	time_format(when);
	if (q->log_method[0] != '\0')
		(void)snprintf(request, sizeof(request), "%s %s %s", q->log_method,
		    escaped(target_path(q->target, path), false, target, sizeof(target)), q->log_version);
	if (q->bytes > 0)
		(void)snprintf(bytes, sizeof(bytes), "%zu", q->bytes);
	len = snprintf(line, sizeof(line) - 1, "%s - %s [%s] \"%s\" %03u %s \"%s\" \"%s\" %s %s%s", q->client,
	    escaped(q->log_user, false, user, sizeof(user)), when, request, q->status, bytes,
	    escaped(q->log_referer, true, referer, sizeof(referer)), escaped(q->log_agent, true, agent, sizeof(agent)),
	    or_dash(q->route.mac), or_dash(q->route.md5), complete ? "" : " incomplete");
	line_write(q->server, line, (size_t)len);
}

/* The line that fail2ban's filter reads (packaging/fail2ban): the client's data come last, so that they forge none. */
static void
login_log(const struct http_request *q)
{
	char user[SHOWN_MAX / 2];

	if (q->login != HTTP_LOGIN_WRONG && q->login != HTTP_LOGIN_UNKNOWN)
		return;
	log_warn("login failed from %s: %s: \"%s\"", q->client,
	    q->login == HTTP_LOGIN_WRONG ? "wrong password of user" : "unknown user",
	    escaped(q->log_user, true, user, sizeof(user)));
}

void
http_log_request(const struct http_request *q, enum MHD_RequestTerminationCode how)
{
	access_log(q, how == MHD_REQUEST_TERMINATED_COMPLETED_OK || q->bytes == 0);
	login_log(q);
}

void
http_log_release(struct http_request *q)
{
	free(q->log_user);
	free(q->log_agent);
	free(q->log_referer);
}
