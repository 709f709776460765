/* SPDX-License-Identifier: ISC */
/*
 * Whole requests: the input is what a client sends to the real server, through a socket and libmicrohttpd. A byte 0x1e in
 * it parts what is sent at once from what comes later, on the same connection. Three words stand for what nobody can make
 * up: PEER_NONCE and PROXY_NONCE are replaced by a nonce of the server, for the client itself and for the one that it
 * names in X-Forwarded-For as 192.0.2.7, and RIGHT_RESPONSE by what a client with the password answers in that header.
 *
 * Without that word nobody may get a document, with it nobody but its phone, and no log line may hold a secret.
 */
#include "common/buf.h"
#include "common/log.h"
#include "provisioner/digest_header.h"
#include "provisioner/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAC_A "000fd3000001"
#define MAC_B "000fd3000002"
#define MAC_NEW "000fd3000003" /* it may fetch its document without a login, once from each address */
#define MD5 "8b1a9953c4611296a827abf8c47804d7"
#define PASSWORD "dcd7dbf5b5c7c7cfe6f5b5b0f4e7dbd3"
#define DOCUMENT "what only a login opens"
#define DOCUMENT_B "what no login here opens"
#define REALM "phonevpn"

#define LATER 0x1e
#define LATER_MS 2
#define END_MS 200
#define LOG_MS 2
#define SENT_MAX (128 << 10)
#define ANSWER_MAX (1 << 20)
#define ALIVE_EVERY 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_config config;
static struct http_server *server;
static struct sockaddr_in at;
static int log_pipe[2];

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "http_fuzz: %s\n", what);
	abort();
}

/* ---- the documents ---- */

static void *
view_take(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return &config;
}

static void
view_give(void *arg, void *view)
{
	(void)arg;
	(void)view;
}

static bool
is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static int
source_credential(void *view, const char *user, struct http_credential *ret, struct err *e)
{
	bool known = strcmp(user, MAC_A) == 0 || strcmp(user, MAC_B) == 0;

	(void)view;
	if (!known)
		return err_set(e, ERR_NOT_FOUND, "no such user");
	(void)snprintf(ret->mac, sizeof(ret->mac), "%s", user);
	buf_add_string(&ret->password, strcmp(user, MAC_A) == 0 ? PASSWORD : PASSWORD "b");
	return 0;
}

static int
source_config(void *view, const char *mac, struct buf *out, struct err *e)
{
	(void)view;
	must(is_hex(mac, 12), "a document is asked for by something that is no MAC address");
	if (strcmp(mac, MAC_A) != 0 && strcmp(mac, MAC_B) != 0)
		return err_set(e, ERR_NOT_FOUND, "no such phone");
	buf_add_string(out, strcmp(mac, MAC_A) == 0 ? DOCUMENT : DOCUMENT_B);
	return 0;
}

static int
source_bundle(void *view, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	must(is_hex(md5, 32), "a bundle is asked for by something that is no md5");
	return strcmp(md5, MD5) == 0 ? source_config(view, mac, out, e)
	                             : err_set(e, ERR_NOT_FOUND, "no such generation");
}

static int
source_enroll(void *view, const char *mac, const char *address, struct buf *out, struct err *e)
{
	struct in6_addr parsed;

	(void)view;
	must(is_hex(mac, 12), "something enrolls that is no MAC address");
	must(inet_pton(AF_INET, address, &parsed) == 1 || inet_pton(AF_INET6, address, &parsed) == 1,
	    "somebody enrolls from what is no address");
	if (strcmp(mac, MAC_NEW) != 0)
		return err_set(e, ERR_NOT_FOUND, "may not enroll");
	buf_add_string(out, "<config/>");
	return 0;
}

/* ---- the server ---- */

static void
server_start(void)
{
	char log_path[32];
	struct err e = ERR_INIT;

	log_set_level(LOG_LEVEL_ERROR);
	must(pipe2(log_pipe, O_CLOEXEC | O_NONBLOCK) == 0, "no pipe");
	(void)snprintf(log_path, sizeof(log_path), "/proc/self/fd/%d", log_pipe[1]);
	config = (struct http_config){ .listen = "127.0.0.1:0",
		.base_path = "",
		.auth = HTTP_AUTH_DIGEST,
		.sha256 = true,
		.threads = 1,
		.access_log = log_path,
		.digest = { .realm = REALM, .key = "not to be guessed" },
		.source = { .view_take = view_take,
		    .view_give = view_give,
		    .credential = source_credential,
		    .config = source_config,
		    .bundle = source_bundle,
		    .enroll = source_enroll } };
	must(proxy_trust_parse("127.0.0.1,198.51.100.0/24,2001:db8::/32", &config.proxies, &e) == 0, "proxies");
	server = http_start(&config, &e);
	must(server != NULL, e.text);
	config.access_log = NULL; /* it has been opened */
	at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	at.sin_port = htons((uint16_t)strtoul(strrchr(http_url(server), ':') + 1, NULL, 10));
}

/* ---- what is sent ---- */

/* A nonce for the client of that address, out of a challenge. */
static void
nonce_add(const char *address, struct buf *out)
{
	struct buf challenge = BUF_INIT(1024);
	struct digest_request r = { .client_len = 4, .now = time(NULL) };
	struct in_addr client;
	struct err e = ERR_INIT;
	const char *nonce;

	(void)inet_pton(AF_INET, address, &client);
	r.client = &client;
	must(digest_challenge(&config.digest, &r, DIGEST_MD5, false, &challenge, &e) == 0, e.text);
	nonce = strstr(buf_string(&challenge), "nonce=\"");
	must(nonce != NULL, "a challenge without a nonce");
	nonce += strlen("nonce=\"");
	buf_add(out, nonce, strcspn(nonce, "\""));
	buf_release(&challenge);
}

/* The header that the last line of text begins, which ends at its line's end. */
static void
response_add(const char *text, const char *line_end, struct buf *out)
{
	const char *line = text + strlen(text), *request = text, *next;
	char method[16], response[DIGEST_HEX_SIZE] = "";
	struct buf header = BUF_INIT(2 * DIGEST_HEADER_MAX);
	enum digest_algorithm algorithm;
	struct digest_header h;
	struct err e = ERR_INIT;

	while (line > text && line[-1] != '\n')
		line--;
	while ((next = strstr(request, "\r\n\r\n")) != NULL && next < line)
		request = next + 4;
	request += *request == LATER;
	(void)snprintf(method, sizeof(method), "%.*s", (int)strcspn(request, " "), request);
	line += strcspn(line, ":");
	line += strspn(line, ": ");
	buf_add_string(&header, line);
	buf_add(&header, line_end, strcspn(line_end, "\r\n"));
	if (!header.broken && digest_header_parse(buf_string(&header), &h) == DIGEST_OK &&
	    digest_header_algorithm(&h, &algorithm) &&
	    digest_response(&h, algorithm, method, PASSWORD, response, &e) == 0)
		buf_add_string(out, response);
	buf_release(&header);
}

/* The input with its words replaced; *ret_right: one of them was the password's. */
static void
words_replace(const char *data, size_t size, struct buf *out, bool *ret_right)
{
	static const char peer[] = "PEER_NONCE", proxy[] = "PROXY_NONCE", right[] = "RIGHT_RESPONSE";
	size_t i = 0;

	while (i < size) {
		const char *s = data + i;

		if (strncmp(s, peer, strlen(peer)) == 0) {
			nonce_add("127.0.0.1", out);
			i += strlen(peer);
		} else if (strncmp(s, proxy, strlen(proxy)) == 0) {
			nonce_add("192.0.2.7", out);
			i += strlen(proxy);
		} else if (strncmp(s, right, strlen(right)) == 0) {
			response_add(buf_string(out), s + strlen(right), out);
			*ret_right = true;
			i += strlen(right);
		} else {
			buf_add(out, s, 1);
			i++;
		}
	}
}

/* ---- the exchange ---- */

static void
take(int fd, struct buf *answer, int flags)
{
	char piece[16384];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof(piece), flags)) > 0)
		buf_add(answer, piece, (size_t)n);
}

/* What comes within a moment. */
static void
take_some(int fd, struct buf *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)poll(&p, 1, LATER_MS);
	take(fd, answer, MSG_DONTWAIT);
}

/* libFuzzer's own clock interrupts calls, and what it did not restart goes on by itself. */
static void
connection_open(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int status = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ? 0 : errno;
	socklen_t len = sizeof(status);

	if (status == EINTR) {
		while (poll(&p, 1, -1) < 0)
			must(errno == EINTR, strerror(errno));
		must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &len) == 0, strerror(errno));
	}
	must(status == 0, strerror(status));
}

/*
 * All of it, and what comes until the server ends the connection. An end that is seen together with the last bytes goes
 * unnoticed by libmicrohttpd until its time is over, so it comes later, and is not waited for long.
 */
static void
exchange(const struct buf *sent, struct buf *answer)
{
	const char *s = buf_string(sent), *end = s + sent->len, *later;
	const struct timeval limit = { .tv_usec = END_MS * 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, strerror(errno));
	connection_open(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while ((later = memchr(s, LATER, (size_t)(end - s))) != NULL) {
		(void)send(fd, s, (size_t)(later - s), MSG_NOSIGNAL);
		take_some(fd, answer);
		s = later + 1;
	}
	(void)send(fd, s, (size_t)(end - s), MSG_NOSIGNAL);
	take_some(fd, answer);
	(void)shutdown(fd, SHUT_WR);
	take(fd, answer, 0);
	(void)close(fd);
}

/* By hand: what memcmp() and the like compare with, libFuzzer sees and tries. */
static bool
holds(const struct buf *text, const char *secret)
{
	size_t len = strlen(secret);

	for (size_t i = 0; i + len <= text->len; i++) {
		unsigned int difference = 0;

		for (size_t j = 0; j < len; j++)
			difference |= text->data[i + j] ^ (unsigned char)secret[j];
		if (difference == 0)
			return true;
	}
	return false;
}

/* Lines are written as requests end, which may be after their answer. */
static void
log_check(bool answered)
{
	struct pollfd p = { .fd = log_pipe[0], .events = POLLIN };
	struct buf lines = BUF_INIT(ANSWER_MAX);
	char piece[16384];
	ssize_t n;

	if (answered)
		(void)poll(&p, 1, LOG_MS);
	while ((n = read(log_pipe[0], piece, sizeof(piece))) > 0)
		buf_add(&lines, piece, (size_t)n);
	must(!holds(&lines, PASSWORD), "the access log holds a password");
	must(!holds(&lines, DOCUMENT), "the access log holds a document");
	for (size_t i = 0; i < lines.len; i++)
		must(lines.data[i] == '\n' || (lines.data[i] >= ' ' && lines.data[i] <= '~'),
		    "the access log holds what a terminal would obey");
	buf_release(&lines);
}

static bool
ask(const char *data, size_t size, struct buf *answer)
{
	struct buf sent = BUF_INIT(SENT_MAX);
	bool right = false;

	words_replace(data, size, &sent, &right);
	if (!sent.broken)
		exchange(&sent, answer);
	buf_release(&sent);
	return right;
}

static void
check_alive(void)
{
	static const char login[] = "GET /" MAC_A ".cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Digest username=\"" MAC_A
				    "\", realm=\"" REALM "\", nonce=\"PEER_NONCE\", uri=\"/" MAC_A
				    ".cfg\", cnonce=\"c\", nc=00000001, qop=auth, response=\"RIGHT_RESPONSE\"\r\n\r\n";
	struct buf answer = BUF_INIT(ANSWER_MAX);

	(void)ask(login, sizeof(login) - 1, &answer);
	must(holds(&answer, DOCUMENT), "a right login is not served any more");
	buf_release(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned long count;
	struct buf answer = BUF_INIT(ANSWER_MAX);
	char *text = malloc(size + 1);
	bool right;

	if (text == NULL)
		return 0;
	if (server == NULL)
		server_start();
	memcpy(text, data, size);
	text[size] = '\0';
	right = ask(text, size, &answer);
	must(right || !holds(&answer, DOCUMENT), "a document without the password");
	must(!holds(&answer, DOCUMENT_B), "another phone's document");
	must(answer.len == 0 || strncmp(buf_string(&answer), "HTTP/1.", 7) == 0, "an answer that is not HTTP");
	log_check(answer.len > 0);
	if (count++ % ALIVE_EVERY == 0)
		check_alive();
	buf_release(&answer);
	free(text);
	return 0;
}
