/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_DIGEST_H
#define PROVISIONER_DIGEST_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * HTTP Digest (RFC 7616; RFC 2617 for the phones' old cURL). What a login is good for needs no state on our side: a nonce
 * is a time, a number, and a keyed hash of both and the client's address, so that any number of phones may hold one
 * and no table overflows. What has been used is remembered as far as a table of fixed size goes (digest_window.h).
 */
#define DIGEST_KEY_SIZE 32
#define DIGEST_NONCE_SECONDS 300	/* then the client is told stale=true and repeats with a new one */
#define DIGEST_HEADER_MAX 2048

enum digest_algorithm {
	DIGEST_MD5,		/* all that a cURL before 7.57 has */
	DIGEST_SHA256,
};

enum digest_result {
	DIGEST_OK,
	DIGEST_ABSENT,		/* no Authorization of this scheme */
	DIGEST_MALFORMED,	/* 400: a field missing, twice, or out of shape */
	DIGEST_WRONG,		/* user, password, realm, uri or a forged nonce */
	DIGEST_STALE,		/* all right, but for the nonce's age or a count that was used before */
};

/* One request as it came. */
struct digest_request {
	const char *method;
	const char *target;		/* as on the request line, query and escapes included */
	const char *authorization;	/* the header's value, or NULL */
	const void *client;		/* the client's address bytes, port not included */
	size_t client_len;
	time_t now;
};

struct digest_server {
	const char *realm;	/* no quote, backslash or control character */
	unsigned char key[DIGEST_KEY_SIZE];
	struct digest_window *window;	/* digest_window_new(), or NULL: a login may be used more than once */
	struct digest_nonces *nonces;	/* digest_nonces_new(), which saves time at every request; or NULL */
};

/* The value of one WWW-Authenticate header. */
int digest_challenge(const struct digest_server *s, const struct digest_request *r, enum digest_algorithm algorithm,
    bool stale, struct buf *out, struct err *e);

/*
 * The fields of an Authorization header of scheme Digest (RFC 7616 section 3.4), unquoted; NULL where the header has
 * none. They point into storage, so a copy is of no use.
 */
struct digest_header {
	const char *username, *realm, *nonce, *uri, *response, *algorithm, *cnonce, *qop, *nc, *userhash;
	char storage[2 * DIGEST_HEADER_MAX];
};

/*
 * Read the request's header. DIGEST_OK when it is whole, with an algorithm of ours: then it says who claims to ask. The
 * password is checked by digest_check(), which the caller runs for an unknown user too, with any password, so that both
 * take the same time.
 */
enum digest_result digest_take(const struct digest_request *r, struct digest_header *ret);

/*
 * Of a header that was taken, check response, realm, uri (equal to the target), nonce (ours, for this client, age) and
 * qop=auth with nc and cnonce, or the old form without qop, which has no nc and so may be used more than once. Compares
 * in constant time.
 */
enum digest_result digest_check(const struct digest_server *s, const struct digest_request *r,
    const struct digest_header *h, const char *password);

/* HTTP Basic, RFC 7617: user and password out of the header. The caller releases both. */
enum digest_result basic_parse(const char *authorization, struct buf *user, struct buf *password);

#endif
