/* SPDX-License-Identifier: ISC */
#ifndef TESTS_HTTP_SUPPORT_H
#define TESTS_HTTP_SUPPORT_H

#include "tests/unit/support.h"

#include "common/log.h"
#include "common/text.h"
#include "provisioner/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* What the tests of the HTTP server share: a server with a few phones, and two ways to ask it, curl and a raw socket. */

#define MAC_A "000fd3000001"
#define MAC_B "000fd3000002"
#define MAC_UNKNOWN "000fd30000ff"
#define MAC_BROKEN "000fd30000ee" /* its documents fail */
#define MAC_SLOW "000fd30000dd"   /* its document waits until it is let go */
#define MD5 "8b1a9953c4611296a827abf8c47804d7"
#define BUNDLE_A "/ovpn/" MD5 "/" MAC_A ".ovpn"
#define BODY_A "bundle of A\n"
#define XML_A "<config><!-- A --></config>\n"
#define PASSWORD_A "pa:ss \"w\\ord\" &?#/@\xc3\xbc"
#define CURL_A "--user '" MAC_A ":" PASSWORD_A "'"

/* What the slow document waits for. */
struct http_support_slow {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool asked, let_go;
};

static struct http_support_slow slow
    __attribute__((unused)) = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };

/* There is nothing to see but what the calls know. */
static inline void *
view_take(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return &slow;
}

static inline void
view_give(void *arg, void *view)
{
	(void)arg;
	(void)view;
}

static inline int
source_credential(void *view, const char *user, struct http_credential *ret, struct err *e)
{
	static const char *const known[][2] = { { MAC_A, PASSWORD_A }, { MAC_B, "b" }, { MAC_BROKEN, "c" },
		{ MAC_SLOW, "d" } };

	(void)view;
	if (strcmp(user, "broken-login") == 0)
		return err_set(e, ERR_FAILED, "the store is on fire");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(user, known[i][0]) != 0)
			continue;
		(void)snprintf(ret->mac, sizeof(ret->mac), "%s", known[i][0]);
		buf_add_string(&ret->password, known[i][1]);
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no such user");
}

static inline int
source_config(void *view, const char *mac, struct buf *out, struct err *e)
{
	(void)view;
	if (strcmp(mac, MAC_BROKEN) == 0)
		return err_set(e, ERR_INTEGRITY, "hash does not fit");
	if (strcmp(mac, MAC_SLOW) == 0) {
		(void)pthread_mutex_lock(&slow.lock);
		slow.asked = true;
		(void)pthread_cond_broadcast(&slow.changed);
		while (!slow.let_go)
			(void)pthread_cond_wait(&slow.changed, &slow.lock);
		(void)pthread_mutex_unlock(&slow.lock);
	} else if (strcmp(mac, MAC_A) != 0) {
		return err_set(e, ERR_NOT_FOUND, "no such phone");
	}
	buf_add_string(out, XML_A);
	return 0;
}

static inline int
source_bundle(void *view, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	(void)view;
	if (strcmp(mac, MAC_A) != 0 || strcmp(md5, MD5) != 0)
		return err_set(e, ERR_NOT_FOUND, "no such generation");
	buf_add_string(out, BODY_A);
	return 0;
}

static inline struct http_config
config_of(enum http_auth auth)
{
	return (struct http_config){ .listen = "127.0.0.1:0",
		.base_path = "",
		.auth = auth,
		.threads = 2,
		.digest = { .realm = "phones", .key = "key" },
		.source = { .view_take = view_take, .view_give = view_give, .credential = source_credential,
		    .config = source_config, .bundle = source_bundle } };
}

static inline struct http_server *
start(const struct http_config *config)
{
	struct err e = ERR_INIT;
	struct http_server *s = http_start(config, &e);

	if (s == NULL)
		print_error("%s\n", e.text);
	assert_non_null(s);
	return s;
}

/* What curl gets: header and body for "-i", or what "-w" prints. */
static inline void
curl(struct buf *out, const char *arguments, const struct http_server *s, const char *path)
{
	buf_clear(out);
	support_shell(out, NULL, "curl -sS -g --max-time 20 %s '%s%s'", arguments, http_url(s), path);
}

static inline void
assert_status(const struct http_server *s, const char *arguments, const char *path, const char *status)
{
	struct buf out = BUF_INIT(1 << 16);
	char all[1024];

	(void)snprintf(all, sizeof(all), "-o /dev/null -w '%%{http_code}' %s", arguments);
	curl(&out, all, s, path);
	if (strcmp(buf_string(&out), status) != 0)
		print_error("curl %s %s\n", arguments, path);
	assert_string_equal(buf_string(&out), status);
	buf_release(&out);
}

static inline void
assert_body(const struct http_server *s, const char *arguments, const char *path, const char *body)
{
	struct buf out = BUF_INIT(1 << 16);

	curl(&out, arguments, s, path);
	assert_string_equal(buf_string(&out), body);
	buf_release(&out);
}

static inline void
assert_serves(const struct http_server *s)
{
	assert_body(s, "--digest " CURL_A, BUNDLE_A, BODY_A);
}

static inline void
assert_header(const struct buf *answer, const char *line, bool present)
{
	if ((strstr(buf_string(answer), line) != NULL) != present)
		print_error("%s in:\n%s\n", line, buf_string(answer));
	assert_true((strstr(buf_string(answer), line) != NULL) == present);
}

/* The port of a server. */
static inline in_port_t
port_of(const struct http_server *s)
{
	unsigned long port = 0;
	struct err e = ERR_INIT;

	assert_ok(text_number(strrchr(http_url(s), ':') + 1, 1, 65535, "port", &port, &e), e);
	return (in_port_t)port;
}

static inline int
connect_to(const struct http_server *s)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port_of(s)), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Send bytes as they are, and read until the server closes. */
static inline void
raw(const struct http_server *s, const void *request, size_t len, struct buf *answer)
{
	const char *p = request;
	char piece[4096];
	int fd = connect_to(s);
	ssize_t n;

	buf_clear(answer);
	while (len > 0 && (n = send(fd, p, len, MSG_NOSIGNAL)) > 0) {
		p += n;
		len -= (size_t)n;
	}
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		buf_add(answer, piece, (size_t)n);
	assert_true(n == 0 || errno == ECONNRESET); /* and not: no answer within the time */
	(void)close(fd);
}

static inline void
assert_raw(const struct http_server *s, const char *request, const char *status)
{
	struct buf answer = BUF_INIT(1 << 16);
	char expected[32];

	raw(s, request, strlen(request), &answer);
	(void)snprintf(expected, sizeof(expected), "HTTP/1.1 %s ", status);
	if (strncmp(buf_string(&answer), expected, strlen(expected)) != 0)
		print_error("%.60s: expected %s, found %.300s\n", request, status, buf_string(&answer));
	assert_int_equal(strncmp(buf_string(&answer), expected, strlen(expected)), 0);
	assert_null(strstr(buf_string(&answer), "\nHTTP/1.1 2")); /* nothing behind it was taken for a request */
	assert_null(strstr(buf_string(&answer), "icrohttpd"));
	buf_release(&answer);
}

/* For the group of tests: the access log would drown TAP. */
static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

#endif
