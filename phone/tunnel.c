/* SPDX-License-Identifier: ISC */
#include "phone/tunnel.h"

#include "common/file.h"
#include "common/process.h"
#include "common/text.h"
#include "phone/management.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 2000 /* for an answer of the management interface */
#define STEP_MS 20   /* between two looks for what gives no sign */
#define SLICE_MS 200 /* between two looks for a signal to stop */
#define END_MS 15000 /* for openvpn to end; it says goodbye to the server first */
#define REASON_SIZE 300

static void
pause_ms(long ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static void
remove_file(const char *dir, const char *name)
{
	char *path = file_path(dir, name, NULL);

	if (path != NULL)
		(void)unlink(path);
	free(path);
}

/* What openvpn left in the folder when it is gone; the log stays for whoever asks why. */
static void
remove_traces(const char *dir)
{
	remove_file(dir, TUNNEL_SOCKET);
	remove_file(dir, TUNNEL_PID);
}

void
tunnel_forget(const char *dir)
{
	remove_traces(dir);
	remove_file(dir, TUNNEL_LOG);
}

static void
status_from_state(const struct management_state *s, struct tunnel_status *t)
{
	bool connected = strcmp(s->name, "CONNECTED") == 0;

	t->state = connected ? TUNNEL_CONNECTED : TUNNEL_CONNECTING;
	(void)snprintf(t->detail, sizeof(t->detail), "%s%s%.90s", s->name, s->detail[0] != '\0' ? ": " : "", s->detail);
	(void)snprintf(t->address, sizeof(t->address), "%s", connected ? s->address : "");
	(void)snprintf(t->server, sizeof(t->server), "%s%s%s", connected ? s->server : "", connected ? ":" : "",
	    connected ? s->port : "");
}

/* No answer: another refphone talks to it, as a boot does that waits, and it takes one at a time. */
static void
status_unknown(struct tunnel_status *t)
{
	t->state = TUNNEL_CONNECTING;
	(void)snprintf(t->detail, sizeof(t->detail), "no answer yet");
}

int
tunnel_look(const char *dir, struct tunnel_status *ret, struct err *e)
{
	int64_t deadline = management_now() + LOOK_MS;
	char line[MANAGEMENT_LINE_SIZE];
	struct management_state state;
	enum management_answer answer;
	struct management m;
	struct err mine = ERR_INIT;

	*ret = (struct tunnel_status){ .state = TUNNEL_DOWN };
	if (management_open(dir, TUNNEL_SOCKET, &m, &mine) != 0)
		return mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
	answer = management_send(&m, "state\n", NULL) == 0 ? MANAGEMENT_TIMEOUT : MANAGEMENT_END;
	while (answer != MANAGEMENT_END && (answer = management_line(&m, deadline, line)) == MANAGEMENT_LINE) {
		if (line[0] != '>' && management_state_parse(line, &state))
			break;
	}
	if (answer != MANAGEMENT_END)
		ret->pid = m.pid;
	if (answer == MANAGEMENT_LINE)
		status_from_state(&state, ret);
	else if (answer == MANAGEMENT_TIMEOUT)
		status_unknown(ret);
	management_close(&m);
	return 0;
}

/* openvpn's path: PATH, and the folders that a user's PATH lacks. NULL when it is nowhere. */
static char *
find_openvpn(void)
{
	const char *path = getenv("PATH");
	char *all = text_format("%s:/usr/local/sbin:/usr/sbin:/sbin", path != NULL ? path : ""), *found = NULL;

	for (const char *at = all; at != NULL && *at != '\0' && found == NULL;) {
		size_t len = strcspn(at, ":");

		/* An empty or relative entry means the current folder, from which nothing is run. */
		if (*at == '/')
			found = text_format("%.*s/openvpn", (int)len, at);
		if (found != NULL && access(found, X_OK) != 0) {
			free(found);
			found = NULL;
		}
		at += len + (at[len] == ':');
	}
	free(all);
	return found;
}

/* The configuration as a file without a name: a key has no business on the disk twice. */
static int
config_fd(const struct buf *config, struct err *e)
{
	int fd = memfd_create("openvpn-configuration", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return err_errno(e, ERR_FAILED, errno, "openvpn's configuration");
	while (done < config->len) {
		ssize_t n = write(fd, config->data + done, config->len - done);

		if (n < 0) {
			err_errno(e, ERR_FAILED, errno, "openvpn's configuration");
			(void)close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What is behind the configuration wins over it. */
__attribute__((noreturn)) static void
run_openvpn(const char *program, const char *dir, int config)
{
	/* clang-format off */
	const char *const argv[] = {
		"openvpn",
		"--cd", dir,
		"--log", TUNNEL_LOG,
		"--config", "stdin",
		"--management", TUNNEL_SOCKET, "unix",
		"--script-security", "0",
		"--writepid", TUNNEL_PID,
		NULL,
	};
	/* clang-format on */
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	/* dup2() to itself, where standard input was closed, would leave the flag. */
	(void)fcntl(config, F_SETFD, 0);
	if (null >= 0 && dup2(config, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 && close_range(3, ~0U, 0) == 0)
		(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

struct starting {
	const char *dir;
	pid_t pid;
	bool ended;          /* and waited for */
	struct management m; /* fd -1 until it answers */
	int64_t deadline;
	int signal;
	char reason[REASON_SIZE]; /* that openvpn named, or "" */
	bool reason_old;          /* it is of an attempt before this one */
};

static void
reason_set(struct starting *s, const char *text)
{
	/* These two follow every error, and say nothing. */
	if (strncmp(text, "Exiting due to fatal error", 26) == 0 || strncmp(text, "Use --help", 10) == 0)
		return;
	(void)text_printable(text, s->reason, sizeof(s->reason));
	s->reason_old = false;
}

/* The first error of an attempt is the cause, and the next ones its consequences ("TLS handshake failed"). */
static void
reason_offer(struct starting *s, const char *text)
{
	if (s->reason[0] == '\0' || s->reason_old)
		reason_set(s, text);
}

/* Before the management interface answers, the log is all there is: "2026-11-23 21:44:39 text". */
static void
reason_from_log(struct starting *s)
{
	struct buf log = BUF_INIT(1 << 20);
	char *path = file_path(s->dir, TUNNEL_LOG, NULL);
	const char *at;

	if (path != NULL && file_read(path, &log, NULL) == 0) {
		at = buf_string(&log);
		while (*at != '\0') {
			size_t len = strcspn(at, "\n");
			char line[REASON_SIZE];

			(void)snprintf(line, sizeof(line), "%.*s", (int)len, at);
			if (len > 20 && line[4] == '-' && line[13] == ':' && line[19] == ' ')
				reason_set(s, line + 20);
			else if (len > 0)
				reason_set(s, line);
			at += len + (at[len] == '\n');
		}
	}
	buf_release(&log);
	free(path);
}

static bool
has_ended(struct starting *s)
{
	if (!s->ended && waitpid(s->pid, NULL, WNOHANG) == s->pid)
		s->ended = true;
	return s->ended;
}

static bool
is_over(struct starting *s)
{
	if (s->signal == 0)
		s->signal = process_stop_pending();
	return s->signal != 0 || management_now() >= s->deadline || has_ended(s);
}

/* 0 when connected, -1 when it is over. */
static int
wait_connected(struct starting *s, struct tunnel_status *ret)
{
	char line[MANAGEMENT_LINE_SIZE];
	struct management_state state;
	int64_t slice;

	while (management_open(s->dir, TUNNEL_SOCKET, &s->m, NULL) != 0) {
		if (is_over(s))
			return -1;
		pause_ms(STEP_MS);
	}
	if (management_send(&s->m, "log on all\nstate on all\n", NULL) != 0)
		return -1;
	for (;;) {
		slice = management_now() + SLICE_MS;
		switch (management_line(&s->m, slice < s->deadline ? slice : s->deadline, line)) {
		case MANAGEMENT_END:
			return -1;
		case MANAGEMENT_TIMEOUT:
			if (is_over(s))
				return -1;
			continue;
		case MANAGEMENT_LINE:
			break;
		}
		if (strncmp(line, ">FATAL:", 7) == 0)
			reason_offer(s, line + 7);
		else if (management_log_error(line) != NULL)
			reason_offer(s, management_log_error(line));
		else if (management_state_parse(line, &state)) {
			status_from_state(&state, ret);
			s->reason_old = s->reason_old || strcmp(state.name, "RECONNECTING") == 0;
		}
		if (ret->state == TUNNEL_CONNECTED)
			return 0;
		/* A flood of lines must not outrun the deadline. */
		if (management_now() >= s->deadline)
			return -1;
	}
}

/* Our own child, not yet waited for: its number cannot have become another's. */
static void
end_child(struct starting *s)
{
	int64_t limit = management_now() + END_MS;

	if (!has_ended(s))
		(void)kill(s->pid, SIGTERM);
	while (!has_ended(s)) {
		if (management_now() >= limit)
			(void)kill(s->pid, SIGKILL);
		pause_ms(STEP_MS);
	}
	remove_traces(s->dir);
}

static int
start_failed(struct starting *s, unsigned int seconds, const struct tunnel_status *last, struct err *e)
{
	bool ended = has_ended(s) || (s->m.fd >= 0 && s->signal == 0 && management_now() < s->deadline);

	end_child(s);
	if (s->reason[0] == '\0' && ended)
		reason_from_log(s);
	if (s->signal != 0)
		return err_set(e, ERR_FAILED, "openvpn: ended by signal %d before it was connected", s->signal);
	if (ended)
		return err_set(e, ERR_FAILED, "openvpn: expected it to connect, found it ended: %s",
		    s->reason[0] != '\0' ? s->reason : "it names no reason");
	return err_set(e, ERR_FAILED, "openvpn: expected to be connected within %u s, found %s%s%s", seconds,
	    last->detail[0] != '\0' ? last->detail : "no answer", s->reason[0] != '\0' ? "; it says: " : "", s->reason);
}

int
tunnel_start(const char *dir, const struct buf *config, unsigned int seconds, struct tunnel_status *ret, struct err *e)
{
	struct starting s = { .dir = dir, .m = { .fd = -1 } };
	struct tunnel_status status = { .state = TUNNEL_CONNECTING };
	char *program = find_openvpn();
	int fd, rc = -1;

	if (program == NULL)
		return err_set(e, ERR_FAILED,
		    "openvpn: expected the program in PATH or /usr/sbin, found none; "
		    "apt-get install openvpn");
	fd = config_fd(config, e);
	if (fd < 0)
		goto out;
	remove_traces(dir);
	process_stop_block();
	s.deadline = management_now() + (int64_t)seconds * 1000;
	s.pid = fork();
	if (s.pid == 0)
		run_openvpn(program, dir, fd);
	if (s.pid < 0) {
		err_errno(e, ERR_FAILED, errno, "openvpn: fork");
		goto out;
	}
	rc = wait_connected(&s, &status);
	if (rc != 0)
		rc = start_failed(&s, seconds, &status, e);
	management_close(&s.m);
	status.pid = s.pid;
	if (rc == 0)
		*ret = status;
out:
	if (fd >= 0)
		(void)close(fd);
	free(program);
	return rc;
}

/*
 * Wait for the end of the process behind the connection, which is none other than the one that was asked to end: by its
 * pidfd, or where there is none (another pid namespace, an old kernel) by the end of the connection.
 */
static int
wait_end(struct management *m, int fd, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = management_now() + END_MS;
	char line[MANAGEMENT_LINE_SIZE];
	enum management_answer answer;

	if (fd >= 0 && poll(&p, 1, END_MS) > 0)
		return 0;
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 && poll(&p, 1, END_MS) > 0)
		return 0;
	do
		answer = fd < 0 ? management_line(m, deadline, line) : MANAGEMENT_TIMEOUT;
	while (answer == MANAGEMENT_LINE);
	if (answer == MANAGEMENT_END)
		return 0;
	return err_set(e, ERR_FAILED, "openvpn: expected it to end within %d s of SIGTERM, found it running",
	    END_MS / 1000);
}

int
tunnel_stop(const char *dir, bool *ret_was_up, struct err *e)
{
	struct err mine = ERR_INIT;
	struct management m;
	int fd = -1, rc = -1;

	if (ret_was_up != NULL)
		*ret_was_up = false;
	if (management_open(dir, TUNNEL_SOCKET, &m, &mine) != 0) {
		if (mine.code != ERR_NOT_FOUND)
			return err_set(e, mine.code, "%s", mine.text);
		remove_traces(dir);
		return 0;
	}
	/* Opened before it is asked to end, so that the number cannot have become another process's. */
	fd = m.pid > 0 ? (int)syscall(SYS_pidfd_open, m.pid, 0) : -1;
	if (management_send(&m, "signal SIGTERM\n", e) != 0 || wait_end(&m, fd, e) != 0)
		goto out;
	remove_traces(dir);
	if (ret_was_up != NULL)
		*ret_was_up = true;
	rc = 0;
out:
	if (fd >= 0)
		(void)close(fd);
	management_close(&m);
	return rc;
}
