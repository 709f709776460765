/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_WHOLE_H
#define PHONE_OVPN_WHOLE_H

#include "common/err.h"
#include "dseries/client.h"
#include "phone/ovpn_line.h"

#include <stdbool.h>
#include <stddef.h>

/* What 2.3.2 makes of several lines together, wherever they stand; ovpn_entry.h has what is of one place to connect to. */

struct ovpn_whole {
	bool fqdn;		/* allow-pull-fqdn, so far: later addresses may be names */
	bool random_host;	/* remote-random-hostname */
	bool keepalive, ping;	/* switched on */
	bool key_method_1, lladdr;
	long keysize;		/* bytes; 0: the cipher's own */
	size_t routes, routes6, max_routes;
	bool has_routes;	/* of redirect-gateway, too */
	char dev[CLIENT_LINE_MAX + 1], dev_type[CLIENT_LINE_MAX + 1];
};

#define OVPN_WHOLE_INIT { .max_routes = 100 } /* MAX_ROUTES_DEFAULT, route.h */

/* Take note of a directive; of most there is nothing to note. NULL, or why 2.3.2 ends at it. */
const char *ovpn_whole_say(struct ovpn_whole *whole, const struct ovpn_words *w);

/* At the end of the file. client: the directive client was said. cipher: of the data channel. ERR_INTEGRITY. */
int ovpn_whole_check(const struct ovpn_whole *whole, bool client, const char *cipher, struct err *e);

#endif
