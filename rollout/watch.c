/* SPDX-License-Identifier: ISC */
#include "rollout/watch.h"

#include "rollout/bar.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 256      /* sightings a transaction */
#define KEPT_MAX 16384 /* sightings in memory; more wait at the servers */
#define GATHER_MS 200  /* for a batch to fill */
#define RETRY_MS 1000  /* when another program writes */
#define LIST_MS 60000  /* between lists */
#define STEP_MS 100
#define AGAIN_MS 1000 /* when a server was busy */
#define GONE_MS 6000 /* a client that was told to end is not in the list any more: its end is not told (management.h) */

struct server {
	struct listener listener;
	bool sweep;           /* its list is whole, and not yet compared with what is on record */
	bool is_attached;     /* which was told */
	int64_t list_next;    /* when to ask for the list anew, for sessions that may settle then; or NEVER */
	int64_t list_after;   /* not before that */
	bool compare;         /* list anew, as more is barred */
	bool is_comparing;    /* which is under way */
	int64_t compare_next; /* when to, as a session is to have ended then; or NEVER */
};

#define NEVER INT64_MAX

struct watch {
	const struct watch_config *config;
	struct server *servers;
	struct db_sighting *kept;
	size_t kept_count;
	int64_t store_next;
	bool has_warned;
	struct bar bar;
	bool compare; /* all servers' clients once more, when nothing is kept any more */
	struct db_sighted sighted[BATCH];
};

static void
tell(const struct watch *w, struct watch_news news)
{
	w->config->tell(w->config->arg, &news);
}

/* ---- what the servers say ---- */

static void
keep(struct watch *w, const struct listener *l, enum db_sight what, const struct management_client *c)
{
	struct db_sighting *s = &w->kept[w->kept_count];

	if (w->kept_count == 0)
		w->store_next = listener_now() + GATHER_MS;
	*s = (struct db_sighting){
		.what = what,
		.server = l->path,
		.attachment = l->attachment,
		.client = c->id,
		.since = c->since,
		.at = time(NULL),
	};
	memcpy(s->name, c->name, sizeof(s->name));
	memcpy(s->address, c->address, sizeof(s->address));
	memcpy(s->serial, c->serial, sizeof(s->serial));
	memcpy(s->digest, c->digest, sizeof(s->digest));
	w->kept_count++;
}

/* A session that began then may settle. */
static void
settle_plan(const struct watch *w, struct server *s, time_t began)
{
	int64_t due = listener_now() + ((int64_t)began + (int64_t)w->config->soak - time(NULL)) * 1000;

	if (due < s->list_after)
		due = s->list_after;
	if (due < s->list_next)
		s->list_next = due;
}

static void
warn(struct watch *w, const struct err *e)
{
	if (!w->has_warned)
		tell(w, (struct watch_news){ .what = WATCH_STORE, .why = e->text });
	w->has_warned = true;
}

/* May it go on? */
static void
judge(struct watch *w, struct server *s, const struct management_client *c)
{
	struct err e = ERR_INIT;
	bool told, again;

	if (bar_judge(&w->bar, &s->listener, c, &told, &again, &e) != 0)
		warn(w, &e);
	if (told)
		tell(w, (struct watch_news){ .what = WATCH_BARRED, .server = s->listener.path, .client = c });
	if (again)
		s->compare_next = listener_now() + (told ? GONE_MS : AGAIN_MS);
}

static void
heard(void *arg, struct listener *l, enum listener_event event, const struct management_client *client)
{
	struct watch *w = arg;
	struct server *server = (struct server *)l; /* its first member */

	switch (event) {
	case LISTENER_BEGAN:
		judge(w, server, client);
		/* Without its certificate it is no more than a name, as in the list. */
		keep(w, l, client->has_certificate ? DB_SIGHT_BEGAN : DB_SIGHT_LISTED, client);
		settle_plan(w, server, client->since);
		break;
	case LISTENER_ENDED:
		keep(w, l, DB_SIGHT_ENDED, client);
		break;
	case LISTENER_SEEN:
		judge(w, server, client);
		keep(w, l, DB_SIGHT_LISTED, client);
		break;
	case LISTENER_LISTED:
		server->sweep = true;
		server->is_comparing = false;
		break;
	case LISTENER_KILLED:
	case LISTENER_NOT_KILLED:
		bar_answered(&w->bar, l, event == LISTENER_KILLED);
		break;
	case LISTENER_LOST:
		tell(w, (struct watch_news){ .what = WATCH_LOST, .server = l->path, .why = l->problem.text });
		break;
	case LISTENER_REFUSED:
		tell(w, (struct watch_news){ .what = WATCH_REFUSED, .server = l->path, .why = l->problem.text });
		break;
	}
	if (event == LISTENER_LOST || event == LISTENER_REFUSED) {
		server->sweep = server->is_attached = server->compare = server->is_comparing = false;
		bar_lost(&w->bar, l);
	}
}

/* ---- what is recorded ---- */

static int
store_kept(struct watch *w, struct db *db, struct err *e)
{
	while (w->kept_count > 0) {
		size_t count = w->kept_count < BATCH ? w->kept_count : BATCH;

		if (db_session_record(db, w->kept, count, w->sighted, e) != 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			if (w->sighted[i].outcome != DB_OUTCOME_NONE)
				tell(w, (struct watch_news){ .what = WATCH_SIGHTED,
					    .server = w->kept[i].server,
					    .sighting = &w->kept[i],
					    .sighted = &w->sighted[i] });
		}
		w->kept_count -= count;
		memmove(w->kept, &w->kept[count], w->kept_count * sizeof(*w->kept));
	}
	return 0;
}

/*
 * What the server has listed went on for certain when it was asked to, and maybe no longer: a server that is told to
 * restart forgets its clients without a word. Until somebody else had written, that may be a while ago.
 */
static int
server_settle(struct watch *w, struct db *db, struct server *s, struct err *e)
{
	const int64_t between = (int64_t)w->config->soak * 1000;
	const time_t asked = s->listener.asked;
	size_t settled;
	time_t next;

	if (db_session_settle(db, s->listener.path, asked - (time_t)w->config->soak, asked, &settled, &next, e) != 0)
		return -1;
	/* What another program records later may tell that a session is with a generation which has not settled. */
	s->list_next = listener_now() + (between > LIST_MS ? between : LIST_MS);
	s->list_after = listener_now() + (between < LIST_MS ? between : LIST_MS);
	if (next != 0)
		settle_plan(w, s, next);
	if (settled > 0)
		tell(w, (struct watch_news){ .what = WATCH_SETTLED, .server = s->listener.path, .count = settled });
	return 0;
}

static int
server_sweep(struct watch *w, struct db *db, struct server *s, struct err *e)
{
	size_t ended;

	if (!s->sweep)
		return 0;
	if (db_session_sweep(db, s->listener.path, s->listener.attachment, time(NULL), &ended, e) != 0 ||
	    server_settle(w, db, s, e) != 0)
		return -1;
	s->sweep = false;
	if (!s->is_attached)
		tell(w, (struct watch_news){ .what = WATCH_ATTACHED, .server = s->listener.path, .count = ended });
	s->is_attached = true;
	return 0;
}

/* What is barred was compared with the clients of all servers that are there, with all that is known of them. */
static bool
is_compared(const struct watch *w)
{
	if (!w->bar.is_new || w->compare)
		return false;
	for (size_t i = 0; i < w->config->count; i++) {
		if (w->servers[i].compare || w->servers[i].is_comparing)
			return false;
	}
	return true;
}

static int
compared_tell(struct watch *w, struct db *db, struct err *e)
{
	size_t attached = 0;

	if (!is_compared(w))
		return 0;
	for (size_t i = 0; i < w->config->count; i++)
		attached += w->servers[i].listener.is_listed ? 1 : 0;
	if (db_bar_compared(db, w->bar.count, attached, w->config->count, e) != 0)
		return -1;
	w->bar.is_new = false;
	return 0;
}

static int
store_all(struct watch *w, struct db *db, struct err *e)
{
	int rc = bar_store(&w->bar, db, e);

	if (rc == 0)
		rc = store_kept(w, db, e);
	if (rc == 0)
		rc = compared_tell(w, db, e);

	for (size_t i = 0; i < w->config->count && rc == 0; i++)
		rc = server_sweep(w, db, &w->servers[i], e);
	return rc;
}

static bool
store(struct watch *w)
{
	struct err e = ERR_INIT;
	struct db *db = db_open_writer(w->config->where, &e);
	int rc = db != NULL ? store_all(w, db, &e) : -1;

	db_close(db);
	w->store_next = listener_now() + (rc == 0 ? GATHER_MS : RETRY_MS);
	/* Another writer at work is no trouble; it will end. */
	if (rc != 0 && e.code != ERR_CONFLICT)
		warn(w, &e);
	if (rc == 0)
		w->has_warned = false;
	return rc == 0;
}

/* ---- the loop ---- */

static bool
sweep_is_due(const struct watch *w)
{
	for (size_t i = 0; i < w->config->count; i++) {
		if (w->servers[i].sweep)
			return true;
	}
	return false;
}

static bool
store_is_due(const struct watch *w)
{
	int64_t now = listener_now();

	if (now < w->store_next)
		return w->kept_count >= BATCH && w->kept_count < 2 * BATCH;
	return w->kept_count > 0 || sweep_is_due(w) || bar_is_due(&w->bar) || is_compared(w);
}

static void
server_tick(struct watch *w, struct server *s)
{
	listener_tick(&s->listener, heard, w);
	if (listener_now() >= s->compare_next) {
		s->compare = s->listener.is_up;
		s->compare_next = NEVER;
	}
	if (!s->listener.is_listed || (!s->compare && (s->sweep || listener_now() < s->list_next)))
		return;
	s->is_comparing = s->is_comparing || s->compare;
	/* The sweep is that of the list to come, as is the attachment's number. */
	s->compare = s->sweep = false;
	s->list_next = NEVER;
	listener_list(&s->listener);
}

/* More is barred: whose session goes on? What is kept, the list does not tell; so once more when that is on record. */
static void
bar_tick(struct watch *w)
{
	const bool was_kept = w->compare && w->kept_count == 0;
	struct err e = ERR_INIT;
	bool changed;

	if (bar_look(&w->bar, &changed, &e) != 0)
		warn(w, &e);
	if (!changed && !was_kept)
		return;
	w->compare = w->kept_count > 0;
	for (size_t i = 0; i < w->config->count; i++)
		w->servers[i].compare = w->servers[i].listener.is_up;
}

void
watch_step(struct watch *w)
{
	struct pollfd fds[WATCH_SERVERS_MAX];
	/* What one read may bring more. */
	const bool is_full = w->kept_count > KEPT_MAX / 2;

	bar_tick(w);
	for (size_t i = 0; i < w->config->count; i++) {
		server_tick(w, &w->servers[i]);
		fds[i] = (struct pollfd){ .fd = is_full ? -1 : w->servers[i].listener.fd, .events = POLLIN };
	}
	if (poll(fds, w->config->count, STEP_MS) > 0) {
		for (size_t i = 0; i < w->config->count; i++) {
			if (fds[i].revents != 0 && w->kept_count <= KEPT_MAX / 2)
				listener_read(&w->servers[i].listener, heard, w);
		}
	}
	if (store_is_due(w))
		(void)store(w);
}

bool
watch_close(struct watch *w)
{
	bool is_stored = true;

	if (w == NULL)
		return true;
	if (w->servers != NULL) {
		for (size_t i = 0; i < w->config->count; i++)
			listener_close(&w->servers[i].listener);
	}
	if (w->kept_count > 0)
		is_stored = store(w);
	bar_close(&w->bar);
	free(w->servers);
	free(w->kept);
	free(w);
	return is_stored;
}

struct watch *
watch_open(const struct watch_config *config, struct err *e)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w != NULL) {
		w->config = config;
		w->servers = calloc(config->count, sizeof(*w->servers));
		w->kept = calloc(KEPT_MAX, sizeof(*w->kept));
	}
	if (w == NULL || w->servers == NULL || w->kept == NULL) {
		err_set(e, ERR_FAILED, "watch: no memory");
		(void)watch_close(w);
		return NULL;
	}
	for (size_t i = 0; i < config->count; i++) {
		listener_init(&w->servers[i].listener, config->sockets[i]);
		w->servers[i].list_next = w->servers[i].compare_next = NEVER;
	}
	if (bar_open(&w->bar, config->where, e) != 0) {
		(void)watch_close(w);
		return NULL;
	}
	return w;
}
