/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include "common/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a client sends is cut, so that a line stays below what log_info() takes. */
#define SHOWN_MAX 256
#define TARGET_SHOWN_MAX 1024

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

int
http_log_reopen(struct http_server *s, struct err *e)
{
	return http_log_file_reopen(s->log, e);
}

/* A line under way; what does not fit is cut. */
struct line {
	size_t len;
	char text[HTTP_LOG_LINE_MAX];
};

static void
put(struct line *l, const char *s, size_t len)
{
	if (len > sizeof(l->text) - l->len)
		len = sizeof(l->text) - l->len;
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static void
put_string(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/*
 * As Apache's ap_escape_logitem(): quotes, backslashes and what is not printable are escaped; blanks too where there are
 * no quotes around it. "-" for nothing. No more than max bytes of the line.
 */
static void
put_escaped(struct line *l, const char *s, bool quoted, size_t max)
{
	static const char plain[] = "\b\n\r\t\v\"\\", letters[] = "bnrtv\"\\";
	size_t before = l->len;
	char code[5];

	if (s == NULL || *s == '\0')
		put(l, "-", 1);
	for (; s != NULL && *s != '\0' && l->len - before + sizeof("\\xff") <= max; s++) {
		const char *at;

		if (*s > '"' && *s <= '~' && *s != '\\') {
			put(l, s, 1);
		} else if ((at = strchr(plain, *s)) != NULL) {
			put(l, (const char[]){ '\\', letters[at - plain] }, 2);
		} else if (*s < (quoted ? ' ' : '!') || *s > '~') {
			(void)snprintf(code, sizeof(code), "\\x%02x", (unsigned char)*s);
			put(l, code, 4);
		} else {
			put(l, s, 1);
		}
	}
}

static void
field_take(struct http_request *q, const char *name, char **field)
{
	const char *value = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);

	*field = value != NULL ? strndup(value, SHOWN_MAX) : NULL;
}

static void
word_take(char *out, size_t size, const char *word)
{
	size_t len = strnlen(word, size - 1);

	memcpy(out, word, len);
	out[len] = '\0';
}

void
http_log_begin(struct http_request *q, const char *method, const char *version)
{
	word_take(q->log_method, sizeof(q->log_method), method);
	word_take(q->log_version, sizeof(q->log_version), version);
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
static void
put_target(struct line *l, const char *target)
{
	const char *authority = target[0] != '/' ? strstr(target, "://") : NULL;
	char path[TARGET_SHOWN_MAX];
	size_t len;

	if (authority != NULL)
		target = authority + 3 + strcspn(authority + 3, "/?");
	len = strcspn(target, "?");
	if (len >= sizeof(path))
		len = sizeof(path) - 1;
	memcpy(path, target, len);
	path[len] = '\0';
	put_escaped(l, path, false, TARGET_SHOWN_MAX);
}

static void
put_request(struct line *l, const struct http_request *q)
{
	if (q->log_method[0] == '\0') {
		put(l, "-", 1);
		return;
	}
	put_escaped(l, q->log_method, false, sizeof(q->log_method));
	put(l, " ", 1);
	put_target(l, q->target);
	put(l, " ", 1);
	put_string(l, q->log_version);
}

static void
put_or_dash(struct line *l, const char *s)
{
	put_string(l, s[0] != '\0' ? s : "-");
}

/* httpd.apache.org/docs/2.4/logs.html, Combined Log Format; behind it MAC and md5. */
static void
access_log(const struct http_request *q, bool complete)
{
	char when[HTTP_LOG_TIME_SIZE], status[40] = "";
	struct line l;

	l.len = 0;
	http_log_file_time(q->server->log, when);
	put_string(&l, q->client);
	put_string(&l, " - ");
	put_escaped(&l, q->log_user, false, SHOWN_MAX / 2);
	put_string(&l, " [");
	put_string(&l, when);
	put_string(&l, "] \"");
	put_request(&l, q);
	(void)snprintf(status, sizeof(status), q->bytes > 0 ? "\" %03u %zu \"" : "\" %03u - \"", q->status, q->bytes);
	put_string(&l, status);
	put_escaped(&l, q->log_referer, true, SHOWN_MAX);
	put_string(&l, "\" \"");
	put_escaped(&l, q->log_agent, true, SHOWN_MAX);
	put_string(&l, "\" ");
	put_or_dash(&l, q->route.mac);
	put(&l, " ", 1);
	put_or_dash(&l, q->route.md5);
	put_string(&l, complete ? "" : " incomplete");
	http_log_file_add(q->server->log, l.text, l.len);
}

/* The line that fail2ban's filter reads (packaging/fail2ban): the client's data come last, so that they forge none. */
static void
login_log(const struct http_request *q)
{
	struct line user;

	if (q->login != HTTP_LOGIN_WRONG && q->login != HTTP_LOGIN_UNKNOWN)
		return;
	user.len = 0;
	put_escaped(&user, q->log_user, true, SHOWN_MAX / 2);
	http_log_file_flush(q->server->log);
	log_warn("login failed from %s: %s: \"%.*s\"", q->client,
	    q->login == HTTP_LOGIN_WRONG ? "wrong password of user" : "unknown user", (int)user.len, user.text);
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
