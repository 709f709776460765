/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_ROUTE_H
#define PROVISIONER_ROUTE_H

#include "dseries/mac.h"

#include <stddef.h>

#define ROUTE_MD5_SIZE 33

enum route_kind {
	ROUTE_NONE,	/* 404 */
	ROUTE_CONFIG,	/* GET <base>/<mac>.cfg */
	ROUTE_GENERIC,	/* GET <base>/000000000000.cfg */
	ROUTE_BUNDLE,	/* GET <base>/ovpn/<md5>/<mac>.ovpn */
};

struct route {
	enum route_kind kind;
	char mac[MAC_SIZE];
	char md5[ROUTE_MD5_SIZE];
};

/*
 * What a path asks for. base_path is "" or "/phones" (url_base_path()). Only the exact, lower-case form is ours;
 * nothing here touches a file name.
 */
struct route route_find(const char *base_path, const char *path);

#endif
