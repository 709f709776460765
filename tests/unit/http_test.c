/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/log.h"
#include "common/text.h"
#include "provisioner/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool asked, let_go;
} slow = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };

static int
source_credential(void *arg, const char *user, struct http_credential *ret, struct err *e)
{
	static const char *const known[][2] = { { MAC_A, PASSWORD_A }, { MAC_B, "b" }, { MAC_BROKEN, "c" },
		{ MAC_SLOW, "d" } };

	(void)arg;
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

static int
source_config(void *arg, const char *mac, struct buf *out, struct err *e)
{
	(void)arg;
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

static int
source_bundle(void *arg, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	(void)arg;
	if (strcmp(mac, MAC_A) != 0 || strcmp(md5, MD5) != 0)
		return err_set(e, ERR_NOT_FOUND, "no such generation");
	buf_add_string(out, BODY_A);
	return 0;
}

static struct http_config
config_of(enum http_auth auth)
{
	return (struct http_config){ .listen = "127.0.0.1:0",
		.base_path = "",
		.auth = auth,
		.threads = 2,
		.digest = { .realm = "phones", .key = "key" },
		.source = { NULL, source_credential, source_config, source_bundle } };
}

static struct http_server *
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
static void
curl(struct buf *out, const char *arguments, const struct http_server *s, const char *path)
{
	buf_clear(out);
	support_shell(out, NULL, "curl -sS -g --max-time 20 %s '%s%s'", arguments, http_url(s), path);
}

static void
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

static void
assert_body(const struct http_server *s, const char *arguments, const char *path, const char *body)
{
	struct buf out = BUF_INIT(1 << 16);

	curl(&out, arguments, s, path);
	assert_string_equal(buf_string(&out), body);
	buf_release(&out);
}

static void
assert_serves(const struct http_server *s)
{
	assert_body(s, "--digest " CURL_A, BUNDLE_A, BODY_A);
}

/* No phone would get its files; or each phone would get the others'. */
static void
test_digest(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);

	(void)state;
	assert_body(s, "--digest " CURL_A, "/" MAC_A ".cfg", XML_A);
	assert_body(s, "--digest " CURL_A, BUNDLE_A, BODY_A);
	assert_body(s, "--digest " CURL_A, BUNDLE_A "?v=1&x=%20", BODY_A);
	assert_body(s, "--anyauth " CURL_A, BUNDLE_A, BODY_A);
	assert_body(s, "--http1.0 --digest " CURL_A, BUNDLE_A, BODY_A);
	assert_status(s, "", "/" MAC_A ".cfg", "401");
	assert_status(s, "", BUNDLE_A, "401");
	assert_status(s, "", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--digest --user " MAC_A ":wrong", BUNDLE_A, "401");
	assert_status(s, "--digest --user " MAC_UNKNOWN ":x", BUNDLE_A, "401");
	/* The password that stands in for an unknown user's opens nothing. */
	assert_status(s, "--digest --user '" MAC_UNKNOWN ":no such user'", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--digest --user " MAC_B ":b", BUNDLE_A, "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_A ".cfg", "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_UNKNOWN ".cfg", "404");
	assert_status(s, "--digest --user " MAC_B ":b", "/" MAC_B ".cfg", "404");
	assert_status(s, "--digest " CURL_A, "/ovpn/00000000000000000000000000000000/" MAC_A ".ovpn", "404");
	assert_status(s, "--basic " CURL_A, BUNDLE_A, "401");
	assert_status(s, "--header 'Authorization: Digest nonsense'", BUNDLE_A, "400");
	assert_status(s, "--header 'Authorization: Digest a=b' --header 'Authorization: Basic dTpw'", BUNDLE_A, "400");
	assert_status(s, "--digest --user broken-login:x", BUNDLE_A, "500");
	assert_status(s, "--digest --user " MAC_BROKEN ":c", "/" MAC_BROKEN ".cfg", "500");
	http_stop(s);
}

/* A phone whose URL carries its login, percent-encoded, could not log in. */
static void
test_login_in_url(void **state)
{
	static const enum http_auth auths[] = { HTTP_AUTH_DIGEST, HTTP_AUTH_BASIC };
	struct buf out = BUF_INIT(1 << 16), user = BUF_INIT(256);

	(void)state;
	text_percent_encode(&user, MAC_A);
	buf_add_string(&user, ":");
	text_percent_encode(&user, PASSWORD_A);
	for (size_t i = 0; i < 2; i++) {
		struct http_config config = config_of(auths[i]);
		struct http_server *s = start(&config);

		buf_clear(&out);
		support_shell(&out, NULL, "curl -sS %s 'http://%s@%s%s'", i == 0 ? "--digest" : "--basic",
		    buf_string(&user), http_url(s) + strlen("http://"), BUNDLE_A);
		assert_string_equal(buf_string(&out), BODY_A);
		http_stop(s);
	}
	buf_release(&user);
	buf_release(&out);
}

/* The same for Basic. */
static void
test_basic(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_BASIC);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	assert_body(s, "--basic " CURL_A, BUNDLE_A, BODY_A);
	assert_status(s, "", BUNDLE_A, "401");
	assert_status(s, "--basic --user " MAC_A ":wrong", BUNDLE_A, "401");
	assert_status(s, "--basic --user " MAC_A ":", BUNDLE_A, "401");
	assert_status(s, "--basic --user '" MAC_UNKNOWN ":no such user'", "/" MAC_UNKNOWN ".cfg", "401");
	assert_status(s, "--basic --user " MAC_B ":b", BUNDLE_A, "404");
	assert_status(s, "--header 'Authorization: Basic ###'", BUNDLE_A, "400");
	assert_status(s, "--digest " CURL_A, BUNDLE_A, "401");
	curl(&out, "-i", s, BUNDLE_A);
	assert_non_null(strstr(buf_string(&out), "WWW-Authenticate: Basic realm=\"phones\", charset=\"UTF-8\"\r\n"));
	buf_release(&out);
	http_stop(s);
}

/* A phone on a network of its own, without a login, would get nothing. */
static void
test_none(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_NONE);
	struct http_server *s;

	(void)state;
	config.base_path = "/phones";
	config.threads = 1;
	config.digest.realm = NULL;
	s = start(&config);
	assert_body(s, "", "/phones" BUNDLE_A, BODY_A);
	assert_body(s, "", "/phones/" MAC_A ".cfg", XML_A);
	assert_status(s, "", BUNDLE_A, "404");
	assert_status(s, "", "/phones/" MAC_UNKNOWN ".cfg", "404");
	assert_status(s, "", "/phones/" MAC_BROKEN ".cfg", "500");
	http_stop(s);
}

/* Someone could learn which MACs are known, or find something beside the phones' files. */
static void
test_nothing_else(void **state)
{
	static const char *const paths[] = { "/", "/index.html", "/../etc/passwd", "/" MAC_A ".CFG",
		"/%30"
		"00fd3000001.cfg",
		"/" MAC_A, "//" MAC_A ".cfg", "/ovpn/" MD5 "/../" MAC_A ".ovpn", "/ovpn/", "/phones/" MAC_A ".cfg" };
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf known = BUF_INIT(1 << 16), unknown = BUF_INIT(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_status(s, "--path-as-is", paths[i], "404");
	support_shell(&known, NULL,
	    "{ curl -sSi '%s/%s.cfg' | sed -E 's/^Date:.*//; s/nonce=\"[0-9a-f]{48}\"/nonce/'; }", http_url(s), MAC_A);
	support_shell(&unknown, NULL,
	    "{ curl -sSi '%s/%s.cfg' | sed -E 's/^Date:.*//; s/nonce=\"[0-9a-f]{48}\"/nonce/'; }", http_url(s),
	    MAC_UNKNOWN);
	assert_string_equal(buf_string(&known), buf_string(&unknown));
	assert_non_null(strstr(buf_string(&known), "401"));
	buf_clear(&known);
	buf_clear(&unknown);
	support_shell(&known, NULL,
	    "{ curl -sSi --digest --user %s:b '%s/%s.cfg' | sed -n '/^HTTP.* 404/,$p' | grep -v ^Date; }", MAC_B,
	    http_url(s), MAC_A);
	support_shell(&unknown, NULL,
	    "{ curl -sSi --digest --user %s:b '%s/%s.cfg' | sed -n '/^HTTP.* 404/,$p' | grep -v ^Date; }", MAC_B,
	    http_url(s), MAC_UNKNOWN);
	assert_string_equal(buf_string(&known), buf_string(&unknown));
	assert_non_null(strstr(buf_string(&known), "404"));
	buf_release(&known);
	buf_release(&unknown);
	http_stop(s);
}

/* A factory-fresh phone would not get past the generic file, or the file would ask for a login that it does not have. */
static void
test_generic(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);

	(void)state;
	assert_body(s, "", "/000000000000.cfg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config/>\n");
	http_stop(s);
}

static void
assert_header(const struct buf *answer, const char *line, bool present)
{
	if ((strstr(buf_string(answer), line) != NULL) != present)
		print_error("%s in:\n%s\n", line, buf_string(answer));
	assert_true((strstr(buf_string(answer), line) != NULL) == present);
}

/* A cache would hand out a phone's secret, or a phone would fetch again what it has. */
static void
test_headers(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_NONE);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	curl(&out, "-i", s, "/" MAC_A ".cfg");
	assert_header(&out, "HTTP/1.1 200 OK\r\n", true);
	assert_header(&out, "\r\nContent-Type: application/xml\r\n", true);
	assert_header(&out, "\r\nCache-Control: no-store\r\n", true);
	assert_header(&out, "\r\nX-Content-Type-Options: nosniff\r\n", true);
	assert_header(&out, "\r\nContent-Length: 28\r\n", true);
	assert_header(&out, "\r\nServer:", false);
	assert_header(&out, "icrohttpd", false);
	curl(&out, "-I", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 200 OK\r\n", true);
	assert_header(&out, "\r\nContent-Type: application/x-openvpn-profile\r\n", true);
	assert_header(&out, "\r\nCache-Control: private\r\n", true);
	assert_header(&out, "\r\nContent-Length: 12\r\n", true);
	assert_header(&out, "\r\nETag: \"" MD5 "\"\r\n", true);
	assert_header(&out, BODY_A, false);
	curl(&out, "-i --header 'If-None-Match: \"" MD5 "\"'", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 304 ", true);
	assert_header(&out, "\r\nETag: \"" MD5 "\"\r\n", true);
	assert_header(&out, BODY_A, false);
	assert_status(s, "--header 'If-None-Match: \"x\", W/\"" MD5 "\"'", BUNDLE_A, "304");
	assert_status(s, "--header 'If-None-Match: *'", BUNDLE_A, "304");
	assert_status(s, "--header 'If-None-Match: \"00000000000000000000000000000000\"'", BUNDLE_A, "200");
	assert_status(s, "--header 'If-None-Match: " MD5 "'", BUNDLE_A, "200");
	assert_status(s, "--header 'If-None-Match: *'", "/ovpn/" MD5 "/" MAC_B ".ovpn", "404");
	curl(&out, "-i", s, "/nothing");
	assert_header(&out, "\r\nContent-Length: 0\r\n", true);
	assert_header(&out, "\r\nX-Content-Type-Options: nosniff\r\n", true);
	buf_release(&out);
	http_stop(s);
}

/* A phone with an old cURL would not find the one algorithm that it has; a new client the better one. */
static void
test_sha256(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s;
	struct buf out = BUF_INIT(1 << 16);
	const char *md5, *sha;

	(void)state;
	config.sha256 = true;
	s = start(&config);
	curl(&out, "-i", s, BUNDLE_A);
	md5 = strstr(buf_string(&out),
	    "WWW-Authenticate: Digest realm=\"phones\", qop=\"auth\", algorithm=MD5, nonce=\"");
	sha = strstr(buf_string(&out),
	    "WWW-Authenticate: Digest realm=\"phones\", qop=\"auth\", algorithm=SHA-256, nonce=\"");
	assert_true(md5 != NULL && sha != NULL && md5 < sha);
	assert_serves(s);
	/* curl looks at the first challenge only, so sha256sum makes the other's response. */
	buf_clear(&out);
	support_shell(&out, NULL,
	    "{ set -e; sum() { printf %%s \"$1\" | sha256sum | cut -c1-64; }; path='%s'; "
	    "nonce=$(curl -sSi '%s'$path | sed -nE 's/.*SHA-256, nonce=\"([0-9a-f]+)\".*/\\1/p'); "
	    "response=$(sum \"$(sum '%s:phones:b'):$nonce:00000001:cn:auth:$(sum \"GET:$path\")\"); "
	    "curl -sS -o /dev/null -w '%%{http_code}' --header \"Authorization: Digest username=\\\"%s\\\", realm=\\\"phones\\\", "
	    "nonce=\\\"$nonce\\\", uri=\\\"$path\\\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\\\"cn\\\", "
	    "response=\\\"$response\\\"\" '%s'$path; }",
	    "/" MAC_B ".cfg", http_url(s), MAC_B, MAC_B, http_url(s));
	assert_string_equal(buf_string(&out), "404"); /* logged in; the source has no document for B */
	buf_release(&out);
	http_stop(s);
}

/* The port of a server. */
static in_port_t
port_of(const struct http_server *s)
{
	unsigned long port = 0;
	struct err e = ERR_INIT;

	assert_ok(text_number(strrchr(http_url(s), ':') + 1, 1, 65535, "port", &port, &e), e);
	return (in_port_t)port;
}

static int
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
static void
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

static void
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

/* Send part of a request, and go. */
static void
abandon(const struct http_server *s, const void *request, size_t len)
{
	int fd = connect_to(s);

	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	(void)close(fd);
}

/* Anyone on the network could stop the server, or make it keep what they send. */
static void
test_malformed(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	static const char binary[] = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"; /* a TLS hello, cut short */
	struct buf answer = BUF_INIT(1 << 16);

	(void)state;
	assert_raw(s, "GET /\r\n\r\n", "400");
	assert_raw(s, "GET / FTP/1.1\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nno colon\r\nConnection: close\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/9.9\r\n\r\n", "505");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400");
	assert_raw(s, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", "413");
	/* A line without a blank is no request: the library closes without an answer. */
	raw(s, "nonsense\r\n\r\n", 12, &answer);
	assert_int_equal(answer.len, 0);
	abandon(s, binary, sizeof(binary) - 1);
	abandon(s, "GET / HTTP/1.1\r\nHos", 19);
	abandon(s, "", 0);
	buf_release(&answer);
	assert_serves(s);
	http_stop(s);
}

/* The same by sheer size. */
static void
test_too_long(void **state)
{
	static const struct {
		const char *before, *behind;
		size_t len;
		const char *status;
	} cases[] = {
		{ "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 100000, "414" },
		{ "GET /", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 4000, "404" },
		{ "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 5000, "414" },
		{ "", " / HTTP/1.1\r\nHost: x\r\n\r\n", 100000, "414" },
		{ "", " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "405" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", "\r\n\r\n", 100000, "431" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", "\r\n\r\n", 10000, "431" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ", "\r\n\r\n", 8000, "404" },
		{ "GET /" MAC_A ".cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Digest ", "\r\n\r\n",
		    8000, "400" },
	};
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf request = BUF_INIT(1 << 18);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&request);
		buf_add_string(&request, cases[i].before);
		for (size_t n = 0; n < cases[i].len; n++)
			buf_add(&request, "A", 1);
		buf_add_string(&request, cases[i].behind);
		assert_raw(s, buf_string(&request), cases[i].status);
	}
	buf_clear(&request);
	buf_add_string(&request, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 5000; i++)
		buf_addf(&request, "X-%d: y\r\n", i);
	buf_add_string(&request, "\r\n");
	assert_raw(s, buf_string(&request), "431");
	/* 8 KB in several fields pass. */
	buf_clear(&request);
	buf_add_string(&request, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
	while (request.len < 8000)
		buf_addf(&request, "X-Field: %0200d\r\n", 0);
	buf_add_string(&request, "\r\n");
	assert_raw(s, buf_string(&request), "404");
	buf_release(&request);
	assert_serves(s);
	http_stop(s);
}

/* A body would be taken, kept in memory, or read as the next request. */
static void
test_methods_and_bodies(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	curl(&out, "-i -X DELETE", s, BUNDLE_A);
	assert_header(&out, "HTTP/1.1 405 ", true);
	assert_header(&out, "\r\nAllow: GET, HEAD\r\n", true);
	assert_status(s, "-X POST", BUNDLE_A, "405");
	assert_status(s, "-X OPTIONS", "/", "405");
	assert_status(s, "-X get", BUNDLE_A, "405");
	assert_status(s, "-X POST --data x=y", BUNDLE_A, "413");
	assert_status(s, "-X GET --data x=y", BUNDLE_A, "413");
	assert_status(s, "-X PUT --header 'Transfer-Encoding: chunked' --data x=y", BUNDLE_A, "413");
	assert_raw(s,
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\n\r\n"
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\n\r\n",
	    "413");
	assert_raw(s,
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
	    "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\n\r\n",
	    "413");
	assert_raw(s, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n",
	    "413");
	assert_raw(s, "GET /000000000000.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	    "200");
	assert_serves(s);
	buf_release(&out);
	http_stop(s);
}

/* A phone would open one connection more for each request. */
static void
test_keep_alive(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	/* 401 and 200 each, over one connection. */
	support_shell(&out, NULL,
	    "curl -sS -o /dev/null -o /dev/null -w '%%{num_connects} %%{http_code};' --digest %s '%s%s' "
	    "'%s/%s.cfg'",
	    CURL_A, http_url(s), BUNDLE_A, http_url(s), MAC_A);
	assert_string_equal(buf_string(&out), "1 200;0 200;");
	buf_release(&out);
	http_stop(s);
}

/* Phones would be refused when many come at once. */
static void
test_parallel(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s = start(&config);
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	support_shell(&out, NULL,
	    "{ curl -sS --no-progress-meter --parallel --parallel-max 100 --digest %s -o /dev/null -w '%%{http_code}\\n' "
	    "'%s%s?[1-200]' | sort | uniq -c | tr -s ' '; }",
	    CURL_A, http_url(s), BUNDLE_A);
	assert_string_equal(buf_string(&out), " 200 200\n");
	buf_release(&out);
	http_stop(s);
}

/* Phones on IPv6 would find no server; an IPv4 phone at "[::]" would get its nonce refused. */
static void
test_ipv6(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s;
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	config.listen = "[::1]:0";
	s = http_start(&config, &e);
	if (s == NULL)
		skip(); /* no IPv6 here */
	assert_memory_equal(http_url(s), "http://[::1]:", strlen("http://[::1]:"));
	assert_serves(s);
	http_stop(s);
	config.listen = "[::]:0";
	s = start(&config);
	support_shell(&out, NULL, "curl -sS --digest %s 'http://127.0.0.1:%u%s'", CURL_A, port_of(s), BUNDLE_A);
	assert_string_equal(buf_string(&out), BODY_A);
	buf_release(&out);
	http_stop(s);
}

/* An admin's slip would make the server listen somewhere else, or fail without saying why. */
static void
test_listen(void **state)
{
	static const char *const bad[] = { "", ":", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
		"127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 80", "localhost:8080", "::1:8080", "[::1]", "[::1]8080",
		"[::1]:", "[127.0.0.1]:0", "[]:0", "[::1:0", "256.0.0.1:0", "127.0.0.1:0x50",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:1:80" };
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct http_server *s;
	struct err e = ERR_INIT;
	char listen[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.listen = bad[i];
		assert_fails(http_start(&config, &e) == NULL, e, ERR_INPUT, "listen: expected ADDRESS:PORT");
	}
	config.listen = "192.0.2.1:0";
	assert_fails(http_start(&config, &e) == NULL, e, ERR_INPUT, "expected an address of this machine");
	config.listen = "127.0.0.1:0";
	s = start(&config);
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", port_of(s));
	config.listen = listen;
	assert_fails(http_start(&config, &e) == NULL, e, ERR_CONFLICT, "already in use");
	assert_serves(s);
	http_stop(s);
	/* Free again at once, in spite of connections that the kernel still remembers. */
	s = start(&config);
	assert_serves(s);
	http_stop(s);
	http_stop(NULL);
}

/* A server would start with settings that no request can be answered with. */
static void
test_config(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct err e = ERR_INIT;

	(void)state;
	config.digest.realm = "a\"b";
	assert_fails(http_start(&config, &e) == NULL, e, ERR_INPUT, "realm");
	config = config_of(HTTP_AUTH_DIGEST);
	config.tls_cert = "x";
	assert_fails(http_start(&config, &e) == NULL, e, ERR_INPUT, "together with its key");
	config.tls_key = "y";
	assert_fails(http_start(&config, &e) == NULL, e, ERR_INPUT, "TLS certificate");
}

/* Phones that fetch over HTTPS would get nothing. */
static void
test_tls(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_DIGEST);
	struct buf cert = BUF_INIT(1 << 14), key = BUF_INIT(1 << 14), out = BUF_INIT(1 << 16);
	char *folder = support_folder();
	struct http_server *s;

	(void)state;
	support_shell(&out, NULL,
	    "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 -subj /CN=localhost "
	    "-addext subjectAltName=IP:127.0.0.1 2>/dev/null",
	    folder);
	support_shell(&cert, NULL, "cat %s/c", folder);
	support_shell(&key, NULL, "cat %s/k", folder);
	config.tls_cert = buf_string(&cert);
	config.tls_key = buf_string(&key);
	s = start(&config);
	assert_memory_equal(http_url(s), "https://127.0.0.1:", strlen("https://127.0.0.1:"));
	buf_clear(&out);
	support_shell(&out, NULL, "curl -sS --cacert %s/c --digest %s '%s%s'", folder, CURL_A, http_url(s), BUNDLE_A);
	assert_string_equal(buf_string(&out), BODY_A);
	http_stop(s);
	buf_release(&cert);
	buf_release(&key);
	buf_release(&out);
	support_remove(folder);
}

/* Run curl for the slow document; its status is the thread's result. */
static void *
slow_client(void *arg)
{
	char command[256];
	int status;

	(void)snprintf(command, sizeof(command),
	    "test \"$(curl -sS -m 20 -o /dev/null -w '%%{http_code}' '%s/%s.cfg')\" = 200", http_url(arg), MAC_SLOW);
	status = system(command);
	return status == 0 ? arg : NULL;
}

static void *
stopper(void *arg)
{
	http_stop(arg);
	return NULL;
}

static void
slow_set(bool asked, bool let_go)
{
	(void)pthread_mutex_lock(&slow.lock);
	slow.asked = asked;
	slow.let_go = let_go;
	(void)pthread_cond_broadcast(&slow.changed);
	(void)pthread_mutex_unlock(&slow.lock);
}

/* A restart would cut a phone off in the middle of its answer. */
static void
test_stop_lets_finish(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_NONE);
	struct http_server *s = start(&config);
	char piece[16];
	pthread_t client, stop;
	void *result;
	int fd, tries = 0;

	(void)state;
	slow_set(false, false);
	assert_int_equal(pthread_create(&client, NULL, slow_client, s), 0);
	(void)pthread_mutex_lock(&slow.lock);
	while (!slow.asked)
		(void)pthread_cond_wait(&slow.changed, &slow.lock);
	(void)pthread_mutex_unlock(&slow.lock);
	/* Two threads serve: the other one shows when the stop has begun, as it takes no one in from then on. */
	assert_int_equal(pthread_create(&stop, NULL, stopper, s), 0);
	do {
		fd = connect_to(s);
		assert_true(send(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 46, MSG_NOSIGNAL) > 0);
		piece[0] = '\0';
		(void)!recv(fd, piece, sizeof(piece), 0);
		(void)close(fd);
	} while (piece[0] == 'H' && ++tries < 1000);
	assert_in_range(tries, 0, 999);
	slow_set(true, true);
	assert_int_equal(pthread_join(client, &result), 0);
	assert_int_equal(pthread_join(stop, NULL), 0);
	assert_non_null(result);
}

/* The log would tell a password, or let a stranger write lines of his own into it. */
static void
test_log(void **state)
{
	struct http_config config = config_of(HTTP_AUTH_BASIC);
	struct http_server *s = start(&config);
	struct buf log = BUF_INIT(1 << 16);
	char piece[4096];
	int saved = dup(STDERR_FILENO), file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
	ssize_t n;

	(void)state;
	assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_INFO);
	assert_status(s, "--basic " CURL_A, BUNDLE_A "?token=hunter2", "200");
	assert_status(s, "-I --basic " CURL_A, "/" MAC_A ".cfg", "200");
	assert_status(s, "--basic --user " MAC_A ":hunter2", BUNDLE_A, "401");
	assert_status(s, "", "/hunter2/" MAC_A ".cfg", "404");
	assert_status(s, "", "/000000000000.cfg", "200");
	assert_raw(s,
	    "X\x1b[31mY\xff"
	    "AAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "405");
	assert_raw(s, "GET /hunter2 HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400");
	assert_status(s, "--basic --user broken-login:hunter2", BUNDLE_A, "500");
	http_stop(s);
	log_set_level(LOG_LEVEL_ERROR);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)lseek(file, 0, SEEK_SET);
	while ((n = read(file, piece, sizeof(piece))) > 0)
		buf_add(&log, piece, (size_t)n);
	(void)close(file);
	(void)close(saved);
	assert_header(&log, ": 127.0.0.1 GET bundle " MAC_A " " MD5 " 200 12\n", true);
	assert_header(&log, ": 127.0.0.1 HEAD config " MAC_A " - 200 0\n", true);
	assert_header(&log, ": 127.0.0.1 GET bundle " MAC_A " " MD5 " 401 0\n", true);
	assert_header(&log, ": 127.0.0.1 GET other - - 404 0\n", true);
	assert_header(&log, ": 127.0.0.1 GET generic 000000000000 - 200 49\n", true);
	assert_header(&log, ": 127.0.0.1 X?[31mY?AAAA... other - - 405 0\n", true);
	assert_header(&log, ": 127.0.0.1 - other - - 400 0\n", true);
	assert_header(&log, "error: login of 127.0.0.1: the store is on fire\n", true);
	assert_header(&log, "hunter2", false);
	assert_header(&log, "Basic", false);
	assert_header(&log, "pa:ss", false);
	buf_release(&log);
}

static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_login_in_url),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_nothing_else),
		cmocka_unit_test(test_generic),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_methods_and_bodies),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_stop_lets_finish),
		cmocka_unit_test(test_log),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
