/* SPDX-License-Identifier: ISC */
#include "rollout/bar.h"

#include "db/request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 200
#define ANSWER_MS 10000 /* a client that is told to end has gone by then, or is told again */

void
bar_close(struct bar *b)
{
	db_close(b->db);
	free(b->all);
	*b = (struct bar){ .db = NULL };
}

static int
load(struct bar *b, bool *ret_changed, struct err *e)
{
	struct db_barred *all;
	size_t count;

	if (db_barred_all(b->db, time(NULL), &all, &count, e) != 0)
		return -1;
	*ret_changed = false;
	/* They only grow, until they end. */
	for (size_t i = 0, j = 0; i < count && !*ret_changed; i++) {
		while (j < b->count && memcmp(b->all[j].serial, all[i].serial, DB_SERIAL_SIZE) < 0)
			j++;
		*ret_changed = j == b->count || memcmp(b->all[j].serial, all[i].serial, DB_SERIAL_SIZE) != 0 ||
		               b->all[j].since != all[i].since;
	}
	free(b->all);
	b->all = all;
	b->count = count;
	return 0;
}

int
bar_open(struct bar *b, const struct db_location *where, struct err *e)
{
	bool changed;

	*b = (struct bar){ .db = db_open(where, e) };
	/* What was barred until now is compared with each server's first list. */
	return b->db != NULL && db_data_version(b->db, &b->version, e) == 0 ? load(b, &changed, e) : -1;
}

int
bar_look(struct bar *b, bool *ret_changed, struct err *e)
{
	int64_t version;

	*ret_changed = false;
	if (listener_now() < b->next_look)
		return 0;
	b->next_look = listener_now() + LOOK_MS;
	if (db_data_version(b->db, &version, e) != 0)
		return -1;
	if (version == b->version)
		return 0;
	if (load(b, ret_changed, e) != 0)
		return -1;
	b->version = version;
	b->is_new = b->is_new || *ret_changed;
	return 0;
}

/* Of another CA's certificate with that serial the digest is another one. */
static bool
is_barred(const struct bar *b, const struct management_client *c)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct db_barred *d = &b->all[i];

		if (memcmp(d->serial, c->serial, DB_SERIAL_SIZE) == 0 &&
		    (d->has_digest ? memcmp(d->digest, c->digest, DB_DIGEST_SIZE) == 0 : strcmp(d->name, c->name) == 0))
			return true;
	}
	return false;
}

static bool
name_is_barred(const struct bar *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++) {
		if (strcmp(b->all[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
may_not(struct bar *b, const struct listener *l, const struct management_client *c, bool *ret, struct err *e)
{
	*ret = false;
	if (c->has_certificate) {
		*ret = is_barred(b, c);
		return true;
	}
	return !name_is_barred(b, c->name) || db_barred_session(b->db, c->name, l->path, c->id, c->since, ret, e) == 0;
}

/* A second question would, in some versions of OpenVPN, put the end off. */
static bool
is_ending(const struct bar *b, const struct listener *l, const struct management_client *c)
{
	for (size_t i = 0; i < b->ending_count; i++) {
		const struct bar_ending *g = &b->endings[i];

		if (g->listener == l && g->end.client == c->id && g->end.since == c->since)
			return true;
	}
	return false;
}

static void
forget(struct bar *b, size_t i)
{
	b->ending_count--;
	memmove(&b->endings[i], &b->endings[i + 1], (b->ending_count - i) * sizeof(*b->endings));
}

static void
forget_old(struct bar *b)
{
	for (size_t i = b->ending_count; i-- > 0;) {
		if (b->endings[i].is_recorded && listener_now() >= b->endings[i].asked + ANSWER_MS)
			forget(b, i);
	}
}

int
bar_judge(struct bar *b, struct listener *l, const struct management_client *c, bool *ret_told, bool *ret_again,
    struct err *e)
{
	struct bar_ending *g;
	bool ends;

	*ret_told = *ret_again = false;
	if (b->count == 0)
		return 0;
	if (!may_not(b, l, c, &ends, e)) {
		*ret_again = true;
		return -1;
	}
	forget_old(b);
	if (!ends || is_ending(b, l, c))
		return 0;
	*ret_again = true;
	if (b->ending_count == BAR_ENDINGS_MAX || !listener_kill(l, c->id))
		return 0;
	*ret_told = true;
	g = &b->endings[b->ending_count++];
	*g = (struct bar_ending){ .listener = l, .asked = listener_now() };
	g->end = (struct db_bar_end){ .server = l->path, .client = c->id, .since = c->since };
	memcpy(g->end.name, c->name, sizeof(g->end.name));
	return 0;
}

void
bar_answered(struct bar *b, const struct listener *l, bool done)
{
	for (size_t i = 0; i < b->ending_count; i++) {
		if (b->endings[i].listener != l || b->endings[i].is_answered)
			continue;
		b->endings[i].is_answered = true;
		/* It is gone already. */
		if (!done)
			forget(b, i);
		return;
	}
}

void
bar_lost(struct bar *b, const struct listener *l)
{
	for (size_t i = b->ending_count; i-- > 0;) {
		if (b->endings[i].listener == l && !b->endings[i].is_answered)
			forget(b, i);
	}
}

bool
bar_is_due(const struct bar *b)
{
	for (size_t i = 0; i < b->ending_count; i++) {
		if (b->endings[i].is_answered && !b->endings[i].is_recorded)
			return true;
	}
	return false;
}

int
bar_store(struct bar *b, struct db *db, struct err *e)
{
	struct db_bar_end ends[BAR_ENDINGS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < b->ending_count; i++) {
		if (b->endings[i].is_answered && !b->endings[i].is_recorded)
			ends[count++] = b->endings[i].end;
	}
	if (count == 0)
		return 0;
	if (db_bar_end(db, ends, count, e) != 0)
		return -1;
	for (size_t i = 0; i < b->ending_count; i++)
		b->endings[i].is_recorded = b->endings[i].is_answered;
	return 0;
}
