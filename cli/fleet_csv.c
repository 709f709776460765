/* SPDX-License-Identifier: ISC */
#include "cli/fleet_csv.h"

#include "common/text.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32
#define BOM "\xef\xbb\xbf"
#define PARSER_OPTIONS (CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL)

/* What libcsv's callbacks know. The first failure of the whole file stays in e. */
struct reader {
	struct fleet *fleet;
	struct err *e;
	bool failed;
	bool header_done;
	bool row_ended;         /* in the physical line that is being fed */
	unsigned long row_line; /* where the row began */
	enum phone_field columns[COLUMNS_MAX];
	size_t column_count;
	size_t at; /* column of the next field */
	struct phone_draft draft;
	struct err bad; /* the row's first problem */
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

static void
header_field(struct reader *r, const char *name)
{
	char shown[64];

	if (r->at >= COLUMNS_MAX) {
		r->failed = true;
		err_set(r->e, ERR_INPUT, "line %lu: expected at most %d columns, found more", r->row_line, COLUMNS_MAX);
		return;
	}
	for (unsigned int i = 0; i < FIELD_COUNT; i++) {
		if (strcasecmp(name, phone_field_name((enum phone_field)i)) != 0)
			continue;
		for (size_t n = 0; n < r->at; n++) {
			if (r->columns[n] == (enum phone_field)i) {
				r->failed = true;
				err_set(r->e, ERR_INPUT, "line %lu: column %s: expected once, found twice", r->row_line,
				    name);
				return;
			}
		}
		r->columns[r->at] = (enum phone_field)i;
		return;
	}
	r->failed = true;
	err_set(r->e, ERR_INPUT,
	    "line %lu: expected a row of column names (mac, model, firmware, extension, secret, label, group, http_user, "
	    "http_password), found \"%s\"",
	    r->row_line, text_printable(name, shown, sizeof(shown)));
}

static void
on_field(void *data, size_t len, void *arg)
{
	struct reader *r = arg;
	const char *value = data == NULL ? "" : data;

	if (r->failed)
		return;
	if (strlen(value) != len && !r->header_done) {
		r->failed = true;
		err_set(r->e, ERR_INPUT, "line %lu: expected a row of column names, found a NUL byte", r->row_line);
	} else if (strlen(value) != len) {
		if (r->bad.code == ERR_NONE)
			err_set(&r->bad, ERR_INPUT, "expected text, found a NUL byte");
	} else if (!r->header_done) {
		header_field(r, value);
	} else if (r->at < r->column_count && r->bad.code == ERR_NONE) {
		(void)phone_field_put(&r->draft, r->columns[r->at], value, &r->bad);
	}
	r->at++;
}

static void
header_end(struct reader *r)
{
	bool mac = false, model = false;

	for (size_t i = 0; i < r->at; i++) {
		mac = mac || r->columns[i] == FIELD_MAC;
		model = model || r->columns[i] == FIELD_MODEL;
	}
	r->header_done = true;
	r->column_count = r->at;
	if (!mac || !model) {
		r->failed = true;
		err_set(r->e, ERR_INPUT, "line %lu: expected the columns mac and model, found no %s", r->row_line,
		    mac ? "model" : "mac");
	}
}

static void
row_end(struct reader *r)
{
	int rc;

	r->fleet->total++;
	if (r->bad.code == ERR_NONE && r->at != r->column_count)
		err_set(&r->bad, ERR_INPUT, "expected %zu fields, found %zu", r->column_count, r->at);
	if (r->bad.code == ERR_NONE)
		(void)phone_draft_finish(&r->draft, &r->bad);
	if (r->bad.code == ERR_NONE) {
		rc = fleet_row_add(r->fleet, &r->draft, r->row_line, r->e);
	} else {
		phone_draft_release(&r->draft);
		rc = fleet_problem_add(r->fleet, r->row_line, r->bad.text, r->e);
	}
	if (rc != 0)
		r->failed = true;
	r->draft = (struct phone_draft)PHONE_DRAFT_INIT;
	r->bad = (struct err)ERR_INIT;
}

static void
on_row(int terminator, void *arg)
{
	struct reader *r = arg;

	(void)terminator;
	r->row_ended = true;
	if (r->failed)
		return;
	if (!r->header_done)
		header_end(r);
	else
		row_end(r);
	r->at = 0;
}

static bool
is_blank(const char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')) {
		text++;
		len--;
	}
	return len == 0;
}

/* A quote out of place costs its row; the next line is read as the beginning of a row, so that its faults show, too. */
static int
row_broken(struct reader *r, struct csv_parser *parser, unsigned long line)
{
	static const char text[] = "a quote stands where none may stand (RFC 4180 section 2)";

	if (csv_error(parser) != CSV_EPARSE)
		return err_set(r->e, ERR_FAILED, "line %lu: %s", line, csv_strerror(csv_error(parser)));
	if (!r->header_done)
		return err_set(r->e, ERR_INPUT, "line %lu: %s", line, text);
	csv_free(parser);
	if (csv_init(parser, PARSER_OPTIONS) != 0)
		return err_set(r->e, ERR_FAILED, "CSV: no memory");
	phone_draft_release(&r->draft);
	r->draft = (struct phone_draft)PHONE_DRAFT_INIT;
	r->bad = (struct err)ERR_INIT;
	r->at = 0;
	r->fleet->total++;
	return fleet_problem_add(r->fleet, line, text, r->e);
}

/*
 * libcsv does not count lines, so it is fed one physical line at a time: a row that is still open when a line begins
 * goes on in it.
 */
static int
feed(struct reader *r, struct csv_parser *parser, const char *text, size_t len)
{
	unsigned long line = 0;
	bool open = false;

	while (len > 0 && !r->failed) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text) + 1;

		line++;
		if (!open)
			r->row_line = line;
		r->row_ended = false;
		if (csv_parse(parser, text, n, on_field, on_row, r) != n) {
			if (row_broken(r, parser, line) != 0)
				return -1;
			open = false;
		} else {
			open = !r->row_ended && (open || !is_blank(text, n));
		}
		text += n;
		len -= n;
	}
	if (!r->failed && csv_fini(parser, on_field, on_row, r) != 0)
		return err_set(r->e, ERR_INPUT, "line %lu: a quoted field begins and does not end", r->row_line);
	return r->failed ? -1 : 0;
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
	struct reader r = { .fleet = ret, .e = e, .draft = PHONE_DRAFT_INIT };
	struct csv_parser parser;
	const char *text = data;
	int rc;

	if (csv_init(&parser, PARSER_OPTIONS) != 0)
		return err_set(e, ERR_FAILED, "CSV: no memory");
	if (len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) {
		text += strlen(BOM);
		len -= strlen(BOM);
	}
	rc = feed(&r, &parser, text, len);
	csv_free(&parser);
	phone_draft_release(&r.draft);
	if (rc != 0)
		return -1;
	if (!r.header_done)
		return err_set(e, ERR_INPUT, "expected a row of column names, found nothing");
	if (find_doubles(ret, FIELD_MAC, e) != 0 || find_doubles(ret, FIELD_HTTP_USER, e) != 0)
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
