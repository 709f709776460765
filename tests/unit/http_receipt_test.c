/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_support.h"

#include <poll.h>

/* A phone would count as one that has its bundle, and has a part of it, or none. */

#define LOGIN_A "Authorization: Basic MDAwZmQzMDAwMDAxOmE=\r\n" /* MAC_A:a */
#define LIMIT_MS 20000

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int sent;
	struct http_receipt last;
	char address[64];
} told = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct http_receipt next;

static int
credential(void *view, const char *user, struct http_credential *ret, struct err *e)
{
	(void)view;
	if (strcmp(user, MAC_A) != 0)
		return err_set(e, ERR_NOT_FOUND, "no such user");
	(void)snprintf(ret->mac, sizeof(ret->mac), MAC_A);
	buf_add_string(&ret->password, "a");
	return 0;
}

static bool
receipt(void *view, struct http_receipt *ret)
{
	(void)view;
	*ret = next;
	return next.number != 0;
}

static void
sent(void *arg, const struct http_receipt *r, const char *address)
{
	(void)arg;
	(void)pthread_mutex_lock(&told.lock);
	told.sent++;
	told.last = *r;
	(void)snprintf(told.address, sizeof(told.address), "%s", address);
	(void)pthread_cond_broadcast(&told.changed);
	(void)pthread_mutex_unlock(&told.lock);
}

static struct http_server *
start_telling(void)
{
	struct http_config config = config_of(HTTP_AUTH_BASIC);

	config.source.credential = credential;
	config.source.receipt = receipt;
	config.source.sent = sent;
	told.sent = 0;
	next = (struct http_receipt){ .phone = 7, .number = 3, .what = 1 };
	return start(&config);
}

/* It comes, at the latest when the connection has ended in the server. */
static void
assert_told(unsigned int count)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LIMIT_MS / 1000;
	(void)pthread_mutex_lock(&told.lock);
	while (told.sent < count && pthread_cond_timedwait(&told.changed, &told.lock, &until) == 0)
		;
	assert_int_equal(told.sent, count);
	assert_true(told.last.phone == 7 && told.last.number == 3 && told.last.what == 1);
	assert_string_equal(told.address, "127.0.0.1");
	(void)pthread_mutex_unlock(&told.lock);
}

/* Ask on a connection; it stays open, with so many bytes of the answer read, or all that there are for 0. */
static void
ask(int fd, const char *method, const char *path, const char *more, size_t bytes)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char request[1024], answer[4096];
	size_t len;

	(void)snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, more);
	len = strlen(request);
	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	assert_int_equal(poll(&ready, 1, LIMIT_MS), 1);
	if (bytes > 0)
		assert_int_equal(recv(fd, answer, bytes, MSG_WAITALL), bytes);
	else
		assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
}

static void
whole_answers_are_told(void **state)
{
	struct http_server *s = start_telling();
	int fd = connect_to(s);

	(void)state;
	ask(fd, "GET", BUNDLE_A, LOGIN_A, 0);
	ask(fd, "GET", "/" MAC_A ".cfg", LOGIN_A, 0); /* who asks again has the first one */
	assert_told(1);
	(void)close(fd);
	assert_told(2);
	fd = connect_to(s);
	ask(fd, "GET", BUNDLE_A, LOGIN_A "Range: bytes=0-1\r\n", 0); /* there are no ranges, so it is the whole */
	(void)close(fd);
	assert_told(3);
	fd = connect_to(s);
	ask(fd, "GET", BUNDLE_A, LOGIN_A "Connection: close\r\n", 0);
	assert_told(4);
	(void)close(fd);
	fd = connect_to(s);
	ask(fd, "GET", BUNDLE_A, LOGIN_A, 0);
	http_stop(s); /* also of one whose connection would have stayed */
	assert_told(5);
	(void)close(fd);
}

static void
parts_are_not(void **state)
{
	struct http_server *s = start_telling();
	int fd = connect_to(s);

	(void)state;
	ask(fd, "GET", BUNDLE_A, LOGIN_A, 15);
	(void)close(fd);
	fd = connect_to(s);
	ask(fd, "HEAD", BUNDLE_A, LOGIN_A, 0);
	ask(fd, "GET", BUNDLE_A, LOGIN_A "If-None-Match: \"" MD5 "\"\r\n", 0);
	ask(fd, "GET", BUNDLE_A, "", 0);
	ask(fd, "GET", BUNDLE_A, "Authorization: Basic MDAwZmQzMDAwMDAxOmI=\r\n", 0);
	ask(fd, "GET", "/" MAC_B ".cfg", LOGIN_A, 0);
	ask(fd, "GET", "/000000000000.cfg", "", 0);
	next.number = 0; /* on record already */
	ask(fd, "GET", BUNDLE_A, LOGIN_A, 0);
	(void)close(fd);
	http_stop(s);
	(void)pthread_mutex_lock(&told.lock);
	assert_int_equal(told.sent, 0);
	(void)pthread_mutex_unlock(&told.lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answers_are_told),
		cmocka_unit_test(parts_are_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
