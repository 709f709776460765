/* SPDX-License-Identifier: ISC */
#include "provisioner/admin.h"

#include "common/listen.h"
#include "common/log.h"
#include "provisioner/metrics.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 32
#define CONNECTION_SECONDS 10
#define ANSWER_MAX (1 << 20)

struct admin {
	struct admin_config config;
	struct MHD_Daemon *daemon;
	char url[LISTEN_URL_SIZE];
};

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned int status, const char *type, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
	    MHD_RESPMEM_MUST_COPY);
	enum MHD_Result good = r != NULL ? MHD_YES : MHD_NO;

	if (good == MHD_YES)
		good = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (good == MHD_YES)
		good = MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (good == MHD_YES)
		good = MHD_queue_response(connection, status, r);
	if (r != NULL)
		MHD_destroy_response(r);
	return good;
}

static enum MHD_Result
answer_text(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", text);
}

static enum MHD_Result
answer_health(const struct admin *a, struct MHD_Connection *connection)
{
	struct buf why = BUF_INIT(2 * ERR_TEXT_MAX);
	struct err e = ERR_INIT;
	enum MHD_Result result;

	if (a->config.health(a->config.arg, &e) == 0)
		return answer_text(connection, MHD_HTTP_OK, "ok\n");
	buf_addf(&why, "%s\n", e.text);
	result = answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, buf_string(&why));
	buf_release(&why);
	return result;
}

static enum MHD_Result
answer_metrics(const struct admin *a, struct MHD_Connection *connection)
{
	struct buf out = BUF_INIT(ANSWER_MAX);
	struct err e = ERR_INIT;
	enum MHD_Result result;

	http_metrics(a->config.server, &out);
	metrics_process(&out);
	a->config.metrics(a->config.arg, &out);
	if (buf_check(&out, "metrics", &e) == 0) {
		result = answer(connection, MHD_HTTP_OK, METRICS_CONTENT_TYPE, buf_string(&out));
	} else {
		log_error("%s", e.text);
		result = answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "");
	}
	buf_release(&out);
	return result;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **request)
{
	const struct admin *a = arg;

	(void)version;
	(void)upload;
	/* At the first call, before a body: then the connection is closed behind the answer. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET\n");
	if (*request == NULL || *upload_len != 0) {
		*request = arg;
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/healthz") == 0)
		return answer_health(a, connection);
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(a, connection);
	return answer_text(connection, MHD_HTTP_NOT_FOUND, "expected /healthz or /metrics\n");
}

struct admin *
admin_start(const struct admin_config *config, struct err *e)
{
	struct admin *a = calloc(1, sizeof(*a));
	int fd;

	if (a == NULL) {
		(void)err_set(e, ERR_FAILED, "admin listener: no memory is left to start it");
		return NULL;
	}
	a->config = *config;
	a->config.listen = NULL;
	fd = config->listen != NULL ? listen_open(config->listen, false, a->url, e)
	                            : listen_take(config->socket, false, a->url, e);
	if (fd >= 0) {
		a->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, a,
		    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		    MHD_OPTION_END);
		if (a->daemon == NULL)
			(void)err_set(e, ERR_FAILED,
			    "admin listener: cannot be started: threads, memory or descriptors "
			    "are short");
	}
	if (a->daemon == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

const char *
admin_url(const struct admin *a)
{
	return a->url;
}

void
admin_stop(struct admin *a)
{
	if (a == NULL)
		return;
	MHD_stop_daemon(a->daemon);
	free(a);
}
