/* SPDX-License-Identifier: ISC */
#include "phone/daemon.h"

#include "common/log.h"
#include "common/process.h"
#include "phone/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POWER_FILE "power"
#define LOCK_SECONDS 10 /* for another refphone to end its work on the phone */
#define LOCK_STEP_MS 100

enum work {
	WORK_FIRST_BOOT,
	WORK_RESTART,
	WORK_APPLY,
};

/* One phone is on once. */
static int
power_lock(struct daemon *d, const char *dir, struct err *e)
{
	if (d->power >= 0)
		return 0;
	return store_lock(dir, POWER_FILE, "another \"refphone web\" has this phone on", &d->power, e);
}

static void
power_release(struct daemon *d)
{
	if (d->power >= 0)
		(void)close(d->power);
	d->power = -1;
}

/* Another refphone is at work on the phone: whether it is worth to try again. */
static bool
wait_for_other(int64_t deadline, const struct err *e)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	if (e->code != ERR_CONFLICT || management_now() >= deadline)
		return false;
	(void)nanosleep(&step, NULL);
	return true;
}

static int
open_waiting(const struct invocation *in, enum work work, struct phone *ret, struct boot_options *o, struct err *e)
{
	int64_t deadline = management_now() + (work == WORK_RESTART ? LOCK_SECONDS * 1000 : 0);
	struct err mine = ERR_INIT;

	while (boot_begin(in, NULL, ret, o, &mine) != 0) {
		if (process_end_is_asked() || !wait_for_other(deadline, &mine))
			return err_set(e, mine.code, "%s", mine.text);
	}
	return 0;
}

/* A phone that restarts, or was off until now, has no tunnel. */
static void
take_down(struct phone *p, struct report *r)
{
	struct err e = ERR_INIT;
	bool was_up;

	if (tunnel_stop(p->store.dir, &was_up, &e) != 0)
		report_failure(r, "vpn", VERDICT_FAILED, NULL, &e);
	else if (was_up)
		report_step(r, "vpn", STEP_DONE, NULL, "tunnel brought down: the phone restarts");
}

/* One line of JSON; the lines for people are out already. */
static void
report_print(const struct report *r)
{
	json_t *doc = r->no_memory ? NULL : json_pack("{s:O,s:s}", "steps", r->steps, "result", report_result(r));

	if (doc == NULL || json_dumpf(doc, stdout, JSON_COMPACT) != 0)
		log_error("JSON: no memory, or standard output cannot be written");
	else
		(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(doc);
}

/* Children that this work has ended, as it meant to, are no news. */
static void
reap_silently(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int
work_do(struct daemon *d, const struct invocation *in, enum work work, struct err *e)
{
	struct boot_options o;
	struct report report;
	struct phone phone;
	struct boot b;

	if (open_waiting(in, work, &phone, &o, e) != 0)
		return -1;
	if (power_lock(d, phone.store.dir, e) != 0) {
		phone_close(&phone);
		return -1;
	}
	d->clock = o.clock;
	o.background = true;
	o.tunnel.mortal = true;
	o.stored_only = work == WORK_APPLY;
	o.stoppable = true;
	report_start(&report, in->json ? REPORT_JSON : REPORT_LINES, in->quiet);
	if (work != WORK_APPLY)
		take_down(&phone, &report);
	boot_start(&b, &phone, &report, &o);
	boot_through(&b);
	if (in->json)
		report_print(&report);
	boot_release(&b);
	report_release(&report);
	phone_close(&phone);
	return 0;
}

/* Before anything of the phone is touched; a new phone has no folder yet, and nothing is put into somebody else's. */
static int
power_lock_known(struct daemon *d, const char *dir, struct err *e)
{
	struct store look;

	if (dir == NULL || store_look(dir, &look, NULL) != 0)
		return 0;
	store_close(&look);
	return power_lock(d, dir, e);
}

int
daemon_on(struct daemon *d, const struct invocation *in, struct err *e)
{
	const char *dir = in->global[GLOBAL_STATE];
	int rc;

	*d = (struct daemon){ .again = *in, .power = -1 };
	/* A URL that was changed since, or that a factory reset has deleted, is not brought back; nor is a firmware. */
	d->again.option[BOOT_OPT_CONFIG_URL] = d->again.option[BOOT_OPT_CONFIG_URL_FILE] = NULL;
	d->again.global[GLOBAL_MODEL] = d->again.global[GLOBAL_FIRMWARE] = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: cannot be started");
	rc = power_lock_known(d, dir, e);
	if (rc == 0)
		rc = work_do(d, in, WORK_FIRST_BOOT, e);
	if (rc != 0) {
		power_release(d);
		curl_global_cleanup();
	}
	return rc;
}

void
daemon_reap(void)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		/* SIGTERM, which "disconnect" sends it, is an end with status 0. */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			log_info("openvpn has ended, as it was asked to: the tunnel is down");
		else if (WIFEXITED(status))
			log_warn(
			    "openvpn has ended by itself with status %d: the tunnel is down; openvpn.log tells why",
			    WEXITSTATUS(status));
		else
			log_warn("openvpn was ended by signal %d: the tunnel is down", WTERMSIG(status));
	}
}

int
daemon_restart(struct daemon *d, struct err *e)
{
	int rc;

	daemon_reap();
	rc = work_do(d, &d->again, WORK_RESTART, e);
	reap_silently();
	return rc;
}

int
daemon_apply(struct daemon *d, struct err *e)
{
	int rc;

	daemon_reap();
	rc = work_do(d, &d->again, WORK_APPLY, e);
	reap_silently();
	return rc;
}

int
daemon_off(struct daemon *d, struct err *e)
{
	const char *dir = d->again.global[GLOBAL_STATE];
	int64_t deadline = management_now() + LOCK_SECONDS * 500;
	struct err mine = ERR_INIT;
	struct store store;
	bool locked;
	int rc;

	/* Whoever is at work on the phone may be about to start a tunnel; but off is off. */
	while (!(locked = store_open(dir, &store, &mine) == 0) && wait_for_other(deadline, &mine))
		;
	rc = tunnel_stop(dir, NULL, e);
	if (locked)
		store_close(&store);
	reap_silently();
	power_release(d);
	curl_global_cleanup();
	return rc;
}
