/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FETCH_H
#define PHONE_FETCH_H

#include "common/buf.h"
#include "common/err.h"

#include <curl/curl.h>
#include <stdbool.h>

/* The phone's cURL: the vendor's page, "Requirements and Overview": no authentication, basic auth, or digest auth. */

#define FETCH_CONNECT_SECONDS 10
#define FETCH_TOTAL_SECONDS 60
#define FETCH_SLOW_BYTES 16	/* fewer bytes a second, for */
#define FETCH_SLOW_SECONDS 20	/* so long, are given up */
#define FETCH_HEADERS_MAX 65536
#define FETCH_REDIRECTS_MAX 5

enum fetch_auth {
	FETCH_AUTH_NONE,	/* the URL's user and password are not sent */
	FETCH_AUTH_BASIC,
	FETCH_AUTH_DIGEST,
	FETCH_AUTH_ANY,		/* what the server asks for */
};

/* "none", "basic", "digest" or "any"; ERR_USAGE otherwise. */
int fetch_auth_parse(const char *name, enum fetch_auth *ret, struct err *e);

struct fetch_request {
	const char *url;	/* http or https; user:password@ in it is the login */
	const char *user_agent;
	enum fetch_auth auth;
	unsigned int total_seconds;	/* 0: FETCH_TOTAL_SECONDS */
	bool stoppable;		/* SIGINT or SIGTERM that waits (common/process.h) ends it */
	CURL *curl;	/* a handle as it is when new, which it is again at the end; NULL: one of its own */
};

/*
 * Fetch a URL onto out (empty), whose maximum bounds the body: more is an error, and not read. Only the answer 200 is
 * a success. ERR_NOT_FOUND for 404 and 410, ERR_DENIED for 401 and 403, ERR_INPUT for a URL that is none and for a body
 * that is too large, else ERR_FAILED. Redirects are followed to http and https, never from https to http; the login
 * goes to its own host only. No text names the password.
 */
int fetch_get(const struct fetch_request *r, struct buf *out, struct err *e);

/*
 * The same in two halves, for many at once: between them the caller runs the transfer that curl stands for, and
 * passes on how libcurl says that it ended; it may set further options of the transfer before. r and out are borrowed
 * until the end. libcurl is the caller's to start (curl_global_init). fetch_start() that failed needs no end.
 */
struct fetch;

struct fetch *fetch_start(const struct fetch_request *r, struct buf *out, struct err *e);
CURL *fetch_curl(struct fetch *f);
int fetch_end(struct fetch *f, CURLcode code, struct err *e);

/* The URL of a phone's XML: base, a slash where it lacks one, and "<mac>.cfg". ERR_INPUT when base is no such URL. */
int fetch_config_url(const char *base, const char *mac, struct buf *out, struct err *e);

/* Append a URL fit to be shown: without user, password and query. */
void fetch_show_url(const char *url, struct buf *out);

#endif
