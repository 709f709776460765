/* SPDX-License-Identifier: ISC */
#include "phone/tunnel.h"

#include "common/file.h"
#include "common/text.h"
#include "phone/management.h"
#include "phone/openvpn.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOK_MS 2000 /* for an answer of the management interface */

static void
remove_file(const char *dir, const char *name)
{
	char *path = file_path(dir, name, NULL);

	if (path != NULL)
		(void)unlink(path);
	free(path);
}

void
tunnel_remove_traces(const char *dir)
{
	remove_file(dir, OPENVPN_SOCKET);
	remove_file(dir, OPENVPN_PID);
}

void
tunnel_forget(const char *dir)
{
	tunnel_remove_traces(dir);
	remove_file(dir, OPENVPN_LOG);
}

void
tunnel_status_from(const struct management_state *s, struct tunnel_status *t)
{
	bool connected = strcmp(s->name, "CONNECTED") == 0;
	char detail[sizeof(s->name) + sizeof(s->detail) + 2];

	t->state = connected ? TUNNEL_CONNECTED : TUNNEL_CONNECTING;
	(void)snprintf(detail, sizeof(detail), "%s%s%s", s->name, s->detail[0] != '\0' ? ": " : "", s->detail);
	(void)text_printable(detail, t->detail, sizeof(t->detail));
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

/* The answer to "load-stats": what went through the connection to the server, in both directions. */
static bool
bytes_parse(const char *line, struct tunnel_status *t)
{
	unsigned long long in, out;

	if (sscanf(line, "SUCCESS: nclients=%*u,bytesin=%llu,bytesout=%llu", &in, &out) != 2)
		return false;
	t->bytes_in = in;
	t->bytes_out = out;
	return true;
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
	bool found = false;

	*ret = (struct tunnel_status){ .state = TUNNEL_DOWN };
	if (management_open(dir, OPENVPN_SOCKET, &m, &mine) != 0)
		return mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
	answer = management_send(&m, "state\nload-stats\n", NULL) == 0 ? MANAGEMENT_TIMEOUT : MANAGEMENT_END;
	while (answer != MANAGEMENT_END && (answer = management_line(&m, deadline, line)) == MANAGEMENT_LINE) {
		if (line[0] != '>' && management_state_parse(line, &state)) {
			tunnel_status_from(&state, ret);
			found = true;
		} else if (bytes_parse(line, ret)) {
			break;
		}
	}
	if (answer != MANAGEMENT_END)
		ret->pid = m.pid;
	if (!found && answer == MANAGEMENT_TIMEOUT)
		status_unknown(ret);
	management_close(&m);
	return 0;
}

/*
 * Wait for the end of the process behind the connection, which is none other than the one that was asked to end: by its
 * pidfd, or where there is none (another pid namespace, an old kernel) by the end of the connection.
 */
static int
wait_end(struct management *m, int fd, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = management_now() + TUNNEL_END_MS;
	char line[MANAGEMENT_LINE_SIZE];
	enum management_answer answer;

	if (fd >= 0 && poll(&p, 1, TUNNEL_END_MS) > 0)
		return 0;
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 && poll(&p, 1, TUNNEL_END_MS) > 0)
		return 0;
	do
		answer = fd < 0 ? management_line(m, deadline, line) : MANAGEMENT_TIMEOUT;
	while (answer == MANAGEMENT_LINE);
	if (answer == MANAGEMENT_END)
		return 0;
	return err_set(e, ERR_FAILED, "openvpn: expected it to end within %d s of SIGTERM, found it running",
	    TUNNEL_END_MS / 1000);
}

int
tunnel_stop(const char *dir, bool *ret_was_up, struct err *e)
{
	struct err mine = ERR_INIT;
	struct management m;
	int fd = -1, rc = -1;

	if (ret_was_up != NULL)
		*ret_was_up = false;
	if (management_open(dir, OPENVPN_SOCKET, &m, &mine) != 0) {
		if (mine.code != ERR_NOT_FOUND)
			return err_set(e, mine.code, "%s", mine.text);
		tunnel_remove_traces(dir);
		return 0;
	}
	/* Opened before it is asked to end, so that the number cannot have become another process's. */
	fd = m.pid > 0 ? (int)syscall(SYS_pidfd_open, m.pid, 0) : -1;
	if (management_send(&m, "signal SIGTERM\n", e) != 0 || wait_end(&m, fd, e) != 0)
		goto out;
	tunnel_remove_traces(dir);
	if (ret_was_up != NULL)
		*ret_was_up = true;
	rc = 0;
out:
	if (fd >= 0)
		(void)close(fd);
	management_close(&m);
	return rc;
}
