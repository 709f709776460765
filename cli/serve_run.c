/* SPDX-License-Identifier: ISC */
#include "cli/serve_run.h"

#include "cli/crl_keeper.h"
#include "cli/keypool_filler.h"
#include "cli/rollout_runner.h"
#include "cli/serve_watch.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What runs beside the server of the phones. */
struct beside {
	struct serve_watch *watch;
	struct admin *admin;
	struct keypool_filler *filler;
	struct rollout_runner *runner;
	struct crl_keeper *keeper;
};

static int
admin_open(const struct serving *s, struct http_server *server, struct beside *b, struct err *e)
{
	struct admin_config config;

	if (s->admin == NULL && s->admin_socket < 0)
		return 0;
	b->watch = serve_watch_open(s->in, server, e);
	if (b->watch == NULL)
		return -1;
	config = serve_watch_admin(b->watch);
	config.listen = s->admin;
	config.socket = s->admin_socket;
	b->admin = admin_start(&config, e);
	if (b->admin == NULL)
		return err_prefix(e, "admin");
	if (s->admin != NULL && !listen_is_local(s->admin))
		log_warn("--admin %s: who reaches it needs no login to read how the fleet is", s->admin);
	return 0;
}

static void
warn_of_clear_text(const struct http_config *config)
{
	if (config->auth == HTTP_AUTH_DIGEST || config->tls_cert != NULL)
		return;
	log_warn("--auth %s over plain HTTP: who can listen on the way reads the phones' keys%s",
	    config->auth == HTTP_AUTH_NONE ? "none" : "basic", config->auth == HTTP_AUTH_BASIC ? " and passwords" : "");
}

static int
tell_where(const struct invocation *in, const struct http_server *server, const struct admin *admin, struct err *e)
{
	int rc = 0;

	if (in->json) {
		rc = command_print_json(json_pack("{s:s s:s*}", "listening", http_url(server), "admin",
					    admin != NULL ? admin_url(admin) : NULL),
		    e);
	} else {
		(void)printf("listening on %s\n", http_url(server));
		if (admin != NULL)
			(void)printf("admin on %s\n", admin_url(admin));
	}
	(void)fflush(stdout);
	return rc;
}

int
serve_tls_read(const char *cert_file, const char *key_file, struct buf *cert, struct buf *key, struct err *e)
{
	return file_read(cert_file, cert, e) == 0 && file_read(key_file, key, e) == 0 ? 0 : -1;
}

/* Who renews certificates may write one of the two files after the other, and hang up too early. */
static int
tls_reload(const struct serving *s, struct http_server *server, struct err *e)
{
	struct buf cert = BUF_INIT(SERVE_TLS_MAX), key = BUF_INIT(SERVE_TLS_MAX);
	int rc = serve_tls_read(s->tls_cert, s->tls_key, &cert, &key, e);

	if (rc == 0)
		rc = http_tls_load(server, buf_string(&cert), buf_string(&key), e);
	buf_release(&cert);
	buf_release(&key);
	return rc;
}

static void
tls_tell(struct http_server *server)
{
	time_t end = http_tls_end(server);
	char text[TEXT_TIME_SIZE];

	if (end == 0)
		return;
	text_time(end, text);
	if (end < time(NULL))
		log_warn("the TLS certificate ended at %s; who checks it does not fetch anything", text);
	else
		log_info("the TLS certificate ends at %s", text);
}

/* Documents are read at every request anyway. What fails stays as it was. */
static void
reload(const struct serving *s, struct http_server *server)
{
	struct err e = ERR_INIT;

	manager_reloading();
	if (http_log_reopen(server, &e) != 0)
		log_error("hang-up: %s; the former stays in use", e.text);
	if (s->tls_cert != NULL && tls_reload(s, server, &e) != 0)
		log_error("hang-up: %s; the former certificate stays in use", e.text);
	tls_tell(server);
	log_info("hang-up: done");
	manager_ready();
}

static int
signal_wait(void)
{
	long interval = manager_alive_interval();
	int sig;

	if (interval < 0)
		return process_stop_wait();
	while ((sig = process_stop_wait_for(interval)) == 0)
		manager_alive();
	return sig;
}

int
serve_until_stopped(const struct serving *s, struct err *e)
{
	struct http_server *server = http_start(s->http, e);
	struct beside b = { .admin = NULL };
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;
	bool is_over;
	int rc = -1;

	if (server == NULL)
		return -1;
	warn_of_clear_text(s->http);
	tls_tell(server);
	state_location(s->in, actor, &where);
	if (admin_open(s, server, &b, e) == 0 && tell_where(s->in, server, b.admin, e) == 0) {
		b.filler = keypool_filler_start(&where, e);
		b.runner = rollout_runner_start(&s->enroll->where, e);
		b.keeper = crl_keeper_start(&s->enroll->where, e);
		rc = b.filler != NULL && b.runner != NULL && b.keeper != NULL ? 0 : -1;
	}
	if (rc == 0)
		manager_ready();
	while (rc == 0 && signal_wait() == SIGHUP)
		reload(s, server);
	manager_stopping();
	admin_stop(b.admin);
	http_stop(server);
	recorder_stop(s->enroll->recorder);
	s->enroll->recorder = NULL;
	serve_watch_close(b.watch);
	is_over = rollout_runner_stop(b.runner);
	is_over = crl_keeper_stop(b.keeper) && is_over;
	if (!keypool_filler_stop(b.filler) || !is_over) {
		/* All requests are answered, and the state may be left at any moment. */
		(void)fflush(NULL);
		_exit(rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	return rc;
}
