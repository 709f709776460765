/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "phone/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USER "phone"
#define PASSWORD "p@ss/w:1" /* p%40ss%2Fw%3A1 in a URL */
#define LOGIN "phone:p%40ss%2Fw%3A1@"
#define AGENT "Digium D65 2_7_0"

struct server {
	pid_t pid;
	unsigned int port;
	char *folder;
};

/* A port of the loopback that is free now. With ret_fd, the socket goes on listening. */
static unsigned int
free_port(int *ret_fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	if (ret_fd != NULL) {
		assert_int_equal(listen(fd, 16), 0);
		*ret_fd = fd;
	} else {
		(void)close(fd);
	}
	return ntohs(a.sin_port);
}

static void
wait_port(const struct server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	a.sin_port = htons((uint16_t)s->port);
	for (int i = 0; i < 500; i++) {
		const struct timespec ts = { .tv_nsec = 10000000 };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool up = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

		(void)close(fd);
		if (up)
			return;
		assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
		(void)nanosleep(&ts, NULL);
	}
	fail_msg("the web server does not answer");
}

static void
server_end(struct server *s)
{
	(void)kill(s->pid, SIGTERM);
	(void)waitpid(s->pid, NULL, 0);
	if (s->folder != NULL)
		support_remove(s->folder);
}

/* Run a web server of the distribution in the foreground, with this configuration. */
static void
server_run(struct server *s, const char *program, const char *conf, size_t len, const char *const *argv)
{
	char *path = support_file(s->folder, "conf", conf, len);

	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		/* A test that fails does not come to server_end(). */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		(void)execv(program, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	free(path);
	wait_port(s);
}

static void
server_files(struct server *s)
{
	s->folder = support_folder();
	s->port = free_port(NULL);
	free(support_file(s->folder, "file", "the bytes\n", 10));
}

static struct server
nginx_basic(void)
{
	struct server s;
	struct buf conf = BUF_INIT(4096), line = BUF_INIT(256);
	char *file;

	server_files(&s);
	support_shell(&line, NULL, "printf '%%s:' " USER "; openssl passwd -apr1 '" PASSWORD "'");
	free(support_file(s.folder, "users", line.data, line.len));
	buf_addf(&conf,
	    "daemon off; %s worker_processes 1; pid %s/pid; error_log /dev/null;\n"
	    "events { worker_connections 16; }\n"
	    "http { access_log off; client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;\n"
	    "uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
	    "server { listen 127.0.0.1:%u; root %s; auth_basic test; auth_basic_user_file %s/users; } }\n",
	    getuid() == 0 ? "user root;" : "", s.folder, s.folder, s.folder, s.folder, s.folder, s.folder, s.port,
	    s.folder, s.folder);
	file = text_format("%s/conf", s.folder);
	server_run(&s, "/usr/sbin/nginx", buf_string(&conf), conf.len,
	    (const char *[]){ "nginx", "-p", s.folder, "-e", "/dev/null", "-c", file, NULL });
	free(file);
	buf_release(&conf);
	buf_release(&line);
	return s;
}

static struct server
lighttpd_digest(void)
{
	struct server s;
	struct buf conf = BUF_INIT(4096), line = BUF_INIT(256);
	char *file;

	server_files(&s);
	support_shell(&line, NULL,
	    "{ printf '%%s:test:' " USER "; printf '%%s' '" USER ":test:" PASSWORD "' | md5sum | cut -d' ' -f1; }");
	free(support_file(s.folder, "users", line.data, line.len));
	buf_addf(&conf,
	    "server.modules = (\"mod_auth\", \"mod_authn_file\")\nserver.bind = \"127.0.0.1\"\nserver.port = %u\n"
	    "server.document-root = \"%s\"\nauth.backend = \"htdigest\"\nauth.backend.htdigest.userfile = \"%s/users\"\n"
	    "auth.require = (\"/\" => (\"method\" => \"digest\", \"realm\" => \"test\", \"require\" => \"valid-user\"))\n",
	    s.port, s.folder, s.folder);
	file = text_format("%s/conf", s.folder);
	server_run(&s, "/usr/sbin/lighttpd", buf_string(&conf), conf.len,
	    (const char *[]){ "lighttpd", "-D", "-f", file, NULL });
	free(file);
	buf_release(&conf);
	buf_release(&line);
	return s;
}

/* Write all, or end when the phone hangs up. */
static bool
put(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
put_string(int fd, const char *s)
{
	(void)put(fd, s, strlen(s));
}

/* The value of a header of a request, or "none". */
static void
header_of(const char *request, const char *name, char *out, size_t size)
{
	const char *at = strstr(request, name);
	size_t len = at != NULL ? strcspn(at + strlen(name), "\r\n") : 0;

	(void)snprintf(out, size, "%.*s", at != NULL ? (int)len : 4, at != NULL ? at + strlen(name) : "none");
}

static void
answer_ok(int fd, const char *body)
{
	char head[128];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
	    strlen(body));
	put_string(fd, head);
	put_string(fd, body);
}

static void
answer_redirect(int fd, const char *to)
{
	char head[1024];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 302 Found\r\nLocation: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", to);
	put_string(fd, head);
}

/* A server that means ill; what it does is in the path. */
static void
answer(int fd, const char *request, unsigned int port)
{
	static const char filler[4096] = { 'x' };
	char text[512];

	if (strncmp(request, "GET /endless ", 13) == 0) {
		put_string(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		while (put(fd, filler, sizeof(filler)))
			;
	} else if (strncmp(request, "GET /error ", 11) == 0) {
		put_string(fd, "HTTP/1.1 500 Broken\r\nConnection: close\r\n\r\n");
		while (put(fd, filler, sizeof(filler)))
			;
	} else if (strncmp(request, "GET /headers ", 13) == 0) {
		put_string(fd, "HTTP/1.1 200 OK\r\n");
		memset(text, 'h', sizeof(text));
		memcpy(text, "X-H: ", 5);
		memcpy(text + sizeof(text) - 2, "\r\n", 2);
		while (put(fd, text, sizeof(text)))
			;
	} else if (strncmp(request, "GET /interim ", 13) == 0) {
		while (put(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
			;
	} else if (strncmp(request, "GET /stale ", 11) == 0) {
		put_string(fd, "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n"
			       "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true\r\n\r\n");
	} else if (strncmp(request, "GET /long ", 10) == 0) {
		put_string(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\nx");
	} else if (strncmp(request, "GET /short ", 11) == 0) {
		put_string(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!");
	} else if (strncmp(request, "GET /gzip ", 10) == 0) {
		put_string(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08!");
	} else if (strncmp(request, "GET /silent ", 12) == 0) {
		(void)recv(fd, text, 1, 0);
	} else if (strncmp(request, "GET /to-file ", 13) == 0) {
		answer_redirect(fd, "file:///etc/passwd");
	} else if (strncmp(request, "GET /to-ftp ", 12) == 0) {
		answer_redirect(fd, "ftp://127.0.0.1/x");
	} else if (strncmp(request, "GET /round ", 11) == 0) {
		answer_redirect(fd, "/round");
	} else if (strncmp(request, "GET /to-host ", 13) == 0) {
		(void)snprintf(text, sizeof(text), "http://localhost:%u/login", port);
		answer_redirect(fd, text);
	} else if (strncmp(request, "GET /to-path ", 13) == 0) {
		answer_redirect(fd, "/login");
	} else if (strncmp(request, "GET /login ", 11) == 0) {
		header_of(request, "Authorization: ", text, sizeof(text));
		answer_ok(fd, text);
	} else if (strncmp(request, "GET /agent ", 11) == 0) {
		header_of(request, "User-Agent: ", text, sizeof(text));
		answer_ok(fd, text);
	} else if (strncmp(request, "GET /gone ", 10) == 0) {
		put_string(fd, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
	} else {
		put_string(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
	}
}

static struct server
ill_server(void)
{
	struct server s = { .folder = NULL };
	int listening;

	s.port = free_port(&listening);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		for (;;) {
			char request[4096];
			int fd = accept(listening, NULL, NULL);
			ssize_t n = fd >= 0 ? recv(fd, request, sizeof(request) - 1, 0) : -1;

			if (n > 0) {
				request[n] = '\0';
				answer(fd, request, s.port);
			}
			if (fd >= 0)
				(void)close(fd);
		}
	}
	(void)close(listening);
	return s;
}

/* Fetch PATH with a login, for 10 s and 100,000 bytes at most. */
static int
get(const struct server *s, const char *login, const char *path, enum fetch_auth auth, struct buf *out, struct err *e)
{
	char url[512];
	struct fetch_request r = { .url = url, .user_agent = AGENT, .auth = auth, .total_seconds = 10 };

	(void)snprintf(url, sizeof(url), "http://%s127.0.0.1:%u%s", login, s->port, path);
	return fetch_get(&r, out, e);
}

#define OUT BUF_INIT(100000)

/* "Basic and Digest Authorization are supported": against servers that are not ours. */
static void
check_login(struct server *s, enum fetch_auth right, enum fetch_auth wrong)
{
	struct err e = ERR_INIT;
	struct buf out = OUT;

	assert_ok(get(s, LOGIN, "/file", right, &out, &e), e);
	assert_string_equal(buf_string(&out), "the bytes\n");
	buf_clear(&out);
	assert_ok(get(s, LOGIN, "/file", FETCH_AUTH_ANY, &out, &e), e);
	assert_string_equal(buf_string(&out), "the bytes\n");
	buf_clear(&out);
	assert_fails(get(s, LOGIN, "/file", wrong, &out, &e), e, ERR_DENIED, "401");
	assert_fails(get(s, LOGIN, "/file", FETCH_AUTH_NONE, &out, &e), e, ERR_DENIED, "--auth none");
	assert_fails(get(s, "", "/file", FETCH_AUTH_ANY, &out, &e), e, ERR_DENIED, "no user:password@");
	assert_fails(get(s, LOGIN, "/missing", right, &out, &e), e, ERR_NOT_FOUND, "404");
	assert_true(get(s, "phone:wr0ng@", "/file", right, &out, &e) != 0);
	assert_non_null(strstr(e.text, "refused"));
	assert_null(strstr(e.text, "wr0ng"));
	assert_int_equal(out.len, 0);
	buf_release(&out);
	server_end(s);
}

static void
test_basic(void **state)
{
	struct server s = nginx_basic();

	(void)state;
	check_login(&s, FETCH_AUTH_BASIC, FETCH_AUTH_DIGEST);
}

static void
test_digest(void **state)
{
	struct server s = lighttpd_digest();

	(void)state;
	check_login(&s, FETCH_AUTH_DIGEST, FETCH_AUTH_BASIC);
}

/* A hostile or broken server costs bounded memory and time, and half a file is never taken for a whole one. */
static void
test_bounds(void **state)
{
	struct server s = ill_server();
	struct err e = ERR_INIT;
	struct buf out = OUT;

	(void)state;
	assert_fails(get(&s, "", "/endless", FETCH_AUTH_ANY, &out, &e), e, ERR_INPUT, "at most 100000 bytes");
	assert_int_equal(out.len, 0);
	assert_fails(get(&s, "", "/long", FETCH_AUTH_ANY, &out, &e), e, ERR_INPUT, "at most 100000 bytes");
	assert_fails(get(&s, "", "/short", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "not fetched");
	assert_int_equal(out.len, 0);
	assert_fails(get(&s, "", "/headers", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "headers");
	assert_fails(get(&s, "", "/interim", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "headers");
	assert_fails(get(&s, LOGIN, "/stale", FETCH_AUTH_DIGEST, &out, &e), e, ERR_DENIED, "found 401");
	assert_fails(get(&s, "", "/error", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "found 500");
	assert_fails(get(&s, "", "/gone", FETCH_AUTH_ANY, &out, &e), e, ERR_NOT_FOUND, "found 410");
	assert_ok(get(&s, "", "/gzip", FETCH_AUTH_ANY, &out, &e), e);
	assert_int_equal(out.len, 4);
	buf_release(&out);
	server_end(&s);
}

/* A server that says nothing does not hold a phone for ever. */
static void
test_silence(void **state)
{
	struct server s = ill_server();
	char url[128];
	const struct fetch_request r = { .url = url, .user_agent = AGENT, .total_seconds = 1 };
	struct err e = ERR_INIT;
	struct buf out = OUT;
	time_t start = time(NULL);

	(void)state;
	(void)snprintf(url, sizeof(url), "http://u:s3cret@127.0.0.1:%u/silent", s.port);
	assert_fails(fetch_get(&r, &out, &e), e, ERR_FAILED, "not fetched");
	assert_true(time(NULL) - start < 5);
	server_end(&s);
	/* Nobody listens there any more. */
	assert_true(fetch_get(&r, &out, &e) != 0);
	assert_int_equal(e.code, ERR_FAILED);
	assert_null(strstr(e.text, "s3cret"));
	buf_release(&out);
}

/* A redirect leads neither to a local file nor to another protocol, and the login stays with its host. */
static void
test_redirects(void **state)
{
	struct server s = ill_server();
	struct err e = ERR_INIT;
	struct buf out = OUT;

	(void)state;
	assert_fails(get(&s, "", "/to-file", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "not fetched");
	assert_fails(get(&s, "", "/to-ftp", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "not fetched");
	assert_fails(get(&s, "", "/round", FETCH_AUTH_ANY, &out, &e), e, ERR_FAILED, "not fetched");
	assert_int_equal(out.len, 0);
	assert_ok(get(&s, LOGIN, "/to-path", FETCH_AUTH_BASIC, &out, &e), e);
	assert_string_equal(buf_string(&out), "Basic cGhvbmU6cEBzcy93OjE="); /* by base64(1) */
	buf_clear(&out);
	assert_ok(get(&s, LOGIN, "/to-host", FETCH_AUTH_BASIC, &out, &e), e);
	assert_string_equal(buf_string(&out), "none");
	buf_release(&out);
	server_end(&s);
}

/* Servers tell model and firmware by the User-Agent; a phone knows no proxy. */
static void
test_agent(void **state)
{
	struct server s = ill_server();
	struct err e = ERR_INIT;
	struct buf out = OUT;

	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_ok(get(&s, "", "/agent", FETCH_AUTH_ANY, &out, &e), e);
	assert_string_equal(buf_string(&out), AGENT);
	assert_int_equal(unsetenv("http_proxy"), 0);
	buf_release(&out);
	server_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_agent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
