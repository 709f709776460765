/* SPDX-License-Identifier: ISC */
#include "common/rows.h"

#include "common/text.h"

#include <csv.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BOM "\xef\xbb\xbf"
#define PARSER_OPTIONS (CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL)

/* What libcsv's callbacks know. The first failure of the whole stays in e. */
struct reader {
	const struct rows_format *format;
	struct err *e;
	bool failed;
	bool header_done;
	bool row_ended;     /* in the physical line that is being fed */
	unsigned long line; /* that the row began on */
	size_t columns[ROWS_COLUMNS_MAX];
	size_t column_count;
	size_t at;      /* column of the next field */
	struct err bad; /* the row's first problem */
};

/* The number of a column, or count. */
static size_t
column_find(const struct rows_format *f, const char *name)
{
	size_t i = 0;

	while (i < f->count && strcasecmp(name, f->columns[i]) != 0)
		i++;
	return i;
}

static int
header_field(struct reader *r, const char *name)
{
	size_t column = column_find(r->format, name);
	char shown[64];

	if (r->at >= ROWS_COLUMNS_MAX)
		return err_set(r->e, ERR_INPUT, "line %lu: expected at most %d columns, found more", r->line,
		    ROWS_COLUMNS_MAX);
	if (column == r->format->count)
		return err_set(r->e, ERR_INPUT, "line %lu: expected a row of column names (%s), found \"%s\"", r->line,
		    r->format->shown, text_printable(name, shown, sizeof(shown)));
	for (size_t i = 0; i < r->at; i++) {
		if (r->columns[i] == column)
			return err_set(r->e, ERR_INPUT, "line %lu: column %s: expected once, found twice", r->line,
			    name);
	}
	r->columns[r->at] = column;
	return 0;
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
		err_set(r->e, ERR_INPUT, "line %lu: expected a row of column names, found a NUL byte", r->line);
	} else if (strlen(value) != len) {
		if (r->bad.code == ERR_NONE)
			err_set(&r->bad, ERR_INPUT, "expected text, found a NUL byte");
	} else if (!r->header_done) {
		r->failed = header_field(r, value) != 0;
	} else if (r->at < r->column_count && r->bad.code == ERR_NONE) {
		(void)r->format->field(r->format->arg, r->columns[r->at], value, &r->bad);
	}
	r->at++;
}

static int
header_end(struct reader *r)
{
	r->header_done = true;
	r->column_count = r->at;
	for (size_t column = 0; column < r->format->required; column++) {
		size_t i = 0;

		while (i < r->column_count && r->columns[i] != column)
			i++;
		if (i == r->column_count)
			return err_set(r->e, ERR_INPUT, "line %lu: expected the column %s, found no %s", r->line,
			    r->format->columns[column], r->format->columns[column]);
	}
	return 0;
}

static int
row_end(struct reader *r, unsigned long line)
{
	int rc = r->format->row(r->format->arg, line, &r->bad, r->e);

	r->bad = (struct err)ERR_INIT;
	r->at = 0;
	return rc;
}

static void
on_row(int terminator, void *arg)
{
	struct reader *r = arg;

	(void)terminator;
	r->row_ended = true;
	if (r->failed)
		return;
	if (!r->header_done) {
		r->failed = header_end(r) != 0;
		r->at = 0;
		return;
	}
	if (r->bad.code == ERR_NONE && r->at != r->column_count)
		err_set(&r->bad, ERR_INPUT, "expected %zu fields, found %zu", r->column_count, r->at);
	r->failed = row_end(r, r->line) != 0;
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
	err_set(&r->bad, ERR_INPUT, "%s", text);
	return row_end(r, line);
}

/*
 * libcsv does not count lines, so it is fed one physical line at a time: a row that is still open when a line begins
 * goes on in it.
 */
static int
feed(struct reader *r, struct csv_parser *parser, const char *text, size_t len)
{
	bool open = false;
	size_t take;

	for (unsigned long line = 1; len > 0 && !r->failed; line++, text += take, len -= take) {
		const char *end = memchr(text, '\n', len);

		take = end == NULL ? len : (size_t)(end - text) + 1;
		if (!open)
			r->line = line;
		r->row_ended = false;
		if (csv_parse(parser, text, take, on_field, on_row, r) == take) {
			open = !r->row_ended && (open || !is_blank(text, take));
			continue;
		}
		if (row_broken(r, parser, line) != 0)
			return -1;
		open = false;
	}
	if (!r->failed && csv_fini(parser, on_field, on_row, r) != 0)
		return err_set(r->e, ERR_INPUT, "line %lu: a quoted field begins and does not end", r->line);
	return r->failed ? -1 : 0;
}

int
rows_read(const struct rows_format *f, const void *data, size_t len, struct err *e)
{
	struct reader r = { .format = f, .e = e, .bad = ERR_INIT };
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
	if (rc == 0 && !r.header_done)
		return err_set(e, ERR_INPUT, "expected a row of column names, found nothing");
	return rc;
}
