/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_LIVE_FETCH_H
#define CLI_CHECK_LIVE_FETCH_H

#include "common/buf.h"
#include "common/err.h"

#include <curl/curl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* A GET as a phone makes it (vendor page, "Requirements and Overview": no authentication, Basic, or Digest by cURL). */

#define LIVE_SHOWN_SIZE 512

struct live_request {
	const char *url;	/* http or https; user:password@ in it is the login */
	const char *user_agent;
	const char *ca_file;	/* PEM certificates to trust for https, or NULL for the system's */
	size_t max;		/* bytes of the body; more is a failure */
};

struct live_fetch {
	CURL *curl;
	struct buf body;	/* of the answer 200 */
	CURLcode code;		/* set by live_fetch_end() */
	long status, first_status;	/* of the last answer, and of the first, which came without a login */
	char shown[LIVE_SHOWN_SIZE];	/* the URL without login and query */
	char why[CURL_ERROR_SIZE];
	size_t headers;
};

/* Make the transfer, for the caller's multi handle; private becomes its CURLOPT_PRIVATE. */
int live_fetch_begin(struct live_fetch *f, const struct live_request *r, void *private, struct err *e);

/* It ended with this code. */
void live_fetch_end(struct live_fetch *f, CURLcode code);

/*
 * No answer at all: nobody listens, no such name, TLS that cannot be trusted, or too slow. *ret_why says in words why it
 * failed, for a lost one in the same for all phones.
 */
bool live_fetch_is_lost(const struct live_fetch *f, const char **ret_why);

/* "https://pbx.example.com:8443": where it went to, out of shown. */
void live_fetch_origin(const struct live_fetch *f, char out[LIVE_SHOWN_SIZE]);

/* The server's certificate of an https transfer that ended, for the caller to free, or NULL. */
X509 *live_fetch_certificate(const struct live_fetch *f);

/* Free all but shown, status and the like. May be called again, and after a begin that failed. */
void live_fetch_release(struct live_fetch *f);

#endif
