/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include "common/log.h"
#include "common/text.h"
#include "provisioner/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX (1 << 20)
#define CHALLENGE_MAX 1024
#define RETRY_SECONDS "5"
#define ETAG_SIZE (ROUTE_MD5_SIZE + 2)

/* Header fields of an answer; a list ends with a NULL name. */
struct field {
	const char *name, *value;
};

/* Those that come with TLS keep their connection also in a crowd: to begin another costs more than it gives. */
static bool
is_last(const struct http_request *q, unsigned int status)
{
	const struct http_server *s = q->server;

	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		return false; /* it says so itself */
	return atomic_load(&s->stopping) ||
	       (status == MHD_HTTP_OK && atomic_load(&s->tls) == NULL && http_limit_crowded(s->limit));
}

/* Hand the answer to the library. response may be NULL (no memory): then the connection is closed. */
static enum MHD_Result
queue(struct http_request *q, unsigned int status, struct MHD_Response *response, const struct field *fields)
{
	enum MHD_Result good = response != NULL ? MHD_YES : MHD_NO;

	for (; good == MHD_YES && fields->name != NULL; fields++)
		good = MHD_add_response_header(response, fields->name, fields->value);
	if (good == MHD_YES)
		good = MHD_add_response_header(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
	if (good == MHD_YES && is_last(q, status))
		good = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (good == MHD_YES)
		good = MHD_queue_response(q->connection, status, response);
	if (response != NULL)
		MHD_destroy_response(response);
	q->status = status;
	http_limit_answer(q->limited, q->bytes);
	return good;
}

static struct MHD_Response *
response_empty(void)
{
	return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result
http_answer_status(struct http_request *q, unsigned int status)
{
	static const struct field none[] = { { NULL, NULL } };
	static const struct field allow[] = { { MHD_HTTP_HEADER_ALLOW, "GET, HEAD" }, { NULL, NULL } };
	static const struct field again[] = { { MHD_HTTP_HEADER_RETRY_AFTER, HTTP_RETRY_SECONDS },
		{ MHD_HTTP_HEADER_CONNECTION, "close" }, { NULL, NULL } };
	const struct field *fields = none;

	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		fields = allow;
	else if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
		fields = again;
	return queue(q, status, response_empty(), fields);
}

/* Made anew each time: a response that is used twice would carry the challenges of both. */
static enum MHD_Result
answer_challenge(struct http_request *q, bool stale)
{
	const struct http_config *config = &q->server->config;
	struct buf first = BUF_INIT(CHALLENGE_MAX), second = BUF_INIT(CHALLENGE_MAX);
	bool both = config->auth == HTTP_AUTH_DIGEST && config->sha256;
	struct err e = ERR_INIT;
	enum MHD_Result result;

	/* MD5 comes first: a cURL that knows nothing newer looks no further. */
	if (http_challenge(q, DIGEST_MD5, stale, &first, &e) != 0 ||
	    (both && http_challenge(q, DIGEST_SHA256, stale, &second, &e) != 0)) {
		log_error("%s", e.text);
		result = http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
	} else {
		const struct field fields[] = { { MHD_HTTP_HEADER_WWW_AUTHENTICATE, buf_string(&first) },
			{ both ? MHD_HTTP_HEADER_WWW_AUTHENTICATE : NULL, buf_string(&second) }, { NULL, NULL } };

		result = queue(q, MHD_HTTP_UNAUTHORIZED, response_empty(), fields);
	}
	buf_release(&first);
	buf_release(&second);
	return result;
}

/* The library is done with a document: cleanse and free it. */
static void
document_free(void *arg)
{
	struct buf *document = arg;

	buf_release(document);
	free(document);
}

/* Send a document, which is freed when the last byte is out, and now when it cannot be sent. */
static enum MHD_Result
answer_document(struct http_request *q, struct buf *document, const struct field *fields)
{
	const struct http_source *source = &q->server->config.source;
	struct MHD_Response *response;
	size_t len = document->len;

	response = MHD_create_response_from_buffer_with_free_callback_cls(len, document->data, document_free, document);
	if (response == NULL)
		document_free(document);
	if (strcmp(q->method, MHD_HTTP_METHOD_HEAD) != 0) {
		q->bytes = len;
		q->has_receipt = source->receipt != NULL && q->view != NULL && source->receipt(q->view, &q->receipt);
	}
	return queue(q, MHD_HTTP_OK, response, fields);
}

static struct buf *
document_new(size_t max)
{
	struct buf *document = malloc(sizeof(*document));

	if (document != NULL)
		*document = (struct buf)BUF_INIT(max);
	return document;
}

/* Not found is 404 and looks like every other 404; anything else is ours to put right, and the client's to retry. */
static enum MHD_Result
answer_error(struct http_request *q, const struct err *e)
{
	char shown[ERR_TEXT_MAX];

	if (e->code == ERR_NOT_FOUND)
		return http_answer_status(q, MHD_HTTP_NOT_FOUND);
	log_error("%s: %s", q->route.mac, text_printable(e->text, shown, sizeof(shown)));
	return http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

static const struct field config_fields[] = { { MHD_HTTP_HEADER_CONTENT_TYPE, "application/xml" },
	{ MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" }, { NULL, NULL } };

static enum MHD_Result
answer_config(struct http_request *q)
{
	const struct http_source *source = &q->server->config.source;
	struct buf *document = document_new(DOCUMENT_MAX);
	struct err e = ERR_INIT;
	int rc = -1;

	if (document == NULL)
		return http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
	if (q->route.kind == ROUTE_GENERIC)
		rc = xml_generic(document, &e);
	else if (http_view(q, &e) != NULL)
		rc = source->config(q->view, q->route.mac, document, &e);
	if (rc == 0)
		return answer_document(q, document, config_fields);
	document_free(document);
	return answer_error(q, &e);
}

/* Somebody else writes to the state, and a request waits for nobody. */
static enum MHD_Result
answer_later(struct http_request *q)
{
	static const struct field later[] = { { MHD_HTTP_HEADER_RETRY_AFTER, RETRY_SECONDS }, { NULL, NULL } };

	return queue(q, MHD_HTTP_SERVICE_UNAVAILABLE, response_empty(), later);
}

/* No login at all: a challenge, but for a phone that may fetch its document once without one. */
static enum MHD_Result
answer_stranger(struct http_request *q)
{
	const struct http_source *source = &q->server->config.source;
	struct buf *document;
	struct err e = ERR_INIT;

	if (source->enroll == NULL || q->route.kind != ROUTE_CONFIG || strcmp(q->method, MHD_HTTP_METHOD_GET) != 0)
		return answer_challenge(q, false);
	document = document_new(DOCUMENT_MAX);
	if (document == NULL)
		return http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
	if (http_view(q, &e) != NULL && source->enroll(q->view, q->route.mac, q->client, document, &e) == 0)
		return answer_document(q, document, config_fields);
	document_free(document);
	if (e.code == ERR_NOT_FOUND)
		return answer_challenge(q, false);
	return e.code == ERR_CONFLICT ? answer_later(q) : answer_error(q, &e);
}

/* The client has these very bytes: RFC 9110 section 13.1.2. An md5 in quotes is nothing else's part. */
static bool
none_match(const struct http_request *q, const char *etag)
{
	const char *value = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return value != NULL && (strcmp(value, "*") == 0 || strstr(value, etag) != NULL);
}

static enum MHD_Result
answer_bundle(struct http_request *q)
{
	const struct http_source *source = &q->server->config.source;
	struct buf *document = document_new(DOCUMENT_MAX);
	char etag[ETAG_SIZE];
	const struct field fields[] = { { MHD_HTTP_HEADER_ETAG, etag }, { MHD_HTTP_HEADER_CACHE_CONTROL, "private" },
		{ MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-openvpn-profile" }, { NULL, NULL } };
	struct err e = ERR_INIT;

	if (document == NULL)
		return http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
	(void)snprintf(etag, sizeof(etag), "\"%s\"", q->route.md5);
	if (http_view(q, &e) == NULL || source->bundle(q->view, q->route.mac, q->route.md5, document, &e) != 0) {
		document_free(document);
		return answer_error(q, &e);
	}
	if (none_match(q, etag)) {
		document_free(document);
		return queue(q, MHD_HTTP_NOT_MODIFIED, response_empty(), fields);
	}
	return answer_document(q, document, fields);
}

static enum MHD_Result
answer_allowed(struct http_request *q)
{
	const struct http_config *config = &q->server->config;

	if (config->auth != HTTP_AUTH_NONE && config->source.login != NULL)
		config->source.login(q->view, q->route.mac);
	return q->route.kind == ROUTE_BUNDLE ? answer_bundle(q) : answer_config(q);
}

/* Of several Authorization fields the first could be one thing to a proxy and the last another to us. */
struct authorization {
	const char *value;
	unsigned int count;
	bool broken; /* it holds a NUL */
};

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t len)
{
	struct authorization *a = arg;

	(void)kind;
	(void)name_len;
	if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) != 0)
		return MHD_YES;
	a->count++;
	a->value = value != NULL ? value : "";
	a->broken = a->broken || strlen(a->value) != len;
	return MHD_YES;
}

void *
http_view(struct http_request *q, struct err *e)
{
	const struct http_source *source = &q->server->config.source;

	if (q->view == NULL)
		q->view = source->view_take(source->arg, e);
	return q->view;
}

static enum MHD_Result
answer(struct http_request *q)
{
	struct authorization a = { 0 };

	if (strcmp(q->method, MHD_HTTP_METHOD_GET) != 0 && strcmp(q->method, MHD_HTTP_METHOD_HEAD) != 0)
		return http_answer_status(q, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (q->route.kind == ROUTE_NONE)
		return http_answer_status(q, MHD_HTTP_NOT_FOUND);
	if (q->route.kind == ROUTE_GENERIC)
		return answer_config(q);
	(void)MHD_get_connection_values_n(q->connection, MHD_HEADER_KIND, on_header, &a);
	if (a.count > 1 || a.broken)
		return http_answer_status(q, MHD_HTTP_BAD_REQUEST);
	switch (http_authorize(q, a.value)) {
	case HTTP_ALLOWED:
		return answer_allowed(q);
	case HTTP_CHALLENGE:
		return a.count == 0 ? answer_stranger(q) : answer_challenge(q, false);
	case HTTP_CHALLENGE_STALE:
		return answer_challenge(q, true);
	case HTTP_BAD_REQUEST:
		return http_answer_status(q, MHD_HTTP_BAD_REQUEST);
	case HTTP_NOT_YOURS:
		return http_answer_status(q, MHD_HTTP_NOT_FOUND);
	case HTTP_NOT_NOW:
		return MHD_YES;
	case HTTP_TOO_MANY:
		return http_answer_status(q, MHD_HTTP_TOO_MANY_REQUESTS);
	case HTTP_FAILED:
		break;
	}
	return http_answer_status(q, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

enum MHD_Result
http_answer(struct http_request *q)
{
	const struct http_source *source = &q->server->config.source;
	enum MHD_Result result = answer(q);

	if (q->view != NULL)
		source->view_give(source->arg, q->view);
	q->view = NULL;
	return result;
}
