/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"
#include "phone/daemon.h"
#include "phone/web.h"

#include "common/listen.h"
#include "common/log.h"
#include "common/process.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { OPT_LISTEN = BOOT_OPT_COUNT };

#define LISTEN_DEFAULT "127.0.0.1:8080"
#define AGAIN_MS 1000 /* until a change that had to wait is tried again */

static const struct option_def options[] = {
	BOOT_OPTION_DEFS,
	[OPT_LISTEN] = { "listen", "ADDR:PORT", "where to listen (" LISTEN_DEFAULT "); port 0: the kernel picks one" },
	OPTION_END,
};

/* In the web server's thread: the first one does the work, so that no browser waits for a tunnel. */
static void
on_changed(void *arg)
{
	(void)arg;
	(void)kill(getpid(), SIGUSR1);
}

static int
announce(const struct invocation *in, const char *url, struct err *e)
{
	int rc = 0;

	if (in->json)
		rc = command_print_json(json_pack("{s:s}", "listening", url), e);
	else
		(void)printf("listening on %s\n", url);
	(void)fflush(stdout);
	return rc;
}

/* The tunnel follows a change; while another refphone is at work on the phone, that stays pending. */
static void
follow(struct daemon *d, bool *pending)
{
	bool again = *pending;
	struct err e = ERR_INIT;
	int rc = daemon_apply(d, &e);

	*pending = rc != 0 && e.code == ERR_CONFLICT;
	if (rc != 0 && !again)
		log_warn("%s%s", e.text, *pending ? "; a change on the page has to wait for it" : "");
}

/* Whatever one piece of work fails at, the phone stays on. */
static void
stay_on(struct daemon *d)
{
	bool pending = false;
	struct err e;
	int sig;

	for (;;) {
		sig = process_event_wait(pending ? AGAIN_MS : -1);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGQUIT)
			return;
		if (sig == SIGCHLD)
			daemon_reap();
		else if (sig != SIGHUP)
			follow(d, &pending);
		else if (daemon_restart(d, &e) != 0)
			log_error("check-sync: %s", e.text);
	}
}

static int
web_run(const struct invocation *in, struct err *e)
{
	const char *listen = in->option[OPT_LISTEN];
	struct web_config config = { .listen = listen != NULL ? listen : LISTEN_DEFAULT, .changed = on_changed };
	struct err off = ERR_INIT;
	struct web *web;
	struct daemon d;
	int rc = -1;

	if (listen_check(config.listen, e) != 0)
		return err_usage(e);
	process_event_block();
	if (daemon_on(&d, in, e) != 0)
		return -1;
	config.phone = &d.again;
	config.clock = in->option[BOOT_OPT_CLOCK] != NULL ? d.clock : 0;
	web = web_start(&config, e);
	if (web != NULL) {
		rc = announce(in, web_url(web), e);
		if (rc == 0)
			stay_on(&d);
		web_stop(web);
	}
	if (daemon_off(&d, &off) != 0 && rc == 0)
		rc = err_set(e, off.code, "%s", off.text);
	return rc;
}

const struct command command_web = {
	.name = "web",
	.summary = "Leave the phone on: boot it, serve its web page, boot it again on SIGHUP",
	.details =
	    "The page at /vpn asks for the user admin and the phone's admin password (789, or login_password of the XML). "
	    "It shows the VPN, and takes a configuration of the phone's own, which wins over the server's until it is "
	    "reverted or the phone is reset. /cgi-bin/ptsr hands out a debug archive without keys and passwords; whether a "
	    "real phone asks for a login there is not known, this one does. SIGHUP stands for a SIP NOTIFY check-sync: "
	    "the phone restarts. SIGTERM and SIGINT switch it off, and its tunnel. The VPN connects in the background, "
	    "so --timeout is of no use here. Other commands work on the phone while it is on.",
	.options = options,
	.run = web_run,
};
