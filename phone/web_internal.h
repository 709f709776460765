/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_INTERNAL_H
#define PHONE_WEB_INTERNAL_H

#include "common/listen.h"
#include "phone/web.h"
#include "phone/web_form.h"
#include "phone/web_guard.h"
#include "phone/web_page.h"
#include "phone/web_route.h"

#include <microhttpd.h>
#include <netinet/in.h>

/* Inside phone/web*.c only. */

struct web {
	struct web_config config;
	struct MHD_Daemon *daemon;
	char url[LISTEN_URL_SIZE];
	unsigned char key[GUARD_KEY_SIZE];	/* of the forms' tokens; new at each start */
};

/* One request, from its first line until its answer is sent. */
struct web_request {
	struct web *web;
	struct MHD_Connection *connection;
	const struct web_route *route;	/* NULL: no such place */
	const char *method;	/* valid inside the handler only */
	bool open;		/* phone is */
	struct phone phone;	/* as it was when the header came */
	struct web_form *form;
	size_t body;		/* bytes until now */
	unsigned int refusal;	/* status, 0 while there is none */
	const char *why;	/* a text for the person who reads it, or NULL */
	struct err phone_why;	/* why the phone has nothing there */
	bool logged_in;
	char client[INET6_ADDRSTRLEN];
	char log_method[16];
	unsigned int status;	/* 0: no answer yet */
};

/* Look at the header: fills refusal and why. */
void web_check(struct web_request *q);

/* Answer a request whose header, and body if any, has been read. */
enum MHD_Result web_answer(struct web_request *q);

/* Answer with the refusal. */
enum MHD_Result web_answer_refusal(struct web_request *q);

/* The page, with what is to be said on it: web_page's fields notice and problems. */
enum MHD_Result web_answer_page(struct web_request *q, unsigned int status, const struct web_page *said);

/* Hand over what a form asks for to the phone, and answer. */
enum MHD_Result web_answer_form(struct web_request *q);

/* Send on to the page. */
enum MHD_Result web_answer_see_page(struct web_request *q, unsigned int status, enum web_notice notice);

#endif
