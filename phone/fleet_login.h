/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_LOGIN_H
#define PHONE_FLEET_LOGIN_H

#include "common/buf.h"

#include <stdbool.h>

/* The user:password@ of a URL (RFC 3986 section 3.2.1), for a fleet whose phones each have their own. */

bool fleet_login_is_in(const char *url);

/* Append url with login, which is percent-encoded ("": none), put in front of its host; -1 when there is one already. */
int fleet_login_put(const char *url, const char *login, struct buf *out);

/* Append url with another password than the one in it. -1 when there is no login. */
int fleet_login_spoil(const char *url, struct buf *out);

#endif
