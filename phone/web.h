/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_H
#define PHONE_WEB_H

#include "common/command.h"
#include "common/err.h"

#include <time.h>

/* The phone's own web server: the vendor's page, sections "The OpenVPN web configuration page" and "Debugging". */

struct web_config {
	const char *listen;	/* as common/listen.h says */
	const struct invocation *phone;	/* by which phone_open() finds it */
	/* Called, in another thread, after a change that a tunnel may have to follow. */
	void (*changed)(void *arg);
	void *arg;
	time_t clock;		/* what the phone takes for the time; 0: the real one */
};

struct web;

/* Listen and serve in a thread of its own. NULL on failure: a port in use is ERR_CONFLICT. config is borrowed. */
struct web *web_start(const struct web_config *config, struct err *e);

/* "http://127.0.0.1:43211", borrowed. */
const char *web_url(const struct web *w);

/* Free all; what is under way is cut. NULL is taken. */
void web_stop(struct web *w);

#endif
