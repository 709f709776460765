/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_INTERNAL_H
#define PROVISIONER_HTTP_INTERNAL_H

#include "common/listen.h"
#include "provisioner/http.h"
#include "provisioner/http_accept.h"
#include "provisioner/http_limit.h"
#include "provisioner/http_log_file.h"
#include "provisioner/http_metrics.h"
#include "provisioner/http_throttle.h"
#include "provisioner/route.h"
#include "provisioner/throttle.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

/* Inside provisioner/http*.c only. */

struct http_server {
	struct http_config config;	/* strings are our own copies */
	struct MHD_Daemon *daemon;
	struct http_accept *accept;	/* for the PROXY protocol, else NULL */
	struct http_limit *limit;
	struct http_throttle *throttle;
	char url[LISTEN_URL_SIZE];
	int lent;			/* the listening socket, when others have it as well; else -1 */
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t idle;		/* active became 0 */
	size_t active;			/* requests whose header is there and whose answer is not sent */
	size_t fresh;			/* connections that have not asked for anything yet */
	struct http_counts counts;
	struct http_log_file *log;
	_Atomic(struct http_tls *) tls;	/* what new handshakes take, or NULL for plain HTTP */
};

/* The library's socket_context. */
struct http_peer {
	struct http_server *server;
	struct http_connection *limited;
	bool asked;			/* a first request line came */
	struct http_owed *owed;		/* http_receipt.c: an answer that may not have arrived yet, or NULL */
};

/* One request, from its first line until its answer is sent. */
struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct http_connection *limited;
	char *target;			/* raw, as on the request line */
	struct route route;
	void *view;			/* of the source, while it is answered and as soon as it is needed */
	const char *method;		/* valid inside the handler only */
	bool seen;			/* its header was looked at */
	char client[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	size_t address_len;
	struct throttle_login throttled;
	struct http_request *next_waiting;
	uint64_t turn;			/* while it waits: when it goes on */
	bool has_receipt;
	struct http_receipt receipt;
	/* For the log. */
	char log_method[16], log_version[16];
	char *log_user, *log_agent, *log_referer;	/* as they came, cut; or NULL */
	enum http_login login;
	unsigned int status;		/* 0: no answer yet */
	size_t bytes;
};

enum http_verdict {
	HTTP_ALLOWED,
	HTTP_CHALLENGE,		/* 401 */
	HTTP_CHALLENGE_STALE,	/* 401: right, but for the nonce's age */
	HTTP_BAD_REQUEST,	/* 400 */
	HTTP_NOT_YOURS,		/* 404: another phone's login */
	HTTP_NOT_NOW,		/* nothing: the connection is suspended, and asks again */
	HTTP_TOO_MANY,		/* 429: too many wrong ones wait already */
	HTTP_FAILED,		/* 500; the log says why */
};

/* The request's view of the source. NULL with e filled. */
void *http_view(struct http_request *q, struct err *e);

/* Whether this request may have its document; notes in q->login what came of its login. authorization may be NULL. */
enum http_verdict http_authorize(struct http_request *q, const char *authorization);

/* The value of WWW-Authenticate for one algorithm, or for Basic. */
int http_challenge(const struct http_request *q, enum digest_algorithm algorithm, bool stale, struct buf *out,
    struct err *e);

/* Answer a request whose header, and body if any, has been read. */
enum MHD_Result http_answer(struct http_request *q);

/* Answer without a document. */
enum MHD_Result http_answer_status(struct http_request *q, unsigned int status);

/* Frees what it holds; takes NULL. */
void http_free(struct http_server *s);

/* MHD_OPTION_NOTIFY_CONNECTION, with the server as its argument, and what a request's first line does. */
void http_peer_notify(void *server, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what);
void http_peer_asks(struct http_peer *p);

/* What belongs to a connection; NULL when memory is short. */
struct http_peer *http_peer_of(struct MHD_Connection *connection);

/* A request with a receipt was answered, to the last byte. */
void http_receipt_sent(const struct http_request *q);

/* The client asks for the next, so it has what was sent before; or the connection ends. */
void http_receipt_next(struct http_peer *p);
void http_receipt_end(struct http_peer *p, struct MHD_Connection *connection);

void http_tls_release(struct http_server *s);

/* gnutls_certificate_retrieve_function2: the pair of this moment for a handshake. */
gnutls_certificate_retrieve_function2 http_tls_pair;

/* Note who asks. False when the address is of no known family. */
bool http_log_client(struct http_request *q, const struct sockaddr *from);

/* Keep for the log what is gone when the request ends, and the user that it claims to be. */
void http_log_begin(struct http_request *q, const char *method, const char *version);
void http_log_user(struct http_request *q, const char *user);
void http_log_release(struct http_request *q);

/* Behind a trusted proxy: note the client that it names. */
void http_log_forwarded(struct http_request *q);

/* One line for a finished request, and one for a login that failed. */
void http_log_request(const struct http_request *q, enum MHD_RequestTerminationCode how);

#endif
