/* SPDX-License-Identifier: ISC */
#include "cli/base_document.h"
#include "cli/commands.h"
#include "cli/keypool_filler.h"
#include "cli/render.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"
#include "provisioner/http.h"
#include "provisioner/url.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_LISTEN,
	OPT_AUTH,
	OPT_SHA256,
	OPT_BASE_DIR,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_THREADS,
};

#define LISTEN_DEFAULT "0.0.0.0:8080"
#define HANDLES_MAX 64

static const struct option_def options[] = {
	[OPT_LISTEN] = { "listen", "ADDR:PORT", "where to listen (" LISTEN_DEFAULT "); port 0: the kernel picks one" },
	[OPT_AUTH] = { "auth", "METHOD", "digest, basic or none (digest)" },
	[OPT_SHA256] = { "sha256", NULL, "offer Digest with SHA-256 beside MD5" },
	[OPT_BASE_DIR] = { "base-dir", "DIR", "the admin's own <mac>.cfg files, to put the settings into" },
	[OPT_TLS_CERT] = { "tls-cert", "FILE", "serve HTTPS with this PEM certificate and chain" },
	[OPT_TLS_KEY] = { "tls-key", "FILE", "its PEM key" },
	[OPT_THREADS] = { "threads", "N", "threads that answer requests (one a processor)" },
	OPTION_END,
};

/* The database as the HTTP server's source: one handle for each request under way. */
struct service {
	const char *base_dir;
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct db *handles[HANDLES_MAX];
	unsigned int idle;
};

static struct db *
handle_take(struct service *s)
{
	struct db *db;

	(void)pthread_mutex_lock(&s->lock);
	while (s->idle == 0)
		(void)pthread_cond_wait(&s->free, &s->lock);
	db = s->handles[--s->idle];
	(void)pthread_mutex_unlock(&s->lock);
	return db;
}

static void
handle_give(struct service *s, struct db *db)
{
	(void)pthread_mutex_lock(&s->lock);
	s->handles[s->idle++] = db;
	(void)pthread_cond_signal(&s->free);
	(void)pthread_mutex_unlock(&s->lock);
}

static int
source_credential(void *arg, const char *user, struct http_credential *ret, struct err *e)
{
	struct db *db = handle_take(arg);
	struct db_phone p;
	int rc = -1;

	if (db_phone_get_by_user(db, user, &p, e) == 0 && db_phone_http_password(db, p.id, &ret->password, e) == 0)
		rc = text_copy(ret->mac, sizeof(ret->mac), p.mac, "mac", e);
	handle_give(arg, db);
	return rc;
}

static int
source_config(void *arg, const char *mac, struct buf *out, struct err *e)
{
	struct service *s = arg;
	struct buf document = BUF_INIT(XML_MAX);
	struct db *db = handle_take(s);
	struct settings settings;
	struct db_phone p;
	char *path = NULL;
	int rc = -1;

	if (db_phone_get(db, mac, &p, e) == 0 && settings_load(db, &settings, e) == 0 &&
	    base_document(s->base_dir, p.mac, &document, &path, e) == 0)
		rc = render_xml(db, &settings, &p, path != NULL ? &document : NULL, path, out, e);
	free(path);
	buf_release(&document);
	handle_give(s, db);
	return rc;
}

static int
source_bundle(void *arg, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	struct db *db = handle_take(arg);
	int rc = render_bundle(db, mac, 0, md5, out, NULL, e);

	handle_give(arg, db);
	return rc;
}

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
	unsigned long threads = process_cpus();

	if (in->option[OPT_AUTH] != NULL && auth_parse(in->option[OPT_AUTH], &c->auth, e) != 0)
		return -1;
	if (command_number(in->option[OPT_THREADS], 1, HANDLES_MAX, "threads", &threads, e) != 0)
		return -1;
	if ((in->option[OPT_TLS_CERT] == NULL) != (in->option[OPT_TLS_KEY] == NULL))
		return err_set(e, ERR_USAGE, "serve: expected --tls-cert and --tls-key together, found only one");
	c->listen = in->option[OPT_LISTEN] != NULL ? in->option[OPT_LISTEN] : LISTEN_DEFAULT;
	if (listen_check(c->listen, e) != 0)
		return err_usage(e);
	c->sha256 = in->option[OPT_SHA256] != NULL;
	c->threads = threads < HANDLES_MAX ? (unsigned int)threads : HANDLES_MAX;
	return 0;
}

static int
service_open(const struct invocation *in, struct service *s, unsigned int handles, struct err *e)
{
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->free, NULL);
	for (; s->idle < handles; s->idle++) {
		s->handles[s->idle] = state_open(in, e);
		if (s->handles[s->idle] == NULL)
			return -1;
	}
	return 0;
}

static void
service_close(struct service *s)
{
	while (s->idle > 0)
		db_close(s->handles[--s->idle]);
	(void)pthread_cond_destroy(&s->free);
	(void)pthread_mutex_destroy(&s->lock);
}

/* Serve until a signal asks for the end. */
static int
serve(const struct invocation *in, const struct http_config *config, struct err *e)
{
	char actor[STATE_ACTOR_SIZE];
	struct keypool_filler *filler;
	struct db_location where;
	struct http_server *server = http_start(config, e);
	int rc = 0;

	if (server == NULL)
		return -1;
	if (config->auth != HTTP_AUTH_DIGEST && config->tls_cert == NULL)
		log_warn("--auth %s over plain HTTP: who can listen on the way reads the phones' keys%s",
		    config->auth == HTTP_AUTH_NONE ? "none" : "basic",
		    config->auth == HTTP_AUTH_BASIC ? " and passwords" : "");
	if (in->json)
		rc = command_print_json(json_pack("{s:s}", "listening", http_url(server)), e);
	else
		(void)printf("listening on %s\n", http_url(server));
	(void)fflush(stdout);
	state_location(in, actor, &where);
	filler = keypool_filler_start(&where, e);
	if (filler == NULL)
		rc = -1;
	while (rc == 0 && process_stop_wait() == SIGHUP)
		log_info("hang-up: nothing to read again, documents are read at every request");
	http_stop(server);
	if (!keypool_filler_stop(filler)) {
		/* All requests are answered, and the state may be left at any moment. */
		(void)fflush(NULL);
		_exit(rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	return rc;
}

static int
serve_run(const struct invocation *in, struct err *e)
{
	struct service service = { .base_dir = in->option[OPT_BASE_DIR] };
	struct http_config config = {
		.source = { &service, source_credential, source_config, source_bundle },
	};
	struct buf cert = BUF_INIT(1 << 20), key = BUF_INIT(DB_DER_MAX), path = BUF_INIT(4096);
	struct settings s;
	int rc = -1;

	if (options_parse(in, &config, e) != 0)
		return -1;
	if (service.base_dir != NULL && file_check_dir(service.base_dir, e) != 0)
		return err_prefix(e, "base-dir");
	process_stop_block();
	process_raise_files();
	if (service_open(in, &service, config.threads, e) != 0 || settings_load(service.handles[0], &s, e) != 0 ||
	    db_nonce_key_get(service.handles[0], config.digest.key, e) != 0 ||
	    url_base_path(s.value[SET_URL], &path, e) != 0)
		goto out;
	if (in->option[OPT_TLS_CERT] != NULL) {
		if (file_read(in->option[OPT_TLS_CERT], &cert, e) != 0 ||
		    file_read(in->option[OPT_TLS_KEY], &key, e) != 0)
			goto out;
		config.tls_cert = buf_string(&cert);
		config.tls_key = buf_string(&key);
	}
	config.base_path = buf_string(&path);
	config.digest.realm = s.value[SET_REALM];
	rc = serve(in, &config, e);
out:
	OPENSSL_cleanse(config.digest.key, sizeof(config.digest.key));
	buf_release(&cert);
	buf_release(&key);
	buf_release(&path);
	service_close(&service);
	return rc;
}

const struct command command_serve = {
	.name = "serve",
	.summary = "Serve XML and bundles to the phones over HTTP or HTTPS",
	.details =
	    "Every phone logs in with the user and password of its own, and gets nothing but its own files. Changes in the "
	    "fleet, the settings (but for url and realm) and the --base-dir show at the next request. A line a request goes to "
	    "stderr. SIGTERM and SIGINT end it after the requests under way.",
	.options = options,
	.run = serve_run,
};
