/* SPDX-License-Identifier: ISC */
#include "cli/rollout_notify.h"

#include "cli/settings.h"
#include "common/log.h"
#include "common/text.h"
#include "db/rollout.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16       /* phones a call */
#define LIMIT_MS 10000 /* a command */

struct asked {
	int64_t rollout, phone;
	char mac[DB_MAC_SIZE];
	char endpoint[sizeof(((struct db_phone *)NULL)->extension)];
	char name[DB_ROLLOUT_NAME_SIZE];
};

struct notify {
	const struct db_location *where;
	struct db *db;
	char command[SETTINGS_VALUE_SIZE];
	const struct db_rollout *rollout;
	struct asked asked[BATCH];
	size_t count;
	bool is_full;
};

/* ---- one command ---- */

/* What the command may know: our own environment may hold secrets that are none of its business. */
static int
environment(const struct asked *a, char *ret[5], struct err *e)
{
	const char *path = getenv("PATH");

	ret[0] = text_format("PATH=%s",
	    path != NULL ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	ret[1] = text_format("PHONEVPN_MAC=%s", a->mac);
	ret[2] = text_format("PHONEVPN_ENDPOINT=%s", a->endpoint);
	ret[3] = text_format("PHONEVPN_ROLLOUT=%s", a->name);
	ret[4] = NULL;
	for (int i = 0; i < 4; i++) {
		if (ret[i] == NULL)
			return err_set(e, ERR_FAILED, "notify-command: no memory");
	}
	return 0;
}

/* With signals as any program has them, in a group of its own, so that all of it can be ended. */
static int
spawn(const char *command, char *const env[], pid_t *ret, struct err *e)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(command), NULL };
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failed;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	failed = argv[2] != NULL ? posix_spawn(ret, "/bin/sh", NULL, &attributes, argv, env) : ENOMEM;
	(void)posix_spawnattr_destroy(&attributes);
	free(argv[2]);
	return failed == 0 ? 0 : err_errno(e, ERR_FAILED, failed, "notify-command: /bin/sh");
}

/* False when it had to be ended. */
static bool
wait_for(pid_t child, int *ret_status)
{
	struct pollfd fd = { .fd = pidfd_open(child, 0), .events = POLLIN };
	bool is_over = fd.fd < 0 || poll(&fd, 1, LIMIT_MS) > 0;

	if (!is_over)
		(void)kill(-child, SIGKILL);
	while (waitpid(child, ret_status, 0) < 0 && errno == EINTR)
		;
	if (fd.fd >= 0)
		(void)close(fd.fd);
	return is_over;
}

static void
run(const struct notify *n, const struct asked *a)
{
	struct err e = ERR_INIT;
	char *env[5] = { NULL };
	int status = 0;
	pid_t child;

	if (environment(a, env, &e) != 0 || spawn(n->command, env, &child, &e) != 0)
		log_warn("phone %s: %s", a->mac, e.text);
	else if (!wait_for(child, &status))
		log_warn("phone %s: notify-command: not done after %d s, and ended", a->mac, LIMIT_MS / 1000);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warn("phone %s: notify-command: expected exit status 0, found %s %d", a->mac,
		    WIFEXITED(status) ? "status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	for (size_t i = 0; i < sizeof(env) / sizeof(env[0]); i++)
		free(env[i]);
}

/* ---- whom to ask ---- */

static int
member_take(const struct db_member *m, void *arg, struct err *e)
{
	struct notify *n = arg;
	struct asked *a = &n->asked[n->count];
	struct db_phone p;

	if (n->count == BATCH) {
		n->is_full = true;
		return -1;
	}
	if (db_phone_get(n->db, m->mac, &p, e) != 0)
		return -1;
	a->rollout = n->rollout->id;
	a->phone = m->phone;
	memcpy(a->mac, m->mac, sizeof(a->mac));
	memcpy(a->endpoint, p.extension, sizeof(a->endpoint));
	memcpy(a->name, n->rollout->name, sizeof(a->name));
	n->count++;
	return 0;
}

static int
rollout_take(const struct db_rollout *r, void *arg, struct err *e)
{
	struct notify *n = arg;
	const struct db_member_filter filter = { .rollout = r->id, .state = DB_MEMBER_OFFERED, .unnotified = true };

	if (r->state != DB_ROLLOUT_RUNNING || n->is_full)
		return 0;
	n->rollout = r;
	if (db_member_each(n->db, &filter, member_take, n, e) == 0 || n->is_full)
		return 0;
	return -1;
}

static int
find(struct notify *n, struct err *e)
{
	struct settings s;
	int rc = -1;

	n->db = db_open(n->where, e);
	if (n->db != NULL && settings_load(n->db, &s, e) == 0)
		rc = text_copy(n->command, sizeof(n->command), s.value[SET_NOTIFY_COMMAND], "notify-command", e);
	if (rc == 0 && n->command[0] != '\0')
		rc = db_rollout_each(n->db, rollout_take, n, e);
	db_close(n->db);
	return rc;
}

/* Before they are asked: who is killed in between does not ask the same phones over and over, which restarts them. */
static int
mark(struct notify *n, struct err *e)
{
	struct db *db = db_open_writer(n->where, e);
	int rc = db != NULL ? 0 : -1;

	for (size_t i = 0; i < n->count && rc == 0; i++)
		rc = db_member_notified(db, n->asked[i].rollout, &n->asked[i].phone, 1, time(NULL), e);
	db_close(db);
	return rc;
}

int
rollout_notify(const struct db_location *where, bool *ret_more, struct err *e)
{
	struct notify n = { .where = where };

	*ret_more = false;
	if (find(&n, e) != 0)
		return -1;
	if (n.count == 0)
		return 0;
	if (mark(&n, e) != 0)
		return -1;
	for (size_t i = 0; i < n.count; i++)
		run(&n, &n.asked[i]);
	*ret_more = n.is_full;
	return 0;
}
