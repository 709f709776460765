/* SPDX-License-Identifier: ISC */
/*
 * bench_siege ADDR:PORT KIND COUNT: COUNT connections at once that want to keep a server from its phones, each from an
 * address of its own in 127.0.0.0/8 (all from one with STORM_NAT set in the environment). KIND is slow: a request line,
 * and then a byte of a header a second; or malformed: what is no request, as fast as it is answered. One that ends is
 * followed by another at once.
 *
 * Prints "up" when all of the first are connected, and at SIGTERM one line: connections, answers of 200, of 503, others,
 * and those that were ended without one. Exit status 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICKS 100 /* a second; at each, that part of the slow ones sends its byte */

static const char slow_begin[] = "GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nX-Slow: ";

/* Each is a whole request as far as the server can tell, or ends the connection. */
static const char *const malformed[] = {
	"GET / HTTP/9.9\r\n\r\n",
	"nonsense\r\n\r\n",
	"\x16\x03\x01\x02 \x01 \x01\xfc\x03\x03\r\n\r\n",
	"GET / HTTP/1.1\r\nno colon\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n",
	"POST /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /%00%2e%2e/000fd3400001.cfg HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Digest\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Digest username=\"\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Digest nc=zzzzzzzz, nonce=\"0\"\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ====\r\nAuthorization: x\r\n\r\n",
	"GET /000fd3400001.cfg HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ,,,::::,999.999.999.999\r\n\r\n",
};
#define MALFORMED (sizeof(malformed) / sizeof(malformed[0]))

struct enemy {
	int fd;
	bool connected;
};

struct siege {
	struct sockaddr_in server;
	struct enemy *enemies;
	size_t count, connected, begun;
	size_t good, full, others, ended;
	int epoll;
	bool nat, slow, up;
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_siege: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
enemy_begin(struct siege *s, struct enemy *a)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = a };
	uint32_t n = s->nat ? 1 : (uint32_t)(a - s->enemies) + 0x101;
	int one = 1;

	from.sin_addr.s_addr = htonl(0x7f030000u + n);
	a->connected = false;
	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		die("socket");
	s->begun++;
	(void)setsockopt(a->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(a->fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
		die("bind");
	if (connect(a->fd, (const struct sockaddr *)&s->server, sizeof(s->server)) != 0 && errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, a->fd, &event) != 0)
		die("epoll_ctl");
}

static void
enemy_end(struct siege *s, struct enemy *a, size_t *counter)
{
	const struct linger reset = { .l_onoff = 1 }; /* its port is free again at once */

	(void)setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(a->fd);
	(*counter)++;
	enemy_begin(s, a);
}

static void
enemy_connected(struct siege *s, struct enemy *a)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = a };
	const char *text = s->slow ? slow_begin : malformed[s->begun % MALFORMED];

	(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, a->fd, &event);
	(void)send(a->fd, text, strlen(text), MSG_NOSIGNAL);
	a->connected = true;
	if (!s->up && ++s->connected == s->count) {
		s->up = true;
		(void)printf("up\n");
		(void)fflush(stdout);
	}
}

static void
enemy_answered(struct siege *s, struct enemy *a)
{
	static const char version[] = "HTTP/1.1 ";
	char answer[4096] = "";
	ssize_t n = recv(a->fd, answer, sizeof(answer) - 1, 0);
	size_t *counter = &s->ended;
	long status;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && strncmp(answer, version, strlen(version)) == 0) {
		status = strtol(answer + strlen(version), NULL, 10);
		if (status == 200)
			counter = &s->good;
		else if (status == 503)
			counter = &s->full;
		else
			counter = &s->others;
	}
	enemy_end(s, a, counter);
}

static void
event_take(struct siege *s, struct enemy *a, uint32_t events)
{
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0)
		enemy_end(s, a, &s->ended);
	else if ((events & EPOLLOUT) != 0)
		enemy_connected(s, a);
	else
		enemy_answered(s, a);
}

/* A byte of each of that part. */
static void
bytes_send(struct siege *s, unsigned int tick)
{
	for (size_t i = tick; i < s->count; i += TICKS)
		if (s->enemies[i].connected)
			(void)send(s->enemies[i].fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long long
ticks_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * TICKS + t.tv_nsec / (1000000000 / TICKS);
}

static void
siege_run(struct siege *s)
{
	struct epoll_event events[512];
	long long tick = ticks_now();
	bool over = false;
	int n;

	while (!over) {
		n = epoll_wait(s->epoll, events, 512, 1000 / TICKS);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				over = true;
			else
				event_take(s, events[i].data.ptr, events[i].events);
		}
		for (; s->slow && tick < ticks_now(); tick++)
			bytes_send(s, (unsigned int)(tick % TICKS));
	}
}

/* SIGTERM comes as an event without an enemy. */
static void
signals_open(const struct siege *s)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t term;
	int fd;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	fd = signalfd(-1, &term, SFD_CLOEXEC);
	if (fd < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("signalfd");
}

int
main(int argc, char **argv)
{
	struct siege s = { .server.sin_family = AF_INET, .nat = getenv("STORM_NAT") != NULL };
	char *colon = argc == 4 ? strrchr(argv[1], ':') : NULL;
	struct rlimit files;

	s.count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	s.slow = argc == 4 && strcmp(argv[2], "slow") == 0;
	if (colon == NULL || s.count == 0 || (!s.slow && strcmp(argv[2], "malformed") != 0)) {
		(void)fprintf(stderr, "usage: bench_siege ADDR:PORT slow|malformed COUNT\n");
		return 2;
	}
	*colon = '\0';
	s.server.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, argv[1], &s.server.sin_addr) != 1)
		die(argv[1]);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	s.enemies = calloc(s.count, sizeof(*s.enemies));
	if (s.epoll < 0 || s.enemies == NULL)
		die("memory");
	signals_open(&s);
	for (size_t i = 0; i < s.count; i++)
		enemy_begin(&s, &s.enemies[i]);
	siege_run(&s);
	(void)printf("%zu %zu %zu %zu %zu\n", s.begun, s.good, s.full, s.others, s.ended);
	free(s.enemies);
	return 0;
}
