/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/serve_run.h"
#include "cli/serve_source.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/process.h"
#include "provisioner/http.h"
#include "provisioner/url.h"

#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

enum {
	OPT_LISTEN,
	OPT_AUTH,
	OPT_SHA256,
	OPT_BASE_DIR,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_THREADS,
	OPT_CONNECTIONS,
	OPT_PER_ADDRESS,
	OPT_ADMIN,
	OPT_ACCESS_LOG,
	OPT_TRUSTED_PROXY,
	OPT_PROXY_PROTOCOL,
};

#define LISTEN_DEFAULT "0.0.0.0:8080"
#define CONNECTIONS_MAX 1000000

static const struct option_def options[] = {
	[OPT_LISTEN] = { "listen", "ADDR:PORT", "where to listen (" LISTEN_DEFAULT "); port 0: the kernel picks one" },
	[OPT_AUTH] = { "auth", "METHOD", "digest, basic or none (digest)" },
	[OPT_SHA256] = { "sha256", NULL, "offer Digest with SHA-256 beside MD5" },
	[OPT_BASE_DIR] = { "base-dir", "DIR", "the admin's own <mac>.cfg files, to put the settings into" },
	[OPT_TLS_CERT] = { "tls-cert", "FILE", "serve HTTPS with this PEM certificate and chain" },
	[OPT_TLS_KEY] = { "tls-key", "FILE", "its PEM key" },
	[OPT_THREADS] = { "threads", "N", "threads that answer requests (one a processor)" },
	[OPT_CONNECTIONS] = { "max-connections", "N",
	    "connections at once; further ones are told to come again (10000)" },
	[OPT_PER_ADDRESS] = { "max-per-address", "N", "of them from one address, or IPv6 /64 (as many as in all)" },
	[OPT_ADMIN] = { "admin", "ADDR:PORT", "answer /healthz and /metrics there, without a login" },
	[OPT_ACCESS_LOG] = { "access-log", "FILE", "a line for each request there, and not on stderr" },
	[OPT_TRUSTED_PROXY] = { "trusted-proxy", "NETWORK,...", "proxies whose X-Forwarded-For is believed" },
	[OPT_PROXY_PROTOCOL] = { "proxy-protocol", NULL,
	    "only these proxies connect, and begin with a PROXY protocol header" },
	OPTION_END,
};

static int
auth_parse(const char *s, enum http_auth *ret, struct err *e)
{
	static const struct {
		const char *name;
		enum http_auth auth;
	} table[] = {
		{ "digest", HTTP_AUTH_DIGEST },
		{ "basic", HTTP_AUTH_BASIC },
		{ "none", HTTP_AUTH_NONE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(s, table[i].name) == 0) {
			*ret = table[i].auth;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "auth: expected digest, basic or none, found \"%s\"", s);
}

static int
options_parse(const struct invocation *in, struct http_config *c, struct err *e)
{
	unsigned long threads = process_cpus(), connections = 0, per_address = 0;

	if (in->option[OPT_AUTH] != NULL && auth_parse(in->option[OPT_AUTH], &c->auth, e) != 0)
		return -1;
	if (command_number(in->option[OPT_THREADS], 1, SERVE_SOURCE_HANDLES_MAX, "threads", &threads, e) != 0)
		return -1;
	if (command_number(in->option[OPT_CONNECTIONS], 1, CONNECTIONS_MAX, "max-connections", &connections, e) != 0 ||
	    command_number(in->option[OPT_PER_ADDRESS], 1, CONNECTIONS_MAX, "max-per-address", &per_address, e) != 0)
		return -1;
	if ((in->option[OPT_TLS_CERT] == NULL) != (in->option[OPT_TLS_KEY] == NULL))
		return err_set(e, ERR_USAGE, "serve: expected --tls-cert and --tls-key together, found only one");
	if (in->option[OPT_TRUSTED_PROXY] != NULL &&
	    proxy_trust_parse(in->option[OPT_TRUSTED_PROXY], &c->proxies, e) != 0)
		return -1;
	if (in->option[OPT_PROXY_PROTOCOL] != NULL && c->proxies.count == 0)
		return err_set(e, ERR_USAGE,
		    "serve: expected --trusted-proxy with --proxy-protocol, as nobody else may say whose a connection is; "
		    "found none");
	c->proxy_protocol = in->option[OPT_PROXY_PROTOCOL] != NULL;
	c->access_log = in->option[OPT_ACCESS_LOG];
	c->connections_max = (unsigned int)connections;
	c->per_address_max = (unsigned int)per_address;
	c->sha256 = in->option[OPT_SHA256] != NULL;
	c->threads = threads < SERVE_SOURCE_HANDLES_MAX ? (unsigned int)threads : SERVE_SOURCE_HANDLES_MAX;
	return 0;
}

/* Where to listen: what the service manager hands over, or else the options. */
static int
listen_parse(const struct invocation *in, struct http_config *c, struct serving *s, struct err *e)
{
	struct manager_sockets sockets;

	if (in->option[OPT_LISTEN] != NULL && listen_check(in->option[OPT_LISTEN], e) != 0)
		return err_usage(e);
	if (in->option[OPT_ADMIN] != NULL && listen_check(in->option[OPT_ADMIN], e) != 0) {
		(void)err_prefix(e, "admin");
		return err_usage(e);
	}
	if (manager_sockets_take(&sockets, e) != 0)
		return -1;
	if (sockets.phones >= 0 && in->option[OPT_LISTEN] != NULL)
		return err_set(e, ERR_USAGE, "serve: expected --listen or a socket of the service manager, found both");
	if (sockets.admin >= 0 && in->option[OPT_ADMIN] != NULL)
		return err_set(e, ERR_USAGE, "serve: expected --admin or a socket of the service manager, found both");
	c->listen = in->option[OPT_LISTEN];
	if (c->listen == NULL && sockets.phones < 0)
		c->listen = LISTEN_DEFAULT;
	c->socket = sockets.phones;
	s->admin = in->option[OPT_ADMIN];
	s->admin_socket = sockets.admin;
	return 0;
}

/* There is no login to be had where none is asked for. */
static void
warn_enroll(struct db *db, const struct http_config *config)
{
	struct db_enroll_window w;

	if (config->auth == HTTP_AUTH_NONE && db_enroll_window(db, &w, NULL) == 0 && time(NULL) < w.until)
		log_warn(
		    "--auth none: the window of 'enroll open' counts for nothing here: every phone gets all it asks for");
}

static int
serve_run(const struct invocation *in, struct err *e)
{
	struct serve_enroll enroll = { .base_dir = in->option[OPT_BASE_DIR] };
	struct http_config config = { .listen = NULL };
	struct serving serving = {
		.in = in,
		.http = &config,
		.enroll = &enroll,
		.tls_cert = in->option[OPT_TLS_CERT],
		.tls_key = in->option[OPT_TLS_KEY],
	};
	struct serve_source *source = NULL;
	struct buf cert = BUF_INIT(SERVE_TLS_MAX), key = BUF_INIT(SERVE_TLS_MAX), path = BUF_INIT(4096);
	char actor[STATE_ACTOR_SIZE];
	struct settings s;
	struct db *db;
	int rc = -1;

	if (options_parse(in, &config, e) != 0 || listen_parse(in, &config, &serving, e) != 0)
		return -1;
	if (enroll.base_dir != NULL && file_check_dir(enroll.base_dir, e) != 0)
		return err_prefix(e, "base-dir");
	process_stop_block();
	process_raise_files();
	process_one_arena();
	db = state_open(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || db_nonce_key_get(db, config.digest.key, e) != 0 ||
	    url_base_path(s.value[SET_URL], &path, e) != 0)
		goto out;
	warn_enroll(db, &config);
	state_location(in, actor, &enroll.where);
	enroll.where.at_once = true;
	enroll.recorder = recorder_start(&enroll.where, e);
	if (enroll.recorder == NULL)
		goto out;
	source = serve_source_open(in, &enroll, config.threads, e);
	if (source == NULL)
		goto out;
	config.source = serve_source_http(source);
	if (serving.tls_cert != NULL) {
		if (serve_tls_read(serving.tls_cert, serving.tls_key, &cert, &key, e) != 0)
			goto out;
		config.tls_cert = buf_string(&cert);
		config.tls_key = buf_string(&key);
	}
	config.base_path = buf_string(&path);
	config.digest.realm = s.value[SET_REALM];
	rc = serve_until_stopped(&serving, e);
out:
	recorder_stop(enroll.recorder);
	OPENSSL_cleanse(config.digest.key, sizeof(config.digest.key));
	buf_release(&cert);
	buf_release(&key);
	buf_release(&path);
	serve_source_close(source);
	db_close(db);
	return rc;
}

const struct command command_serve = {
	.name = "serve",
	.summary = "Serve XML and bundles to the phones over HTTP or HTTPS",
	.details =
	    "Every phone logs in with the user and password of its own, and gets nothing but its own files. Changes in the "
	    "fleet, the window of 'enroll open', the settings (but for url and realm) and the --base-dir show at the next "
	    "request. A line a request goes to stderr. SIGHUP opens the access log and reads the TLS certificate again. SIGTERM "
	    "and SIGINT end it after the requests under way.",
	.options = options,
	.run = serve_run,
};
