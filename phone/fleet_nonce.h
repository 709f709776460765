/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_NONCE_H
#define PHONE_FLEET_NONCE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

/* Digest (RFC 7616, RFC 2617) by hand, for a phone that answers a challenge which its server has not made. */

/* The parts of a challenge; "" for one that is absent. */
struct challenge {
	char realm[128], nonce[256], opaque[256], algorithm[16];
	bool auth;	/* qop has "auth"; without a qop, RFC 2069's shorter sum is taken */
};

/* The value of one WWW-Authenticate header. False when it is no Digest challenge, or not in MD5 or SHA-256. */
bool challenge_parse(const char *header, struct challenge *ret);

/* Make its nonce one that the server did not issue, or issued long ago, where the time is in front. */
void challenge_age(struct challenge *c);

/*
 * Append the Authorization header's value: RFC 7616 section 3.4. uri is the request's path and query, cnonce the
 * client's nonce.
 */
int challenge_answer(const struct challenge *c, const char *user, const char *password, const char *method,
    const char *uri, const char *cnonce, struct buf *out, struct err *e);

#endif
