/* SPDX-License-Identifier: ISC */
#include "cli/serve_source.h"

#include "cli/base_document.h"
#include "cli/render.h"
#include "cli/served_login.h"
#include "cli/served_profile.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/process.h"
#include "db/request.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSWORD_MAX 1024
#define REST_S 1

/* What an answer proves that was fetched whole: struct http_receipt's what. */
enum proof {
	PROOF_XML,
	PROOF_BUNDLE,
	PROOF_ENROLLED, /* the XML, by a phone that had no login yet */
};

/* A handle, and the settings as it saw them last. */
struct view {
	struct db *db;
	const struct serve_enroll *enroll;
	struct settings settings;
	int64_t version; /* of the state that settings are from */
	bool loaded;
	struct served_profiles profiles;
	struct served_logins *logins; /* all views' */

	/* While it is taken: the phone whose login was looked up. */
	struct db_phone phone; /* as db_phone_login() tells; "" for its MAC: none */
	struct buf password;
	struct http_receipt
	    receipt; /* what the document that was made proves; number 0: nothing that is not on record */

	bool used; /* since the last look at it */
};

struct serve_source {
	const struct serve_enroll *enroll;
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct view views[SERVE_SOURCE_HANDLES_MAX];
	struct view *idle[SERVE_SOURCE_HANDLES_MAX];
	unsigned int count, idle_count;
	struct served_logins *logins;
	pthread_t rest; /* the thread that lets go of what idle views keep */
	pthread_cond_t end;
	bool ending;
};

static void
view_give(void *arg, void *view)
{
	struct serve_source *s = arg;
	struct view *v = view;

	v->phone.mac[0] = '\0';
	v->receipt.number = 0;
	buf_clear(&v->password);
	db_read_end(v->db);
	(void)pthread_mutex_lock(&s->lock);
	v->used = true;
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
	struct view *v = view;

	buf_clear(&v->password);
	if (!served_login_get(v->logins, v->db, user, &v->phone, &v->password) &&
	    db_phone_login(v->db, user, &v->phone, &v->password, e) != 0) {
		v->phone.mac[0] = '\0';
		return -1;
	}
	memcpy(ret->mac, v->phone.mac, sizeof(ret->mac));
	buf_add(&ret->password, v->password.data, v->password.len);
	return 0;
}

/* A document of this generation is to be sent to the phone whose login this is. */
static void
note_proof(struct view *v, int64_t number, enum proof what)
{
	v->receipt = (struct http_receipt){ .phone = v->phone.id, .number = number, .what = what };
}

/* Who is served is nearly always who has logged in, and is offered a bundle: then all is known that is needed. */
static bool
is_known(const struct view *v, const char *mac)
{
	return v->phone.offered != 0 && strcmp(v->phone.mac, mac) == 0;
}

static int
source_config(void *view, const char *mac, struct buf *out, struct err *e)
{
	struct buf document = BUF_INIT(XML_MAX);
	const struct buf *base;
	struct view *v = view;
	struct db_phone p;
	char *path = NULL;
	int rc = -1;

	if (!is_known(v, mac) && db_phone_get(v->db, mac, &p, e) != 0)
		return -1;
	if (view_settings(v, e) != 0 || base_document(v->enroll->base_dir, mac, &document, &path, e) != 0)
		goto out;
	base = path != NULL ? &document : NULL;
	if (is_known(v, mac))
		rc = render_xml_login(v->db, &v->settings, &v->phone, &v->password, base, path, out, e);
	else
		rc = render_xml(v->db, &v->settings, &p, base, path, out, e);
	if (rc == 0 && is_known(v, mac) && (v->phone.rungs & 1U << DB_RUNG_OFFERED) == 0 &&
	    render_xml_offers(&v->phone))
		note_proof(v, v->phone.offered, PROOF_XML);
out:
	free(path);
	buf_release(&document);
	return rc;
}

/* Not the one that it is offered now: an older one, whose md5 is in the XML that it has read. */
static int
older_bundle(struct view *v, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	struct db_bundle b;
	int rc;

	if (db_bundle_get(v->db, mac, 0, md5, &b, e) != 0)
		return -1;
	rc = render_parts(v->db, &b, mac, out, NULL, e);
	if (rc == 0 && !b.fetched && strcmp(v->phone.mac, mac) == 0)
		note_proof(v, b.number, PROOF_BUNDLE);
	db_bundle_release(&b);
	return rc;
}

static int
source_bundle(void *view, const char *mac, const char *md5, struct buf *out, struct err *e)
{
	struct bundle_base *base;
	struct view *v = view;
	struct db_bundle b;
	unsigned char profile[DB_PROFILE_HASH_SIZE];
	int rc = -1;

	if (!is_known(v, mac) || strcmp(v->phone.offered_md5, md5) != 0)
		return older_bundle(v, mac, md5, out, e);
	if (db_bundle_offered(v->db, &v->phone, &b, profile, e) != 0)
		return -1;
	base = served_profile(&v->profiles, v->db, profile, e);
	if (base != NULL)
		rc = render_served(v->db, &b, mac, base, out, e);
	if (rc == 0 && (v->phone.rungs & 1U << DB_RUNG_FETCHED) == 0)
		note_proof(v, v->phone.offered, PROOF_BUNDLE);
	db_bundle_release(&b);
	return rc;
}

static void
source_login(void *view, const char *mac)
{
	const struct view *v = view;

	served_login_put(v->logins, v->db, &v->phone, &v->password);
	if (v->phone.login == 0)
		recorder_note_login(v->enroll->recorder, mac);
}

static bool
source_receipt(void *view, struct http_receipt *ret)
{
	const struct view *v = view;

	*ret = v->receipt;
	return v->receipt.number != 0;
}

static void
source_sent(void *arg, const struct http_receipt *r, const char *address)
{
	const struct serve_source *s = arg;

	const struct db_step step = {
		.phone = r->phone,
		.number = r->number,
		.rung = r->what == PROOF_BUNDLE ? DB_RUNG_FETCHED : DB_RUNG_OFFERED,
		.at = r->at,
	};

	recorder_note_rung(s->enroll->recorder, &step, address, r->what == PROOF_ENROLLED);
}

static int
source_enroll(void *view, const char *mac, const char *address, struct buf *out, struct err *e)
{
	struct view *v = view;
	struct db_phone p;

	if (serve_enroll(v->enroll, v->db, mac, address, &p, out, e) != 0)
		return -1;
	if (render_xml_offers(&p))
		v->receipt = (struct http_receipt){ .phone = p.id, .number = p.offered, .what = PROOF_ENROLLED };
	return 0;
}

/* A view that had nothing to do for REST_S would hold up the emptying of the database's WAL. */
static void *
rest(void *arg)
{
	struct serve_source *s = arg;
	struct timespec until;
	bool used;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += REST_S;
		(void)pthread_cond_timedwait(&s->end, &s->lock, &until);
		used = s->idle_count < s->count;
		for (unsigned int i = 0; i < s->idle_count; i++) {
			if (!s->idle[i]->used)
				db_read_idle(s->idle[i]->db);
			used = used || s->idle[i]->used;
			s->idle[i]->used = false;
		}
		if (!used)
			served_logins_forget(s->logins);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void
source_free(struct serve_source *s)
{
	for (unsigned int i = 0; i < s->count; i++) {
		served_profiles_release(&s->views[i].profiles);
		buf_release(&s->views[i].password);
		db_close(s->views[i].db);
	}
	served_logins_free(s->logins);
	(void)pthread_cond_destroy(&s->end);
	(void)pthread_cond_destroy(&s->free);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static int
rest_start(struct serve_source *s, struct err *e)
{
	int failed = pthread_create(&s->rest, NULL, rest, s);

	return failed == 0 ? 0 : err_errno(e, ERR_FAILED, failed, "state: no thread can be started to serve it");
}

static int
views_open(struct serve_source *s, const struct invocation *in, const struct serve_enroll *enroll, unsigned int handles,
    struct err *e)
{
	for (; s->count < handles && s->count < SERVE_SOURCE_HANDLES_MAX; s->count++) {
		struct view *v = &s->views[s->count];

		v->enroll = enroll;
		v->logins = s->logins;
		v->password = (struct buf)BUF_INIT(PASSWORD_MAX);
		v->db = state_open(in, e);
		if (v->db == NULL)
			return -1;
		db_read_keep(v->db);
		s->idle[s->idle_count++] = v;
	}
	return 0;
}

struct serve_source *
serve_source_open(const struct invocation *in, const struct serve_enroll *enroll, unsigned int handles, struct err *e)
{
	struct serve_source *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)err_set(e, ERR_FAILED, "state: no memory is left to serve it");
		return NULL;
	}
	s->enroll = enroll;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->free, NULL);
	process_cond_init(&s->end);
	s->logins = served_logins_new();
	if (s->logins == NULL) {
		(void)err_set(e, ERR_FAILED, "state: no memory is left to serve it");
		source_free(s);
		return NULL;
	}
	if (views_open(s, in, enroll, handles, e) != 0 || rest_start(s, e) != 0) {
		source_free(s);
		return NULL;
	}
	return s;
}

void
serve_source_close(struct serve_source *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->ending = true;
	(void)pthread_cond_signal(&s->end);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->rest, NULL);
	source_free(s);
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
		.receipt = source_receipt,
		.sent = source_sent,
	};
}
