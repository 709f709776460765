/* SPDX-License-Identifier: ISC */
#include "phone/web_internal.h"

#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECTION_MEMORY (32 * 1024)
#define CONNECTION_SECONDS 30
#define CONNECTIONS_MAX 64         /* a phone has few visitors; more wait */
#define CONNECTIONS_PER_ADDRESS 16 /* a browser opens six: nobody keeps the page from everybody else */

static void on_library_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void
on_library_log(void *arg, const char *fmt, va_list ap)
{
	char line[512], shown[512];

	(void)arg;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libmicrohttpd: %s", text_printable(line, shown, sizeof(shown)));
}

static void
client_name(struct MHD_Connection *connection, char out[INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info;
	const struct sockaddr *from;
	const void *address;

	(void)snprintf(out, INET6_ADDRSTRLEN, "-");
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info == NULL)
		return;
	from = info->client_addr;
	address = from->sa_family == AF_INET6
	              ? (const void *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr
	              : (const void *)&((const struct sockaddr_in *)(const void *)from)->sin_addr;
	(void)inet_ntop(from->sa_family, address, out, INET6_ADDRSTRLEN);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how)
{
	struct web_request *q = *request;

	(void)arg;
	(void)connection;
	if (q == NULL)
		return;
	log_info("%s %s %s %u%s", q->client, q->log_method, q->route != NULL ? q->route->path : "other", q->status,
	    how != MHD_REQUEST_TERMINATED_COMPLETED_OK ? " incomplete" : "");
	web_form_free(q->form);
	if (q->open)
		phone_close(&q->phone);
	free(q);
	*request = NULL;
}

struct body {
	bool there, expects; /* "Expect: 100-continue" */
	unsigned long length;
};

static enum MHD_Result
on_body_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct body *b = arg;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
		b->there = true;
	else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0)
		b->expects = true;
	else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && (value == NULL || strcmp(value, "0") != 0)) {
		b->there = true;
		if (value == NULL || text_number(value, 0, (unsigned long)-1, "length", &b->length, NULL) != 0)
			b->length = (unsigned long)-1;
	}
	return MHD_YES;
}

/*
 * The header is there. An answer now closes the connection, and a browser that is still sending would show that instead
 * of the answer: what is not too long is read first, and thrown away.
 */
static enum MHD_Result
request_begin(struct web *w, struct MHD_Connection *connection, const char *url, const char *method, void **request)
{
	struct web_request *q = calloc(1, sizeof(*q));
	struct body body = { .there = false };

	if (q == NULL)
		return MHD_NO;
	*request = q;
	q->web = w;
	q->connection = connection;
	q->method = method;
	q->route = web_route_find(url);
	q->phone_why = (struct err)ERR_INIT;
	client_name(connection, q->client);
	(void)text_printable(method, q->log_method, sizeof(q->log_method));
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_body_header, &body);
	web_check(q);
	if (q->refusal == 0 && body.there && q->form == NULL) {
		q->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
		q->why = "Nothing can be sent here.";
	}
	if (q->refusal != 0 && body.there && (body.expects || body.length > WEB_DRAIN_MAX))
		return web_answer_refusal(q);
	return MHD_YES;
}

static enum MHD_Result
request_body(struct web_request *q, const char *data, size_t len)
{
	q->body += len;
	if (q->body > WEB_DRAIN_MAX)
		return MHD_NO;
	if (q->refusal == 0 && q->body > WEB_BODY_MAX) {
		q->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
		q->why = "The file is too large: at most 1 MiB.";
	}
	if (q->refusal == 0)
		web_form_take(q->form, data, len);
	return MHD_YES;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **request)
{
	struct web_request *q = *request;
	size_t len = *upload_len;

	(void)version;
	if (q == NULL)
		return request_begin(arg, connection, url, method, request);
	q->method = method;
	if (len > 0) {
		*upload_len = 0;
		return request_body(q, upload, len);
	}
	return q->refusal != 0 ? web_answer_refusal(q) : web_answer(q);
}

/* fd is the library's from here on, also when it fails. */
static int
daemon_start(struct web *w, int fd, struct err *e)
{
	w->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL,
	    on_request, w, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)CONNECTION_SECONDS, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_PER_ADDRESS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, w, MHD_OPTION_END);
	if (w->daemon != NULL)
		return 0;
	return err_set(e, ERR_FAILED, "web server: cannot be started: threads, memory or descriptors are short");
}

static void
web_free(struct web *w)
{
	OPENSSL_cleanse(w->key, sizeof(w->key));
	free(w);
}

/* The phone is on all the same. */
static void
tell_page_missing(const struct web *w)
{
	struct err e = ERR_INIT;
	struct phone p;

	if (phone_open(w->config.phone, false, &p, NULL) != 0)
		return;
	if (web_route_check_phone(web_route_find(WEB_PAGE_PATH), &p, &e) != 0)
		log_warn("no page at " WEB_PAGE_PATH ": %s", e.text);
	phone_close(&p);
}

struct web *
web_start(const struct web_config *config, struct err *e)
{
	struct web *w = calloc(1, sizeof(*w));
	int fd;

	if (w == NULL) {
		(void)err_set(e, ERR_FAILED, "web server: no memory is left to start it");
		return NULL;
	}
	w->config = *config;
	if (process_random(w->key, sizeof(w->key), e) != 0)
		goto failed;
	fd = listen_open(config->listen, false, w->url, e);
	if (fd < 0 || daemon_start(w, fd, e) != 0)
		goto failed;
	tell_page_missing(w);
	return w;
failed:
	web_free(w);
	return NULL;
}

const char *
web_url(const struct web *w)
{
	return w->url;
}

void
web_stop(struct web *w)
{
	if (w == NULL)
		return;
	MHD_stop_daemon(w->daemon);
	web_free(w);
}
