/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_H
#define PROVISIONER_HTTP_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/mac.h"
#include "provisioner/digest.h"
#include "provisioner/proxy.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum http_auth {
	HTTP_AUTH_DIGEST,
	HTTP_AUTH_BASIC,
	HTTP_AUTH_NONE,
};

/* A phone's login. The password is cleansed by who got it. */
struct http_credential {
	char mac[MAC_SIZE];
	struct buf password;
};

/* What a document proves once it has been fetched whole, in the source's own numbers. */
struct http_receipt {
	int64_t phone, number;
	int what;
	time_t at;	/* when it was sent: the server's to fill in */
};

/*
 * Where the documents come from: finished bytes, made by the caller. Called from several threads at once. A request
 * takes a view of the source (NULL: it cannot be had, answered as 500), which is of one moment, and gives it back.
 * The calls on it give 0, or -1 with ERR_NOT_FOUND (answered as 404) or another code (500, logged without the client
 * being told why).
 */
struct http_source {
	void *arg;
	void *(*view_take)(void *arg, struct err *e);
	void (*view_give)(void *arg, void *view);
	int (*credential)(void *view, const char *user, struct http_credential *ret, struct err *e);
	int (*config)(void *view, const char *mac, struct buf *out, struct err *e);
	int (*bundle)(void *view, const char *mac, const char *md5, struct buf *out, struct err *e);

	/* The next two may be NULL, and are not called where no login is asked for. */

	/* A phone has logged in as itself, and is about to get what it asked for. */
	void (*login)(void *view, const char *mac);
	/*
	 * Somebody at that IP address, without a login, asks for a phone's document. 0 with the document, when it is to
	 * be had this once: that is on disk then. -1 with ERR_NOT_FOUND for a stranger as any other (401), or with
	 * ERR_CONFLICT when it cannot be told now (503, to be asked again).
	 */
	int (*enroll)(void *view, const char *mac, const char *address, struct buf *out, struct err *e);
	/* Whether it matters that the document which this view gave last is fetched whole. May be NULL. */
	bool (*receipt)(void *view, struct http_receipt *ret);
	/*
	 * It was, by the client at that IP address: all of it has arrived there, and was not thrown away. Called without a
	 * view, when the client asks again on its connection, or ends it. Where it is the server that ends the connection
	 * with its answer, as in a crowd, all of it was sent, and no more is known. With TLS what has arrived and is not
	 * read is not told apart, and a proxy speaks for its client.
	 */
	void (*sent)(void *arg, const struct http_receipt *r, const char *address);
};

struct http_config {
	const char *listen;		/* as common/listen.h says, or NULL: */
	int socket;			/* one that listens already; the server's to close, also on failure */
	const char *base_path;		/* "" or "/phones" */
	enum http_auth auth;
	bool sha256;			/* offer Digest SHA-256 beside MD5 */
	struct digest_server digest;	/* realm also for Basic; borrowed strings */
	const char *tls_cert, *tls_key;	/* PEM texts, or NULL for plain HTTP */
	struct proxy_trust proxies;	/* their X-Forwarded-For says whose nonce and log line it is */
	bool proxy_protocol;		/* they alone connect, and begin with who it is (proxy_header.h) */
	const char *access_log;		/* a file, appended to; NULL: lines on stderr */
	unsigned int threads;
	unsigned int connections_max;	/* at once; 0: as many as http_limit.h and the process' limits allow */
	unsigned int per_address_max;	/* of them, from one address; 0: no limit, as a whole office may be behind one */
	struct http_source source;
};

struct http_server;

/* Listen and serve in threads of its own. NULL on failure: a port in use is ERR_CONFLICT. config is copied. */
struct http_server *http_start(const struct http_config *config, struct err *e);

/* "http://127.0.0.1:43211", borrowed. */
const char *http_url(const struct http_server *s);

/* Open the file of the access log again, after somebody has moved it; the former stays when that fails. */
int http_log_reopen(struct http_server *s, struct err *e);

/*
 * Take another certificate with its chain, and key, for the connections that begin from now on; those that are open go
 * on. What does not fit together is refused, and the former pair stays. Not from two threads at once.
 */
int http_tls_load(struct http_server *s, const char *cert, const char *key, struct err *e);

/* When the certificate ends; 0 for plain HTTP. */
time_t http_tls_end(struct http_server *s);

/* Append what it counts, in Prometheus' format: requests, logins, connections. */
void http_metrics(struct http_server *s, struct buf *out);

/* Take no new connection, finish what is under way, free all. NULL is taken. */
void http_stop(struct http_server *s);

#endif
