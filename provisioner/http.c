/* SPDX-License-Identifier: ISC */
#include "provisioner/http.h"

#include "common/log.h"
#include "common/process.h"
#include "common/text.h"
#include "provisioner/digest_nonce.h"
#include "provisioner/digest_window.h"
#include "provisioner/http_internal.h"
#include "provisioner/metrics.h"

#include <libxml/parser.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 64 /* for the database, the log and the threads */
#define SILENT_SECONDS 1    /* then a connection is accepted without a byte of its client */

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

/* While stopping, a new connection is closed at once; see http_stop(). */
static enum MHD_Result
on_connect(void *arg, const struct sockaddr *from, socklen_t len)
{
	struct http_server *s = arg;

	(void)from;
	(void)len;
	/* On a lent socket no more come, but those that have been taken are to be served. */
	return atomic_load(&s->stopping) && s->lent < 0 ? MHD_NO : MHD_YES;
}

static void
request_count(struct http_server *s, bool begins)
{
	(void)pthread_mutex_lock(&s->lock);
	if (begins)
		s->active++;
	else if (--s->active == 0)
		(void)pthread_cond_broadcast(&s->idle);
	(void)pthread_mutex_unlock(&s->lock);
}

static void
request_free(struct http_request *q)
{
	if (q == NULL)
		return;
	http_log_release(q);
	free(q->target);
	free(q);
}

/* The only place where the library shows the target as it came, before it is unescaped and cut. */
static void *
on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;
	struct http_server *s = arg;
	struct http_request *q = calloc(1, sizeof(*q));
	struct http_peer *p = http_peer_of(connection);

	if (p != NULL)
		http_peer_asks(p);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (q == NULL || info == NULL || !http_log_client(q, info->client_addr))
		goto fail;
	q->limited = p != NULL ? p->limited : NULL;
	if (q->limited == NULL)
		goto fail;
	q->target = strdup(target != NULL ? target : "");
	if (q->target == NULL)
		goto fail;
	q->server = s;
	q->connection = connection;
	return q;
fail:
	request_free(q);
	return NULL;
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how)
{
	const union MHD_ConnectionInfo *info;
	struct http_request *q = *request;

	(void)arg;
	if (q == NULL)
		return;
	/* Refused by the library, with an answer of its own, before the handler saw it. */
	if (q->status == 0) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
		q->status = info != NULL ? info->http_status : 0;
	}
	http_log_request(q, how);
	http_count(&q->server->counts, q->route.kind, q->status, q->login, q->bytes);
	if (q->has_receipt && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		http_receipt_sent(q);
	if (q->seen)
		request_count(q->server, false);
	http_limit_next(q->limited);
	request_free(q);
	*request = NULL;
}

static void
route_take(struct http_request *q)
{
	size_t len = strcspn(q->target, "?");
	char *path = strndup(q->target, len);

	if (path != NULL)
		q->route = route_find(q->server->config.base_path, path);
	free(path);
}

static enum MHD_Result
on_body_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	bool *ret_body = arg;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 ||
	    (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && (value == NULL || strcmp(value, "0") != 0)))
		*ret_body = true;
	return MHD_YES;
}

/*
 * Limits well below what the connection's memory takes: near its end the library finds no room for an answer's header,
 * and closes without one. 0 when all is in order.
 */
static unsigned int
check_limits(const struct http_request *q)
{
	const union MHD_ConnectionInfo *info;

	if (http_limit_exceeded(q->limited))
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	if (strlen(q->target) > HTTP_TARGET_MAX)
		return MHD_HTTP_URI_TOO_LONG;
	info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info != NULL && info->header_size > HTTP_HEADER_MAX ? MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE : 0;
}

/* A body is never read; where the method is not taken either, the client is told that. */
static unsigned int
body_refusal(const char *method)
{
	bool taken = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

	return taken ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_METHOD_NOT_ALLOWED;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **request)
{
	struct http_request *q = *request;
	unsigned int refusal;
	bool body = false;

	(void)arg;
	(void)url;
	(void)upload;
	if (q == NULL)
		return MHD_NO;
	q->method = method;
	if (q->seen) {
		*upload_len = 0;
		return http_answer(q);
	}
	/* The first call: the header is there. An answer now closes the connection, which is right before a body. */
	q->seen = true;
	request_count(q->server, true);
	http_log_forwarded(q);
	http_log_begin(q, method, version);
	route_take(q);
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_body_header, &body);
	refusal = check_limits(q);
	if (refusal == 0 && body)
		refusal = body_refusal(method);
	return refusal != 0 ? http_answer_status(q, refusal) : MHD_YES;
}

void
http_free(struct http_server *s)
{
	if (s == NULL)
		return;
	free((void *)(uintptr_t)s->config.base_path);
	free((void *)(uintptr_t)s->config.digest.realm);
	http_limit_free(s->limit);
	http_throttle_free(s->throttle);
	digest_nonces_free(s->config.digest.nonces);
	digest_window_free(s->config.digest.window);
	OPENSSL_cleanse(&s->config.digest.key, sizeof(s->config.digest.key));
	http_log_file_close(s->log);
	http_tls_release(s);
	(void)pthread_cond_destroy(&s->idle);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct http_server *
server_new(const struct http_config *config)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	(void)pthread_mutex_init(&s->lock, NULL);
	process_cond_init(&s->idle);
	s->lent = -1;
	s->config = *config;
	s->config.base_path = strdup(config->base_path);
	s->config.digest.realm = strdup(config->digest.realm != NULL ? config->digest.realm : "");
	/* Needed while starting only. */
	s->config.listen = s->config.tls_cert = s->config.tls_key = s->config.access_log = NULL;
	if (s->config.base_path == NULL || s->config.digest.realm == NULL) {
		http_free(s);
		return NULL;
	}
	return s;
}

/* Connections in all, the spare ones with them, so that descriptors do not run out. */
static unsigned int
connection_limit(const struct http_config *config)
{
	rlim_t limit = config->connections_max != 0 ? config->connections_max : HTTP_CONNECTIONS_MAX;
	struct rlimit files;

	limit += HTTP_CONNECTIONS_SPARE;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= limit + DESCRIPTORS_KEPT)
		return (unsigned int)limit;
	return files.rlim_cur > HTTP_CONNECTIONS_SPARE + 2 * DESCRIPTORS_KEPT
	           ? (unsigned int)files.rlim_cur - DESCRIPTORS_KEPT
	           : HTTP_CONNECTIONS_SPARE + DESCRIPTORS_KEPT;
}

static int
accept_start(struct http_server *s, int fd, struct err *e)
{
	s->accept = http_accept_start(fd, s->daemon, &s->config.proxies, e);
	if (s->accept == NULL)
		MHD_stop_daemon(s->daemon);
	return s->accept != NULL ? 0 : -1;
}

/* fd is the library's from here on, also when it fails. */
static int
daemon_start(struct http_server *s, const struct http_config *config, int fd, struct err *e)
{
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
	                     MHD_USE_TURBO;
	unsigned int limit = connection_limit(config), threads = config->threads;
	struct MHD_OptionItem more[5] = { { MHD_OPTION_END, 0, NULL } };
	/* The library does not take this one in an array; as an end, it is the end. */
	enum MHD_OPTION tls_pair = config->tls_cert != NULL ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END;
	size_t n = 0;

	s->limit = http_limit_new(limit - HTTP_CONNECTIONS_SPARE, config->per_address_max, &s->config.proxies, e);
	if (s->limit != NULL)
		s->throttle = http_throttle_new(limit / HTTP_WAITING_SHARE, e);
	if (s->throttle == NULL) {
		(void)close(fd);
		return -1;
	}
	if (config->tls_cert != NULL)
		flags |= MHD_USE_TLS;
	if (config->proxy_protocol)
		flags |= MHD_USE_NO_LISTEN_SOCKET;
	else
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_LISTEN_SOCKET, fd, NULL };
	if (threads > limit)
		threads = limit;
	if (threads > 1) /* a pool of one is refused */
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL };
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	s->daemon = MHD_start_daemon(flags, 0, on_connect, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_library_log,
	    NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)HTTP_IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, http_peer_notify, s, MHD_OPTION_ARRAY, more, tls_pair, http_tls_pair,
	    MHD_OPTION_END);
	if (s->daemon != NULL)
		return config->proxy_protocol ? accept_start(s, fd, e) : 0;
	if (config->proxy_protocol)
		(void)close(fd);
	return err_set(e, ERR_FAILED, "HTTP server: cannot be started: threads, memory or descriptors are short");
}

/*
 * A client of HTTP, TLS or the PROXY protocol speaks first. With what it says at hand, a connection is one wake-up less
 * and no reading in vain. Who says nothing is accepted, and then timed, all the same.
 */
static void
accept_defer(int fd)
{
	int seconds = SILENT_SECONDS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

static int
config_check(const struct http_config *config, struct err *e)
{
	struct buf challenge = BUF_INIT(1024);
	struct digest_request r = { .client = "" };
	int rc;

	if ((config->tls_cert == NULL) != (config->tls_key == NULL))
		return err_set(e, ERR_INPUT,
		    "HTTP server: expected a TLS certificate together with its key, found one alone");
	if (config->auth == HTTP_AUTH_NONE)
		return 0;
	/* A realm that no challenge can hold is found now, and not at the first request. */
	rc = digest_challenge(&config->digest, &r, DIGEST_MD5, false, &challenge, e);
	buf_release(&challenge);
	return rc;
}

struct http_server *
http_start(const struct http_config *config, struct err *e)
{
	struct http_server *s = NULL;
	int fd;

	if (config_check(config, e) != 0)
		return NULL;
	s = server_new(config);
	if (s == NULL) {
		(void)err_set(e, ERR_FAILED, "HTTP server: no memory is left to start it");
		return NULL;
	}
	s->config.digest.nonces = digest_nonces_new(s->config.digest.key, e);
	s->config.digest.window = digest_window_new(e);
	if (s->config.digest.nonces == NULL || s->config.digest.window == NULL) {
		http_free(s);
		return NULL;
	}
	s->log = http_log_file_open(config->access_log, e);
	if (s->log == NULL ||
	    (config->tls_cert != NULL && http_tls_load(s, config->tls_cert, config->tls_key, e) != 0)) {
		http_free(s);
		return NULL;
	}
	/* Its tables are made at the first use, which must not be in two threads at once. */
	xmlInitParser();
	if (config->listen != NULL)
		fd = listen_open(config->listen, config->tls_cert != NULL, s->url, e);
	else
		fd = s->lent = listen_take(config->socket, config->tls_cert != NULL, s->url, e);
	if (fd < 0)
		goto fail;
	accept_defer(fd);
	if (daemon_start(s, config, fd, e) == 0)
		return s;
fail:
	http_free(s);
	return NULL;
}

const char *
http_url(const struct http_server *s)
{
	return s->url;
}

void
http_metrics(struct http_server *s, struct buf *out)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	http_counts_render(&s->counts, out);
	http_throttle_render(s->throttle, out);
	if (http_tls_end(s) != 0)
		metrics_single(out, "phonevpn_tls_certificate_end_timestamp_seconds", METRICS_GAUGE,
		    "When the certificate of this HTTPS server ends.", (double)http_tls_end(s));
	if (info != NULL)
		metrics_single(out, "phonevpn_http_connections", METRICS_GAUGE,
		    "Connections of phones that are open now.", info->num_connections);
}
