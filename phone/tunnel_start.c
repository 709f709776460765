/* SPDX-License-Identifier: ISC */
#include "phone/tunnel.h"

#include "common/file.h"
#include "common/process.h"
#include "common/text.h"
#include "phone/management.h"
#include "phone/openvpn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define STEP_MS 20    /* between two looks for what gives no sign */
#define SLICE_MS 200  /* between two looks for a signal to stop */
#define EARLY_MS 1000 /* for openvpn to end at a configuration that it cannot run */
#define REASON_SIZE 300

static void
pause_ms(long ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
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
	bool answered;            /* the server did, in some attempt */
	bool wait;                /* until it is connected; a signal to stop ends that */
	bool released;            /* it was told to connect */
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
	char *path = file_path(s->dir, OPENVPN_LOG, NULL);
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
	if (s->signal == 0 && s->wait)
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

	while (management_open(s->dir, OPENVPN_SOCKET, &s->m, NULL) != 0) {
		if (is_over(s))
			return -1;
		pause_ms(STEP_MS);
	}
	if (management_send(&s->m, "log on all\nstate on all\nhold off\nhold release\n", NULL) != 0)
		return -1;
	s->released = true;
	if (!s->wait)
		s->deadline = management_now() + EARLY_MS;
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
			tunnel_status_from(&state, ret);
			s->answered = s->answered || strcmp(state.name, "AUTH") == 0;
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
	int64_t limit = management_now() + TUNNEL_END_MS;

	if (!has_ended(s))
		(void)kill(s->pid, SIGTERM);
	while (!has_ended(s)) {
		if (management_now() >= limit)
			(void)kill(s->pid, SIGKILL);
		pause_ms(STEP_MS);
	}
	tunnel_remove_traces(s->dir);
}

/* What this machine lacks, and the deployment is not to blame for. */
static bool
is_of_this_machine(const char *reason)
{
	static const char *const starts[] = { "Cannot open TUN/TAP", "ERROR: Cannot open TUN/TAP",
		"Cannot ioctl TUNSETIFF", "ERROR: Cannot ioctl TUNSETIFF", "Options error:", "Linux ip ", "sitnl_send",
		"net_iface", "RTNETLINK" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (strncmp(reason, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static enum verdict
verdict_of(const struct starting *s, bool ended)
{
	if (s->signal != 0 || is_of_this_machine(s->reason))
		return VERDICT_FAILED;
	if (s->answered)
		return VERDICT_VPN_REFUSED;
	return ended ? VERDICT_FAILED : VERDICT_VPN_TIMEOUT;
}

static int
start_failed(struct starting *s, unsigned int seconds, const struct tunnel_status *last, enum verdict *ret_verdict,
    struct err *e)
{
	bool ended = has_ended(s) || (s->m.fd >= 0 && s->signal == 0 && management_now() < s->deadline);
	const char *reason;

	end_child(s);
	if (s->reason[0] == '\0' && ended)
		reason_from_log(s);
	*ret_verdict = verdict_of(s, ended);
	reason = s->reason[0] != '\0' ? s->reason : "it names no reason";
	if (s->signal != 0)
		return err_set(e, ERR_FAILED, "openvpn: ended by signal %d before it was connected", s->signal);
	if (ended)
		return err_set(e, ERR_FAILED, "openvpn: expected it to connect, found it ended: %s", reason);
	return err_set(e, ERR_FAILED, "openvpn: expected to be connected within %u s, found %s; %s%s%s", seconds,
	    last->detail[0] != '\0' ? last->detail : "no answer",
	    !s->answered                                            ? "no answer of the server"
	    : strncmp(s->reason, "VERIFY ", strlen("VERIFY ")) == 0 ? "the phone does not take the server"
								    : "the server answers, and its log tells more",
	    s->reason[0] != '\0' ? "; openvpn says: " : "", s->reason);
}

int
tunnel_start(const char *dir, const struct buf *config, const struct tunnel_options *o, struct tunnel_status *ret,
    enum verdict *ret_verdict, struct err *e)
{
	struct starting s = { .dir = dir, .m = { .fd = -1 }, .wait = o->seconds > 0 };
	struct tunnel_status status = { .state = TUNNEL_CONNECTING };
	int rc;

	*ret_verdict = VERDICT_FAILED;
	tunnel_forget(dir);
	if (s.wait)
		process_stop_block();
	s.deadline = management_now() + (s.wait ? (int64_t)o->seconds * 1000 : TUNNEL_END_MS);
	s.pid = openvpn_start(dir, config, o->mortal, e);
	if (s.pid < 0)
		return -1;
	rc = wait_connected(&s, &status);
	if (rc != 0 && !s.wait && s.released && !has_ended(&s))
		rc = 0;
	if (rc != 0)
		rc = start_failed(&s, o->seconds, &status, ret_verdict, e);
	management_close(&s.m);
	status.pid = s.pid;
	if (rc == 0) {
		*ret = status;
		*ret_verdict = VERDICT_OK;
	}
	return rc;
}
