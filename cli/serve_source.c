/* SPDX-License-Identifier: ISC */
#include "cli/serve_source.h"

#include "cli/base_document.h"
#include "cli/render.h"
#include "cli/state.h"
#include "common/text.h"

#include <pthread.h>
#include <stdlib.h>

struct serve_source {
	const char *base_dir;
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct db *handles[SERVE_SOURCE_HANDLES_MAX];
	unsigned int idle;
};

static struct db *
handle_take(struct serve_source *s)
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
handle_give(struct serve_source *s, struct db *db)
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
	struct serve_source *s = arg;
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

struct serve_source *
serve_source_open(const struct invocation *in, const char *base_dir, unsigned int handles, struct err *e)
{
	struct serve_source *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)err_set(e, ERR_FAILED, "state: no memory is left to serve it");
		return NULL;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->free, NULL);
	s->base_dir = base_dir;
	for (; s->idle < handles && s->idle < SERVE_SOURCE_HANDLES_MAX; s->idle++) {
		s->handles[s->idle] = state_open(in, e);
		if (s->handles[s->idle] == NULL) {
			serve_source_close(s);
			return NULL;
		}
	}
	return s;
}

void
serve_source_close(struct serve_source *s)
{
	if (s == NULL)
		return;
	while (s->idle > 0)
		db_close(s->handles[--s->idle]);
	(void)pthread_cond_destroy(&s->free);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

struct http_source
serve_source_http(struct serve_source *s)
{
	return (struct http_source){ s, source_credential, source_config, source_bundle };
}
