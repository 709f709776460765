/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_GUARD_H
#define PHONE_WEB_GUARD_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Who may use the page, as pure functions: the login, and what keeps other sites out of the admin's browser. */

#define GUARD_KEY_SIZE 32
#define GUARD_TOKEN_SIZE 65 /* HMAC-SHA256 in hex, and NUL */

/* admin and the phone's admin password ("" when none was set). Neither length nor content shows in the time taken. */
bool guard_login(const char *user, const char *password, const char *admin_password);

/* The token of the page's forms: without it, no form of another site is taken. */
int guard_token(const unsigned char key[GUARD_KEY_SIZE], const char *mac, char out[GUARD_TOKEN_SIZE], struct err *e);
bool guard_token_is(const char *found, const char token[GUARD_TOKEN_SIZE]);

/*
 * The Host field names an address or localhost, as who reads the vendor's page types it: a name of somebody else's may
 * have been pointed at the phone (DNS rebinding). host NULL: HTTP/1.0 has none.
 */
bool guard_host(const char *host);

/* The form comes from the page itself, as far as the browser says (fields are NULL where it does not). */
bool guard_origin(const char *host, const char *origin, const char *fetch_site);

#endif
