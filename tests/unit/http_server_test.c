/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_support.h"

#include <fcntl.h>
#include <stdlib.h>

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
	assert_status(s, "", "/secret/" MAC_A ".cfg", "404");
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
	assert_header(&log, ": 127.0.0.1 - " MAC_A " [", true);
	assert_header(&log, "] \"GET " BUNDLE_A " HTTP/1.1\" 200 12 \"-\" \"curl/", true);
	assert_header(&log, "\" " MAC_A " " MD5 "\n", true);
	assert_header(&log, "] \"HEAD /" MAC_A ".cfg HTTP/1.1\" 200 - ", true);
	assert_header(&log, "] \"GET " BUNDLE_A " HTTP/1.1\" 401 - ", true);
	assert_header(&log, "warning: login failed from 127.0.0.1: wrong password of user: \"" MAC_A "\"\n", true);
	assert_header(&log, ": 127.0.0.1 - - [", true);
	assert_header(&log, "] \"GET /secret/" MAC_A ".cfg HTTP/1.1\" 404 - ", true);
	assert_header(&log, "] \"GET /000000000000.cfg HTTP/1.1\" 200 49 ", true);
	assert_header(&log, "] \"X\\x1b[31mY\\xff / HTTP/1.1\" 405 - \"-\" \"-\" - -\n", true);
	assert_header(&log, "] \"-\" 400 - \"-\" \"-\" - -\n", true);
	assert_header(&log, "error: login of 127.0.0.1: the store is on fire\n", true);
	assert_header(&log, "hunter2", false);
	assert_header(&log, "Basic", false);
	assert_header(&log, "pa:ss", false);
	buf_release(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
