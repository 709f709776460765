/* SPDX-License-Identifier: ISC */
#include "phone/fleet_list.h"

#include "phone/fetch.h"
#include "phone/fleet_login.h"
#include "phone/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0 stands for no text. */
static uint32_t
text_add(struct buf *b, const char *text)
{
	size_t at;

	if (text[0] == '\0')
		return 0;
	if (b->len == 0)
		buf_add(b, "", 1);
	at = b->len;
	buf_add(b, text, strlen(text) + 1);
	return (uint32_t)at;
}

const char *
fleet_text(const struct fleet_list *l, uint32_t at)
{
	return at == 0 ? "" : (const char *)l->text.data + at;
}

int
fleet_list_add(struct fleet_list *l, const struct fleet_phone *p, const char *url, const char *login, struct err *e)
{
	struct fleet_phone *to;

	if (l->count == l->size) {
		size_t size = l->size == 0 ? 64 : l->size * 2;
		struct fleet_phone *phones = reallocarray(l->phones, size, sizeof(*phones));

		if (phones == NULL)
			return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", l->count);
		l->phones = phones;
		l->size = size;
	}
	to = &l->phones[l->count];
	*to = *p;
	to->url = text_add(&l->text, url);
	to->login = text_add(&l->text, login);
	l->count++;
	return buf_check(&l->text, "URLs of the fleet", e);
}

int
fleet_list_problem(struct fleet_list *l, unsigned long line, const char *text, struct err *e)
{
	l->problem_total++;
	if (l->problem_count == FLEET_PROBLEMS_MAX)
		return 0;
	if (l->problems == NULL)
		l->problems = calloc(FLEET_PROBLEMS_MAX, sizeof(*l->problems));
	if (l->problems == NULL)
		return err_set(e, ERR_FAILED, "bad rows: no memory");
	l->problems[l->problem_count].line = line;
	(void)snprintf(l->problems[l->problem_count].text, sizeof(l->problems[0].text), "%s", text);
	l->problem_count++;
	return 0;
}

static int
compare_macs(const void *a, const void *b)
{
	const struct fleet_phone *x = *(struct fleet_phone *const *)a, *y = *(struct fleet_phone *const *)b;
	int order = strcmp(x->mac, y->mac);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static int
compare_problems(const void *a, const void *b)
{
	const struct fleet_problem *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* Sorted, the second and later ones of a MAC stand behind the first. */
static int
find_doubles(struct fleet_list *l, struct err *e)
{
	const struct fleet_phone **sorted = calloc(l->count, sizeof(const struct fleet_phone *));
	const struct fleet_phone *first = NULL;
	char text[100];
	int rc = 0;

	if (sorted == NULL)
		return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", l->count);
	for (size_t i = 0; i < l->count; i++)
		sorted[i] = &l->phones[i];
	qsort(sorted, l->count, sizeof(const struct fleet_phone *), compare_macs);
	for (size_t i = 0; i < l->count && rc == 0; i++) {
		if (first == NULL || strcmp(first->mac, sorted[i]->mac) != 0) {
			first = sorted[i];
			continue;
		}
		(void)snprintf(text, sizeof(text), "mac: %s stands in line %lu already", first->mac,
		    (unsigned long)first->line);
		rc = fleet_list_problem(l, sorted[i]->line, text, e);
	}
	free(sorted);
	return rc;
}

int
fleet_list_finish(struct fleet_list *l, struct err *e)
{
	if (l->count > 0 && find_doubles(l, e) != 0)
		return -1;
	if (l->problem_count > 0)
		qsort(l->problems, l->problem_count, sizeof(*l->problems), compare_problems);
	return 0;
}

int
fleet_url(const struct fleet_list *l, const struct fleet_phone *p, const char *base, struct buf *out, struct err *e)
{
	const char *url = p->url != 0 ? fleet_text(l, p->url) : base;

	if (url[0] == '\0')
		return err_set(e, ERR_INPUT, "%s: expected --config-url or a config_url of its own, found none",
		    p->mac);
	if (fleet_login_put(url, fleet_text(l, p->login), out) != 0)
		return err_set(e, ERR_INPUT, "%s: expected one login, found one in the URL and one of its own", p->mac);
	return buf_check(out, "URL", e) == 0 ? 0 : err_prefix(e, "%s", p->mac);
}

int
fleet_url_check(const struct fleet_list *l, const struct fleet_phone *p, const char *base, struct buf *out,
    struct err *e)
{
	struct buf full = BUF_INIT(SETTINGS_URL_SIZE + sizeof("/.cfg") + MAC_SIZE);
	int rc = fleet_url(l, p, base, out, e);

	if (rc == 0 && fetch_config_url(buf_string(out), p->mac, &full, e) != 0)
		rc = err_prefix(e, "%s", p->mac);
	buf_release(&full);
	return rc;
}

void
fleet_list_release(struct fleet_list *l)
{
	free(l->phones);
	free(l->problems);
	buf_release(&l->text);
	*l = (struct fleet_list)FLEET_LIST_INIT;
}
