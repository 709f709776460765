/* SPDX-License-Identifier: ISC */
#include "cli/fleet_csv.h"

#include "common/rows.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "mac, model, firmware, extension, secret, label, group, http_user, http_password"

/* A row under construction. */
struct reader {
	struct fleet *fleet;
	struct phone_draft draft;
	char certificate[FLEET_CERTIFICATE_SIZE];
};

static int
fleet_row_add(const struct reader *r, unsigned long line, struct err *e)
{
	struct fleet *f = r->fleet;
	struct fleet_row *row;

	if (f->row_count == f->row_size) {
		size_t size = f->row_size == 0 ? 64 : f->row_size * 2;
		struct fleet_row *rows = reallocarray(f->rows, size, sizeof(*rows));

		if (rows == NULL)
			return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", f->row_count);
		f->rows = rows;
		f->row_size = size;
	}
	row = &f->rows[f->row_count++];
	*row = (struct fleet_row){ .draft = r->draft, .line = line };
	memcpy(row->certificate, r->certificate, sizeof(row->certificate));
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

	if (column == FIELD_COUNT && !text_is_clean(value, strlen(value)))
		return err_set(e, ERR_INPUT, FLEET_CERTIFICATE ": expected UTF-8 text without control characters");
	if (column == FIELD_COUNT)
		return text_copy(r->certificate, sizeof(r->certificate), value, FLEET_CERTIFICATE, e);
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
		rc = fleet_row_add(r, line, e);
	} else {
		phone_draft_release(&r->draft);
		rc = fleet_problem_add(r->fleet, line, mine.text, e);
	}
	r->draft = (struct phone_draft)PHONE_DRAFT_INIT;
	r->certificate[0] = '\0';
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

static const char *
column_name(unsigned int column)
{
	return column == FIELD_COUNT ? FLEET_CERTIFICATE : phone_field_name((enum phone_field)column);
}

static const char *
value_of(const struct fleet_row *row, unsigned int column)
{
	if (column == FIELD_COUNT)
		return row->certificate;
	return column == FIELD_MAC ? row->draft.phone.mac : row->draft.phone.http_user;
}

/* Sorted, the second and later ones of a kind stand behind the first. */
static int
find_doubles(struct fleet *f, unsigned int column, struct err *e)
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
		const struct fleet_row *row = &f->rows[i];

		keys[i] = (struct key){ value_of(row, column), row->draft.phone.mac, row->line };
	}
	qsort(keys, f->row_count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < f->row_count && rc == 0; i++) {
		if (strcmp(keys[first].value, keys[i].value) != 0) {
			first = i;
			continue;
		}
		/* The user is the MAC where none is given: said already. */
		if (keys[i].value[0] == '\0' ||
		    (column == FIELD_HTTP_USER && strcmp(keys[first].mac, keys[i].mac) == 0))
			continue;
		(void)snprintf(text, sizeof(text), "%s: %s stands in line %lu already", column_name(column),
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
	const char *columns[FIELD_COUNT + 1];
	const struct rows_format format = {
		.columns = columns,
		.count = FIELD_COUNT + (ret->certificates ? 1 : 0),
		.required = FIELD_MODEL + 1,
		.shown = ret->certificates ? COLUMNS ", " FLEET_CERTIFICATE : COLUMNS,
		.arg = &r,
		.field = take_field,
		.row = take_row,
	};
	int rc;

	for (unsigned int i = 0; i <= FIELD_COUNT; i++)
		columns[i] = column_name(i);
	rc = rows_read(&format, data, len, e);
	phone_draft_release(&r.draft);
	if (rc != 0 || find_doubles(ret, FIELD_MAC, e) != 0 || find_doubles(ret, FIELD_HTTP_USER, e) != 0 ||
	    find_doubles(ret, FIELD_COUNT, e) != 0)
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
