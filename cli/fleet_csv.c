/* SPDX-License-Identifier: ISC */
#include "cli/fleet_csv.h"

#include "common/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row under construction. */
struct reader {
	struct fleet *fleet;
	struct phone_draft draft;
};

static int
fleet_row_add(struct fleet *f, const struct phone_draft *draft, unsigned long line, struct err *e)
{
	if (f->row_count == f->row_size) {
		size_t size = f->row_size == 0 ? 64 : f->row_size * 2;
		struct fleet_row *rows = reallocarray(f->rows, size, sizeof(*rows));

		if (rows == NULL)
			return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", f->row_count);
		f->rows = rows;
		f->row_size = size;
	}
	f->rows[f->row_count++] = (struct fleet_row){ .draft = *draft, .line = line };
	return 0;
}

int
fleet_problem_add(struct fleet *f, unsigned long line, const char *text, struct err *e)
{
	struct fleet_problem *problem;

	if (f->problem_count == f->problem_size) {
		size_t size = f->problem_size == 0 ? 16 : f->problem_size * 2;
		struct fleet_problem *problems = reallocarray(f->problems, size, sizeof(*problems));

		if (problems == NULL)
			return err_set(e, ERR_FAILED, "%zu bad rows: no memory", f->problem_count);
		f->problems = problems;
		f->problem_size = size;
	}
	problem = &f->problems[f->problem_count++];
	problem->line = line;
	(void)snprintf(problem->text, sizeof(problem->text), "%s", text);
	return 0;
}

static int
take_field(void *arg, size_t column, const char *value, struct err *e)
{
	struct reader *r = arg;

	return phone_field_put(&r->draft, (enum phone_field)column, value, e);
}

static int
take_row(void *arg, unsigned long line, const struct err *bad, struct err *e)
{
	struct reader *r = arg;
	struct err mine = *bad;
	int rc;

	r->fleet->total++;
	if (mine.code == ERR_NONE)
		(void)phone_draft_finish(&r->draft, &mine);
	if (mine.code == ERR_NONE) {
		rc = fleet_row_add(r->fleet, &r->draft, line, e);
	} else {
		phone_draft_release(&r->draft);
		rc = fleet_problem_add(r->fleet, line, mine.text, e);
	}
	r->draft = (struct phone_draft)PHONE_DRAFT_INIT;
	return rc;
}

/* What must be a phone's own. */
struct key {
	const char *value, *mac;
	unsigned long line;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->value, y->value);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorted, the second and later ones of a kind stand behind the first. */
static int
find_doubles(struct fleet *f, enum phone_field field, struct err *e)
{
	struct key *keys;
	char text[160];
	size_t first = 0;
	int rc = 0;

	if (f->row_count == 0)
		return 0;
	keys = calloc(f->row_count, sizeof(*keys));
	if (keys == NULL)
		return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", f->row_count);
	for (size_t i = 0; i < f->row_count; i++) {
		const struct db_phone *p = &f->rows[i].draft.phone;

		keys[i] = (struct key){ field == FIELD_MAC ? p->mac : p->http_user, p->mac, f->rows[i].line };
	}
	qsort(keys, f->row_count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < f->row_count && rc == 0; i++) {
		if (strcmp(keys[first].value, keys[i].value) != 0) {
			first = i;
			continue;
		}
		/* The user is the MAC where none is given: said already. */
		if (field == FIELD_HTTP_USER && strcmp(keys[first].mac, keys[i].mac) == 0)
			continue;
		(void)snprintf(text, sizeof(text), "%s: %s stands in line %lu already", phone_field_name(field),
		    keys[i].value, keys[first].line);
		rc = fleet_problem_add(f, keys[i].line, text, e);
	}
	free(keys);
	return rc;
}

static int
compare_problems(const void *a, const void *b)
{
	const struct fleet_problem *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

void
fleet_problem_sort(struct fleet *f)
{
	if (f->problem_count > 0)
		qsort(f->problems, f->problem_count, sizeof(*f->problems), compare_problems);
}

int
fleet_parse(const void *data, size_t len, struct fleet *ret, struct err *e)
{
	struct reader r = { .fleet = ret, .draft = PHONE_DRAFT_INIT };
	const char *columns[FIELD_COUNT];
	const struct rows_format format = {
		.columns = columns,
		.count = FIELD_COUNT,
		.required = FIELD_MODEL + 1,
		.shown = "mac, model, firmware, extension, secret, label, group, http_user, http_password",
		.arg = &r,
		.field = take_field,
		.row = take_row,
	};
	int rc;

	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		columns[i] = phone_field_name((enum phone_field)i);
	rc = rows_read(&format, data, len, e);
	phone_draft_release(&r.draft);
	if (rc != 0 || find_doubles(ret, FIELD_MAC, e) != 0 || find_doubles(ret, FIELD_HTTP_USER, e) != 0)
		return -1;
	fleet_problem_sort(ret);
	return 0;
}

void
fleet_release(struct fleet *f)
{
	for (size_t i = 0; i < f->row_count; i++)
		phone_draft_release(&f->rows[i].draft);
	free(f->rows);
	free(f->problems);
	*f = (struct fleet)FLEET_INIT;
}
