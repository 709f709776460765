/* SPDX-License-Identifier: ISC */
/*
 * bench_storm HOST:PORT LIST AT_ONCE: a fleet that boots at once, as cheap as can be for the machine that it shares with
 * the server. LIST has a line a phone: USER PASSWORD PATH... (a bundle's path has its md5 in it). Each phone fetches its
 * files one after the other, on a new connection each: without a login first, and where that is answered with 401 again on
 * the same connection, with Digest. AT_ONCE phones are under way at any time, each from an address of its own in
 * 127.0.0.0/8.
 *
 * Set in the environment: STORM_NAT: all from one address; STORM_KEEP: a phone's files come on one connection, the first
 * one's nonce serving for all; STORM_RETRY: a phone whose connection breaks or is refused, or who is answered with 503,
 * asks again RETRY_SECONDS later, as phones do, until the time is over, and how often that was goes to stderr.
 *
 * Prints one line: phones, those with all files, logins refused, bytes or md5 wrong, other failures, seconds, and the
 * phones' median, 99th percentile and maximum in milliseconds. Exit status 0: all have all files.
 */
#include "common/file.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATHS_MAX 4
#define ANSWER_MAX 65536
#define MD5_HEX 33
#define SECONDS_MAX 300
#define RETRY_SECONDS 0.25

struct phone {
	const char *user, *password, *paths[PATHS_MAX];
	size_t path_count, path; /* path: the one under way */
	bool login;              /* the request under way has one */
	bool asked, due;         /* this connection was answered on; the next one begins with a login */
	int fd;
	unsigned int slot, nc; /* nc: requests with this nonce */
	double begun, took, again;
	struct phone *behind; /* in the queue of those who are to ask again */
	char realm[64], nonce[256];
};

struct storm {
	struct sockaddr_in server;
	struct phone *phones;
	size_t count, next, done;
	size_t good, refused, wrong, failed, retries;
	int epoll;
	bool nat, keep, retry;
	struct phone *first, *last; /* who is to ask again, in the order of time */
	char *answers;              /* ANSWER_MAX bytes for each of those under way */
	char *list;                 /* the phones point into it */
	size_t *lens;
};

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_storm: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
md5_of(const void *data, size_t len, char out[MD5_HEX])
{
	unsigned char sum[EVP_MAX_MD_SIZE];

	if (EVP_Digest(data, len, sum, NULL, EVP_md5(), NULL) != 1)
		die("md5");
	text_hex(sum, 16, out);
}

static void
md5_text(char out[MD5_HEX], const char *fmt, const char *a, const char *b, const char *c)
{
	char text[1024];
	int len = snprintf(text, sizeof(text), "%s%s%s%s%s", a, fmt, b, fmt, c);

	md5_of(text, (size_t)len, out);
}

static void phone_fail(struct storm *s, struct phone *p);
static void connection_lost(struct storm *s, struct phone *p);

static void
request_send(struct storm *s, struct phone *p, const char *authorization)
{
	char text[2048];
	int len = snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sUser-Agent: storm\r\nAccept: */*\r\n\r\n", p->paths[p->path],
	    authorization);

	s->lens[p->slot] = 0;
	p->login = authorization[0] != '\0';
	if (send(p->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		connection_lost(s, p);
}

static void
file_begin(struct storm *s, struct phone *p)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = p };
	uint32_t n = (uint32_t)(p - s->phones) % 65000 + 0x101;
	int one = 1;

	from.sin_addr.s_addr = htonl(0x7f000000u + (s->nat ? 0x10001u : 0x20000u + n));
	p->asked = false;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		die("socket");
	(void)setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(p->fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
		die("bind");
	if (connect(p->fd, (const struct sockaddr *)&s->server, sizeof(s->server)) != 0 && errno != EINPROGRESS) {
		phone_fail(s, p);
		return;
	}
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, p->fd, &event) != 0)
		die("epoll_ctl");
}

static void
phone_begin(struct storm *s, unsigned int slot)
{
	struct phone *p;

	if (s->next == s->count)
		return;
	p = &s->phones[s->next++];
	p->slot = slot;
	p->begun = now();
	file_begin(s, p);
}

static void
phone_end(struct storm *s, struct phone *p, size_t *counter)
{
	(void)close(p->fd);
	(*counter)++;
	s->done++;
	p->took = now() - p->begun;
	phone_begin(s, p->slot);
}

static void
phone_fail(struct storm *s, struct phone *p)
{
	if (!s->retry) {
		phone_end(s, p, &s->failed);
		return;
	}
	(void)close(p->fd);
	s->retries++;
	p->due = false;
	p->again = now() + RETRY_SECONDS;
	p->behind = NULL;
	if (s->first == NULL)
		s->first = p;
	else
		s->last->behind = p;
	s->last = p;
}

/* A login that the server did not wait for, between two requests, goes over a new connection, as every client does it. */
static void
connection_lost(struct storm *s, struct phone *p)
{
	if (!p->login || !p->asked || s->lens[p->slot] != 0) {
		phone_fail(s, p);
		return;
	}
	(void)close(p->fd);
	p->due = true;
	file_begin(s, p);
}

static void
ask_again(struct storm *s)
{
	struct phone *p;

	while ((p = s->first) != NULL && p->again <= now()) {
		s->first = p->behind;
		file_begin(s, p);
	}
}

/* The value of a quoted parameter of the challenge. */
static bool
parameter(const char *challenge, const char *name, char *out, size_t size)
{
	const char *at = strstr(challenge, name);
	size_t len;

	if (at == NULL)
		return false;
	at += strlen(name);
	len = strcspn(at, "\"");
	if (len >= size)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

/* With the nonce that the phone has. */
static void
login_send(struct storm *s, struct phone *p)
{
	char ha1[MD5_HEX], ha2[MD5_HEX], response[MD5_HEX], tail[96], authorization[1024];

	p->nc++;
	md5_text(ha1, ":", p->user, p->realm, p->password);
	md5_text(ha2, "", "GET:", p->paths[p->path], "");
	(void)snprintf(tail, sizeof(tail), "%08x:c0ffee:auth:%s", p->nc, ha2);
	md5_text(response, ":", ha1, p->nonce, tail);
	(void)snprintf(authorization, sizeof(authorization),
	    "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", cnonce=\"c0ffee\", "
	    "nc=%08x, qop=auth, response=\"%s\", algorithm=MD5\r\n",
	    p->user, p->realm, p->nonce, p->paths[p->path], p->nc, response);
	request_send(s, p, authorization);
}

static bool
challenge_take(struct phone *p, const char *header)
{
	header = strcasestr(header, "WWW-Authenticate: Digest");
	p->nc = 0;
	return header != NULL && parameter(header, "realm=\"", p->realm, sizeof(p->realm)) &&
	       parameter(header, "nonce=\"", p->nonce, sizeof(p->nonce));
}

static bool
body_right(const struct phone *p, const char *body, size_t len)
{
	const char *bundle = strstr(p->paths[p->path], "/ovpn/");
	char md5[MD5_HEX];

	if (bundle == NULL)
		return len > 0;
	md5_of(body, len, md5);
	return strncmp(bundle + strlen("/ovpn/"), md5, MD5_HEX - 1) == 0;
}

/* A whole answer: header, and len bytes of body. */
static void
answer_take(struct storm *s, struct phone *p, const char *header, const char *body, size_t len)
{
	int status = (int)strtol(header + strlen("HTTP/1.1 "), NULL, 10);

	p->asked = true;
	if (status == 401 && !p->login && challenge_take(p, header)) {
		login_send(s, p);
	} else if (status == 401) {
		phone_end(s, p, &s->refused);
	} else if (status != 200) {
		phone_fail(s, p);
	} else if (!body_right(p, body, len)) {
		phone_end(s, p, &s->wrong);
	} else if (++p->path == p->path_count) {
		phone_end(s, p, &s->good);
	} else if (s->keep) {
		login_send(s, p);
	} else {
		(void)close(p->fd);
		file_begin(s, p);
	}
}

static void
answer_read(struct storm *s, struct phone *p)
{
	char *answer = s->answers + (size_t)p->slot * ANSWER_MAX, *body, *field;
	size_t *len = &s->lens[p->slot], expected = 0;
	ssize_t n = recv(p->fd, answer + *len, ANSWER_MAX - 1 - *len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		connection_lost(s, p);
		return;
	}
	*len += (size_t)n;
	answer[*len] = '\0';
	body = strstr(answer, "\r\n\r\n");
	if (body == NULL)
		return;
	body += 4;
	field = strcasestr(answer, "\r\nContent-Length: ");
	if (field != NULL && field < body)
		expected = strtoul(field + strlen("\r\nContent-Length: "), NULL, 10);
	if (*len - (size_t)(body - answer) >= expected)
		answer_take(s, p, answer, body, expected);
}

static void
event_take(struct storm *s, struct phone *p, uint32_t events)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
		connection_lost(s, p);
	} else if ((events & EPOLLOUT) != 0) {
		(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &event);
		if (p->due)
			login_send(s, p);
		else
			request_send(s, p, "");
		p->due = false;
	} else {
		answer_read(s, p);
	}
}

static void
list_read(struct storm *s, const char *file)
{
	struct buf text = BUF_INIT(1 << 28);
	struct err e = ERR_INIT;
	char *lines, *line, *word, *rest;
	size_t room = 0;

	if (file_read(file, &text, &e) != 0) {
		(void)fprintf(stderr, "bench_storm: %s\n", e.text);
		exit(2);
	}
	s->list = lines = strdup(buf_string(&text));
	while (lines != NULL && (line = strsep(&lines, "\n")) != NULL) {
		struct phone p = { .fd = -1 };

		if (line[0] == '\0')
			continue;
		rest = line;
		p.user = strsep(&rest, " ");
		p.password = strsep(&rest, " ");
		while (p.path_count < PATHS_MAX && (word = strsep(&rest, " ")) != NULL)
			p.paths[p.path_count++] = word;
		if (s->count == room) {
			room = room == 0 ? 1024 : 2 * room;
			s->phones = realloc(s->phones, room * sizeof(p));
			if (s->phones == NULL)
				die("memory");
		}
		s->phones[s->count++] = p;
	}
	buf_release(&text);
}

static void
storm_run(struct storm *s, size_t at_once)
{
	struct epoll_event events[512];
	double until = now() + SECONDS_MAX;
	int n;

	for (unsigned int i = 0; i < at_once; i++)
		phone_begin(s, i);
	while (s->done < s->count && now() < until) {
		n = epoll_wait(s->epoll, events, 512, s->first != NULL ? 10 : 1000);
		for (int i = 0; i < n; i++)
			event_take(s, events[i].data.ptr, events[i].events);
		ask_again(s);
	}
	s->failed += s->count - s->done;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(const struct storm *s, double seconds)
{
	double *took = calloc(s->count, sizeof(*took));

	if (took == NULL)
		die("memory");
	for (size_t i = 0; i < s->count; i++)
		took[i] = s->phones[i].took * 1000;
	qsort(took, s->count, sizeof(*took), compare);
	(void)printf("%zu %zu %zu %zu %zu %.3f %.1f %.1f %.1f\n", s->count, s->good, s->refused, s->wrong, s->failed,
	    seconds, took[s->count / 2], took[s->count * 99 / 100], took[s->count - 1]);
	if (s->retry)
		(void)fprintf(stderr, "%zu retries\n", s->retries);
	free(took);
}

int
main(int argc, char **argv)
{
	struct storm s = { .server.sin_family = AF_INET,
		.nat = getenv("STORM_NAT") != NULL,
		.keep = getenv("STORM_KEEP") != NULL,
		.retry = getenv("STORM_RETRY") != NULL };
	struct rlimit files;
	size_t at_once = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	char *colon = argc == 4 ? strrchr(argv[1], ':') : NULL;
	double begun;

	if (colon == NULL || at_once == 0) {
		(void)fprintf(stderr, "usage: bench_storm ADDR:PORT LIST AT_ONCE\n");
		return 2;
	}
	*colon = '\0';
	s.server.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, argv[1], &s.server.sin_addr) != 1)
		die(argv[1]);
	list_read(&s, argv[2]);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	s.answers = calloc(at_once, ANSWER_MAX);
	s.lens = calloc(at_once, sizeof(*s.lens));
	if (s.answers == NULL || s.lens == NULL)
		die("memory");
	begun = now();
	storm_run(&s, at_once);
	report(&s, now() - begun);
	free(s.answers);
	free(s.lens);
	free(s.phones);
	free(s.list);
	return s.good == s.count ? 0 : 1;
}
