/* SPDX-License-Identifier: ISC */
#include "phone/web_internal.h"

#include "common/log.h"
#include "phone/archive.h"
#include "phone/boot_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_SECONDS "5"
#define REALM "Basic realm=\"phone\", charset=\"UTF-8\""

/* Header fields of an answer; a list ends with a NULL name. */
struct field {
	const char *name, *value;
};

/*
 * With every answer. Nothing but the page's own style sheet is loaded, no other page shows this one, nobody stores it.
 * "same-origin", because with "no-referrer" a browser's form would come with "Origin: null".
 */
static const struct field always[] = {
	{ MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY,
	    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
	{ MHD_HTTP_HEADER_X_FRAME_OPTIONS, "DENY" },
	{ MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" },
	{ NULL, NULL },
};

static enum MHD_Result
fields_add(struct MHD_Response *response, const struct field *fields)
{
	enum MHD_Result good = MHD_YES;

	for (; good == MHD_YES && fields != NULL && fields->name != NULL; fields++)
		good = MHD_add_response_header(response, fields->name, fields->value);
	return good;
}

/* Hand the answer to the library. response may be NULL (no memory): then the connection is closed. */
static enum MHD_Result
queue(struct web_request *q, unsigned int status, struct MHD_Response *response, const struct field *fields)
{
	enum MHD_Result good = response != NULL ? fields_add(response, always) : MHD_NO;

	if (good == MHD_YES)
		good = fields_add(response, fields);
	if (good == MHD_YES)
		good = MHD_queue_response(q->connection, status, response);
	if (response != NULL)
		MHD_destroy_response(response);
	q->status = status;
	return good;
}

static void
document_free(void *arg)
{
	struct buf *document = arg;

	buf_release(document);
	free(document);
}

/* Send what is in a buffer, which is empty afterwards. */
static enum MHD_Result
queue_document(struct web_request *q, unsigned int status, struct buf *document, const struct field *fields)
{
	struct MHD_Response *response = NULL;
	struct buf *kept = malloc(sizeof(*kept));
	struct err e = ERR_INIT;

	if (kept != NULL && buf_check(document, "answer", &e) == 0) {
		*kept = (struct buf)BUF_INIT(document->max);
		buf_move(kept, document);
		response = MHD_create_response_from_buffer_with_free_callback_cls(kept->len, kept->data, document_free,
		    kept);
		if (response == NULL)
			document_free(kept);
	} else {
		log_error("%s", kept != NULL ? e.text : "answer: no memory");
		free(kept);
	}
	buf_release(document);
	return queue(q, status, response, fields);
}

static enum MHD_Result
queue_text(struct web_request *q, unsigned int status, const char *text, const struct field *fields)
{
	struct buf document = BUF_INIT(ERR_TEXT_MAX + 2);

	buf_addf(&document, "%s\n", text);
	return queue_document(q, status, &document, fields);
}

enum MHD_Result
web_answer_page(struct web_request *q, unsigned int status, const struct web_page *said)
{
	const struct field fields[] = { { MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8" },
		{ status == MHD_HTTP_SERVICE_UNAVAILABLE ? MHD_HTTP_HEADER_RETRY_AFTER : NULL, RETRY_SECONDS },
		{ NULL, NULL } };
	const struct store *s = &q->phone.store;
	struct buf document = BUF_INIT(WEB_PAGE_MAX), file = BUF_INIT(STORE_BUNDLE_MAX);
	struct web_page page = *said;
	char token[GUARD_TOKEN_SIZE];
	struct status now;
	struct err e = ERR_INIT;

	if (status_collect(&q->phone, &now, &e) != 0 || guard_token(q->web->key, s->mac, token, &e) != 0) {
		log_error("%s", e.text);
		return queue_text(q, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    "The phone cannot tell its status; its log says why.", NULL);
	}
	if (s->local.md5[0] != '\0' && store_bundle_load(s, s->local.md5, &file, NULL) == 0)
		page.local_size = file.len;
	buf_release(&file);
	page.status = &now;
	page.token = token;
	page.changing = now.menu && now.stored && q->web->config.phone->option[BOOT_OPT_NO_CONNECT] == NULL &&
	                (now.tunnel.state == TUNNEL_CONNECTING ||
			    (now.tunnel.state == TUNNEL_DOWN && page.notice != WEB_NOTICE_NONE));
	web_page_render(&page, &document);
	return queue_document(q, status, &document, fields);
}

enum MHD_Result
web_answer_see_page(struct web_request *q, unsigned int status, enum web_notice notice)
{
	char where[64];
	const struct field fields[] = { { MHD_HTTP_HEADER_LOCATION, where }, { NULL, NULL } };

	(void)snprintf(where, sizeof(where), "/vpn%s%s", notice != WEB_NOTICE_NONE ? "?notice=" : "",
	    web_notice_name(notice));
	return queue_text(q, status, where, fields);
}

enum MHD_Result
web_answer_refusal(struct web_request *q)
{
	const char *name = NULL, *value = NULL;
	const struct web_page said = { .problem = q->why };

	/* A form's sender is told on the page, which has the form to try again. */
	if (q->logged_in && q->route->place == WEB_VPN)
		return web_answer_page(q, q->refusal, &said);
	if (q->refusal == MHD_HTTP_METHOD_NOT_ALLOWED) {
		name = MHD_HTTP_HEADER_ALLOW;
		value = q->route->allow;
	} else if (q->refusal == MHD_HTTP_UNAUTHORIZED) {
		name = MHD_HTTP_HEADER_WWW_AUTHENTICATE;
		value = REALM;
	}
	return queue_text(q, q->refusal, q->why,
	    (const struct field[]){
		{ MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8" }, { name, value }, { NULL, NULL } });
}

static enum MHD_Result
answer_style(struct web_request *q)
{
	static const struct field fields[] = { { MHD_HTTP_HEADER_CONTENT_TYPE, "text/css; charset=utf-8" },
		{ NULL, NULL } };
	size_t len;
	const char *style = web_page_style(&len);
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)style, MHD_RESPMEM_PERSISTENT);
	return queue(q, MHD_HTTP_OK, response, fields);
}

static enum MHD_Result
answer_archive(struct web_request *q)
{
	char disposition[64];
	const struct field fields[] = { { MHD_HTTP_HEADER_CONTENT_TYPE, "application/gzip" },
		{ MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition }, { NULL, NULL } };
	struct buf document = BUF_INIT(ARCHIVE_MAX);
	struct err e = ERR_INIT;

	(void)snprintf(disposition, sizeof(disposition), "attachment; filename=\"refphone-%s.tar.gz\"",
	    q->phone.store.mac);
	if (archive_make(&q->phone, &document, &e) == 0)
		return queue_document(q, MHD_HTTP_OK, &document, fields);
	log_error("%s", e.text);
	buf_release(&document);
	return queue_text(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "The archive cannot be made; the phone's log says why.",
	    NULL);
}

enum MHD_Result
web_answer(struct web_request *q)
{
	const char *notice;

	switch (q->route->place) {
	case WEB_ROOT:
		return web_answer_see_page(q, MHD_HTTP_FOUND, WEB_NOTICE_NONE);
	case WEB_STYLE:
		return answer_style(q);
	case WEB_PTSR:
		return answer_archive(q);
	case WEB_VPN:
		break;
	}
	if (q->form != NULL)
		return web_answer_form(q);
	notice = MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, "notice");
	return web_answer_page(q, MHD_HTTP_OK, &(struct web_page){ .notice = web_notice_parse(notice) });
}
