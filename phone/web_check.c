/* SPDX-License-Identifier: ISC */
#include "phone/web_internal.h"

#include "common/log.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#define FORM_TYPE "multipart/form-data"

static const char *
header(const struct web_request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

static void
refuse(struct web_request *q, unsigned int status, const char *why)
{
	q->refusal = status;
	q->why = why;
}

static void
secret_free(char *s)
{
	if (s != NULL)
		OPENSSL_cleanse(s, strlen(s));
	MHD_free(s);
}

/* The password as it is stored now: one that the last boot read counts at once. */
static void
check_login(struct web_request *q)
{
	char *password = NULL, *user = MHD_basic_auth_get_username_password(q->connection, &password);

	q->logged_in = user != NULL && password != NULL && guard_login(user, password, q->phone.store.admin_password);
	if (!q->logged_in)
		refuse(q, MHD_HTTP_UNAUTHORIZED, "The user is admin, and the password the phone's admin password.");
	if (!q->logged_in && header(q, MHD_HTTP_HEADER_AUTHORIZATION) != NULL)
		log_warn("%s: a wrong login to %s was refused", q->client, q->route->path);
	secret_free(user);
	secret_free(password);
}

static void
check_phone(struct web_request *q)
{
	struct err e = ERR_INIT;

	if (phone_open(q->web->config.phone, false, &q->phone, &e) != 0) {
		log_error("%s", e.text);
		refuse(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "The phone's memory cannot be read; its log says why.");
		return;
	}
	q->open = true;
	if (web_route_check_phone(q->route, &q->phone, &q->phone_why) != 0)
		refuse(q, MHD_HTTP_NOT_FOUND, q->phone_why.text);
}

/* A form, and one that the page itself sent, as far as its header says. */
static void
check_form(struct web_request *q)
{
	const char *type = header(q, MHD_HTTP_HEADER_CONTENT_TYPE), *length = header(q, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long bytes = 0;

	if (!guard_origin(header(q, MHD_HTTP_HEADER_HOST), header(q, MHD_HTTP_HEADER_ORIGIN),
		header(q, "Sec-Fetch-Site")))
		refuse(q, MHD_HTTP_FORBIDDEN, "The form was sent by another site.");
	else if (type == NULL || strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) != 0)
		refuse(q, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Expected a form as " FORM_TYPE ".");
	else if (length != NULL &&
		 (text_number(length, 0, (unsigned long)-1, "length", &bytes, NULL) != 0 || bytes > WEB_BODY_MAX))
		refuse(q, MHD_HTTP_CONTENT_TOO_LARGE, "The file is too large: at most 1 MiB.");
}

void
web_check(struct web_request *q)
{
	bool post = strcmp(q->method, MHD_HTTP_METHOD_POST) == 0;

	if (q->route == NULL)
		refuse(q, MHD_HTTP_NOT_FOUND, "There is nothing here.");
	else if (!web_route_takes(q->route, q->method))
		refuse(q, MHD_HTTP_METHOD_NOT_ALLOWED, "This cannot be done here.");
	else if (!guard_host(header(q, MHD_HTTP_HEADER_HOST)))
		refuse(q, MHD_HTTP_MISDIRECTED_REQUEST, "Ask for the phone by its address.");
	if (q->refusal != 0 || q->route->place == WEB_STYLE)
		return;
	check_phone(q);
	if (q->refusal == 0 && q->route->place != WEB_ROOT)
		check_login(q);
	if (q->refusal == 0 && post)
		check_form(q);
	if (q->refusal != 0 || !post)
		return;
	q->form = web_form_new(q->connection);
	if (q->form == NULL)
		refuse(q, MHD_HTTP_BAD_REQUEST, "The form cannot be read.");
}
