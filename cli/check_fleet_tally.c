/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finding that many phones share. */
struct shared {
	const struct finding_rule *rule;
	char *file, *element, *text; /* the first two may be NULL */
	unsigned int line;
	char first[DB_MAC_SIZE];
	size_t count;
};

struct extension {
	char extension[41];
	char mac[DB_MAC_SIZE];
};

struct fleet_tally {
	void *shared, *kinds; /* trees of tsearch(3) */
	size_t kind_count, offered;
	struct fleet_kind *kind_list; /* of the tree's, once they are asked for */
	struct extension *extensions;
	size_t extension_count, extension_size;
};

static int
compare_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int
shared_compare(const void *a, const void *b)
{
	const struct shared *x = a, *y = b;
	int order;

	if (x->rule != y->rule)
		return strcmp(x->rule->id, y->rule->id);
	order = compare_text(x->file, y->file);
	if (order == 0)
		order = compare_text(x->element, y->element);
	return order != 0 ? order : strcmp(x->text, y->text);
}

static int
kind_compare(const void *a, const void *b)
{
	const struct fleet_kind *x = a, *y = b;
	int order = strcmp(x->profile, y->profile);

	if (order == 0)
		order = strcmp(x->model, y->model);
	return order != 0 ? order : strcmp(x->firmware, y->firmware);
}

static void
shared_free(void *node)
{
	struct shared *s = node;

	free(s->file);
	free(s->element);
	free(s->text);
	free(s);
}

struct fleet_tally *
fleet_tally_new(struct err *e)
{
	struct fleet_tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		err_set(e, ERR_FAILED, "check: no memory");
	return t;
}

void
fleet_tally_free(struct fleet_tally *t)
{
	if (t == NULL)
		return;
	tdestroy(t->shared, shared_free);
	tdestroy(t->kinds, free);
	free(t->kind_list);
	free(t->extensions);
	free(t);
}

static struct shared *
shared_new(const struct finding *f, const char *mac)
{
	struct shared *new = calloc(1, sizeof(*new));

	if (new == NULL)
		return NULL;
	*new = (struct shared){
		.rule = f->rule,
		.file = f->file != NULL ? strdup(f->file) : NULL,
		.element = f->element != NULL ? strdup(f->element) : NULL,
		.text = strdup(f->text),
		.line = f->line,
		.count = 1,
	};
	memcpy(new->first, mac, sizeof(new->first));
	if ((f->file == NULL || new->file != NULL) && (f->element == NULL || new->element != NULL) && new->text != NULL)
		return new;
	shared_free(new);
	return NULL;
}

static bool
shared_add(struct fleet_tally *t, const struct finding *f, const char *mac)
{
	const struct shared key = { .rule = f->rule, .file = f->file, .element = f->element, .text = f->text };
	struct shared **at = tfind(&key, &t->shared, shared_compare), *new;

	if (at != NULL) {
		(*at)->count++;
		return true;
	}
	new = shared_new(f, mac);
	if (new != NULL && tsearch(new, &t->shared, shared_compare) != NULL)
		return true;
	if (new != NULL)
		shared_free(new);
	return false;
}

static bool
kind_add(struct fleet_tally *t, const struct db_phone *p, const char *profile)
{
	struct fleet_kind *new = calloc(1, sizeof(*new)), **at;

	if (new == NULL)
		return false;
	(void)snprintf(new->profile, sizeof(new->profile), "%s", profile);
	memcpy(new->model, p->model, sizeof(new->model));
	memcpy(new->firmware, p->firmware, sizeof(new->firmware));
	at = tsearch(new, &t->kinds, kind_compare);
	if (at == NULL || *at != new)
		free(new);
	if (at == NULL)
		return false;
	t->offered++;
	if ((*at)->count++ == 0) {
		memcpy((*at)->first, p->mac, sizeof((*at)->first));
		(*at)->first_number = p->offered;
		t->kind_count++;
	}
	return true;
}

static bool
extension_add(struct fleet_tally *t, const struct db_phone *p)
{
	struct extension *new;

	if (t->extension_count == t->extension_size) {
		size_t size = t->extension_size == 0 ? 64 : t->extension_size * 2;
		struct extension *list = reallocarray(t->extensions, size, sizeof(*list));

		if (list == NULL)
			return false;
		t->extensions = list;
		t->extension_size = size;
	}
	new = &t->extensions[t->extension_count++];
	memcpy(new->extension, p->extension, sizeof(new->extension));
	memcpy(new->mac, p->mac, sizeof(new->mac));
	return true;
}

static int
no_memory(const struct db_phone *p, struct err *e)
{
	return err_set(e, ERR_FAILED, "check of %s: no memory", p->mac);
}

int
fleet_tally_share(struct fleet_tally *t, const struct fleet_job *job, struct err *e)
{
	bool good = findings_check(&job->shared, NULL) == 0;

	for (size_t i = 0; i < job->shared.count && good; i++)
		good = shared_add(t, &job->shared.list[i], job->phone.mac);
	return good ? 0 : no_memory(&job->phone, e);
}

int
fleet_tally_profile(struct fleet_tally *t, const struct db_phone *p, const char *profile, struct err *e)
{
	return kind_add(t, p, profile) ? 0 : no_memory(p, e);
}

int
fleet_tally_extension(struct fleet_tally *t, const struct db_phone *p, struct err *e)
{
	return p->extension[0] == '\0' || extension_add(t, p) ? 0 : no_memory(p, e);
}

void
fleet_phones_name(const char *first, size_t count, char out[FLEET_ELEMENT_SIZE])
{
	(void)snprintf(out, FLEET_ELEMENT_SIZE, count == 1 ? "phone %s" : "phone %s and %zu more", first, count - 1);
}

static void
shared_report(const void *node, VISIT visit, void *arg)
{
	const struct shared *s = *(struct shared *const *)node;
	struct findings *out = arg;
	char element[2 * FLEET_ELEMENT_SIZE], phones[FLEET_ELEMENT_SIZE];
	struct finding_place place = { .file = s->file, .line = s->line, .element = element };

	if (visit != postorder && visit != leaf)
		return;
	fleet_phones_name(s->first, s->count, phones);
	(void)snprintf(element, sizeof(element), "%s%s%s", s->element != NULL ? s->element : "",
	    s->element != NULL ? " of " : "", phones);
	findings_add(out, s->rule, &place, "%s", s->text);
}

static int
extension_compare(const void *a, const void *b)
{
	const struct extension *x = a, *y = b;
	int order = strcmp(x->extension, y->extension);

	return order != 0 ? order : strcmp(x->mac, y->mac);
}

static void
extensions_report(struct fleet_tally *t, struct findings *out)
{
	const struct extension *list = t->extensions;

	if (t->extension_count > 0)
		qsort(t->extensions, t->extension_count, sizeof(*t->extensions), extension_compare);
	for (size_t i = 1; i < t->extension_count; i++) {
		char element[FLEET_ELEMENT_SIZE];
		struct finding_place place = { .element = element };

		if (strcmp(list[i].extension, list[i - 1].extension) != 0)
			continue;
		(void)snprintf(element, sizeof(element), "phone %s", list[i].mac);
		FLEET_FOUND(out, FLEET_EXTENSION_TWICE, &place,
		    "expected an extension of its own, found %s, which is that of %s, too", list[i].extension,
		    list[i - 1].mac);
	}
}

void
fleet_tally_report(struct fleet_tally *t, struct findings *out)
{
	twalk_r(t->shared, shared_report, out);
	extensions_report(t, out);
}

size_t
fleet_tally_offered(const struct fleet_tally *t)
{
	return t->offered;
}

struct kinds_walk {
	struct fleet_kind *list;
	size_t count;
};

static void
kind_list(const void *node, VISIT visit, void *arg)
{
	struct kinds_walk *walk = arg;

	if (visit == postorder || visit == leaf)
		walk->list[walk->count++] = **(struct fleet_kind *const *)node;
}

int
fleet_tally_kinds(struct fleet_tally *t, const struct fleet_kind **ret, size_t *ret_count, struct err *e)
{
	struct kinds_walk walk = { .list = calloc(t->kind_count + 1, sizeof(*walk.list)) };

	if (walk.list == NULL)
		return err_set(e, ERR_FAILED, "check of %zu profiles: no memory", t->kind_count);
	twalk_r(t->kinds, kind_list, &walk);
	free(t->kind_list);
	t->kind_list = walk.list;
	*ret = walk.list;
	*ret_count = walk.count;
	return 0;
}
