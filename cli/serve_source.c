/* SPDX-License-Identifier: ISC */
#include "cli/serve_source.h"

#include "cli/base_document.h"
#include "cli/render.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "db/request.h"

#include <pthread.h>
#include <stdlib.h>

/* A handle, and the settings as it saw them last. */
struct view {
	struct db *db;
	const struct serve_enroll *enroll;
	struct settings settings;
	int64_t version; /* of the state that settings are from */
	bool loaded;
};

struct serve_source {
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct view views[SERVE_SOURCE_HANDLES_MAX];
	struct view *idle[SERVE_SOURCE_HANDLES_MAX];
	unsigned int count, idle_count;
};

static void
view_give(void *arg, void *view)
{
	struct serve_source *s = arg;
	struct view *v = view;

	db_read_end(v->db);
	(void)pthread_mutex_lock(&s->lock);
	s->idle[s->idle_count++] = v;
	(void)pthread_cond_signal(&s->free);
	(void)pthread_mutex_unlock(&s->lock);
}

static void *
view_take(void *arg, struct err *e)
{
	struct serve_source *s = arg;
	struct view *v;

	(void)pthread_mutex_lock(&s->lock);
	while (s->idle_count == 0)
		(void)pthread_cond_wait(&s->free, &s->lock);
	v = s->idle[--s->idle_count];
	(void)pthread_mutex_unlock(&s->lock);
	if (db_read_begin(v->db, e) == 0)
		return v;
	(void)pthread_mutex_lock(&s->lock);
	s->idle[s->idle_count++] = v;
	(void)pthread_cond_signal(&s->free);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* One for each setting, they would cost more look-ups than all else of a document. */
static int
view_settings(struct view *v, struct err *e)
{
	int64_t version;

	if (db_data_version(v->db, &version, e) != 0)
		return -1;
	if (v->loaded && v->version == version)
		return 0;
	v->loaded = settings_load(v->db, &v->settings, e) == 0;
	v->version = version;
	return v->loaded ? 0 : -1;
}

static int
source_credential(void *view, const char *user, struct http_credential *ret, struct err *e)
{
	const struct view *v = view;

	return db_phone_login(v->db, user, ret->mac, &ret->password, e);
}

static int
source_config(void *view, const char *mac, struct buf *out, struct err *e)
{
	struct buf document = BUF_INIT(XML_MAX);
	struct view *v = view;
	struct db_phone p;
	char *path = NULL;
	int rc = -1;

	if (db_phone_get(v->db, mac, &p, e) == 0 && view_settings(v, e) == 0 &&
	    base_document(v->enroll->base_dir, p.mac, &document, &path, e) == 0)
		rc = render_xml(v->db, &v->settings, &p, path != NULL ? &document : NULL, path, out, e);
	free(path);
	buf_release(&document);
	return rc;
}

static int
source_bundle(void *view, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	const struct view *v = view;

	return render_bundle(v->db, mac, 0, md5, out, NULL, e);
}

static void
source_login(void *view, const char *mac)
{
	const struct view *v = view;
	bool seen = false;

	if (db_login_seen(v->db, mac, &seen, NULL) == 0 && !seen)
		login_recorder_note(v->enroll->recorder, mac);
}

static int
source_enroll(void *view, const char *mac, const char *address, struct buf *out, struct err *e)
{
	const struct view *v = view;

	return serve_enroll(v->enroll, v->db, mac, address, out, e);
}

struct serve_source *
serve_source_open(const struct invocation *in, const struct serve_enroll *enroll, unsigned int handles, struct err *e)
{
	struct serve_source *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)err_set(e, ERR_FAILED, "state: no memory is left to serve it");
		return NULL;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->free, NULL);
	for (; s->count < handles && s->count < SERVE_SOURCE_HANDLES_MAX; s->count++) {
		struct view *v = &s->views[s->count];

		v->enroll = enroll;
		v->db = state_open(in, e);
		if (v->db == NULL) {
			serve_source_close(s);
			return NULL;
		}
		s->idle[s->idle_count++] = v;
	}
	return s;
}

void
serve_source_close(struct serve_source *s)
{
	if (s == NULL)
		return;
	for (unsigned int i = 0; i < s->count; i++)
		db_close(s->views[i].db);
	(void)pthread_cond_destroy(&s->free);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

struct http_source
serve_source_http(struct serve_source *s)
{
	return (struct http_source){
		.arg = s,
		.view_take = view_take,
		.view_give = view_give,
		.credential = source_credential,
		.config = source_config,
		.bundle = source_bundle,
		.login = source_login,
		.enroll = source_enroll,
	};
}
