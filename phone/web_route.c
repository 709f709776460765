/* SPDX-License-Identifier: ISC */
#include "phone/web_route.h"

#include <string.h>

#define PAGE_MODELS "D6" /* "D6x phones beginning with firmware 2.7.0" */

static const struct web_route routes[] = {
	{ "/", WEB_ROOT, false, "GET, HEAD" },
	{ WEB_PAGE_PATH, WEB_VPN, true, "GET, HEAD, POST" },
	{ "/vpn.css", WEB_STYLE, false, "GET, HEAD" },
	{ "/cgi-bin/ptsr", WEB_PTSR, false, "GET, HEAD" },
};

const struct web_route *
web_route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	}
	return NULL;
}

bool
web_route_takes(const struct web_route *r, const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || (r->post && strcmp(method, "POST") == 0);
}

int
web_route_check_phone(const struct web_route *r, const struct phone *p, struct err *e)
{
	const char *model = p->store.model;

	if (r->place == WEB_STYLE)
		return 0;
	if (!p->model->openvpn)
		return err_set(e, ERR_NOT_FOUND, "A %s has no OpenVPN, and no page for it.", model);
	if (r->place == WEB_PTSR)
		return 0;
	if (strncmp(model, PAGE_MODELS, strlen(PAGE_MODELS)) != 0)
		return err_set(e, ERR_NOT_FOUND,
		    "Whether a %s has a page for its VPN is not known: the vendor describes it for the D6x only.",
		    model);
	if (!p->vpn)
		return err_set(e, ERR_NOT_FOUND, "A %s has this page from firmware 2_7_0 on; this one has %s.", model,
		    p->store.firmware);
	return 0;
}
