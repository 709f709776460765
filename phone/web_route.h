/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_ROUTE_H
#define PHONE_WEB_ROUTE_H

#include "phone/phone.h"

#include <stdbool.h>

#define WEB_PAGE_PATH "/vpn"

enum web_place {
	WEB_ROOT,	/* sends on to the page */
	WEB_STYLE,	/* the page's style sheet */
	WEB_VPN,	/* the page */
	WEB_PTSR,	/* the debug archive */
};

struct web_route {
	const char *path;
	enum web_place place;
	bool post;		/* takes POST as well */
	const char *allow;	/* RFC 9110 section 10.2.1 */
};

/* The route of a path, by its exact form, or NULL. */
const struct web_route *web_route_find(const char *path);

/* GET, HEAD, and POST where the place takes it. */
bool web_route_takes(const struct web_route *r, const char *method);

/*
 * Whether this phone has something at that place. ERR_NOT_FOUND when it has not, or when the vendor's page does not say
 * that it has; the text tells which.
 */
int web_route_check_phone(const struct web_route *r, const struct phone *p, struct err *e);

#endif
