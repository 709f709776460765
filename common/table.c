/* SPDX-License-Identifier: ISC */
#include "common/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table {
	size_t columns, rows, size;
	const char *const *headings;
	char **cells; /* rows * columns, row by row */
	bool broken;
};

struct table *
table_new(size_t columns, const char *const *headings)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->columns = columns;
	t->headings = headings;
	return t;
}

static bool
grow(struct table *t)
{
	size_t size = t->size == 0 ? 16 : t->size * 2;
	char **cells;

	if (t->rows < t->size)
		return true;
	cells = reallocarray(t->cells, size * t->columns, sizeof(*cells));
	if (cells == NULL)
		return false;
	t->cells = cells;
	t->size = size;
	return true;
}

void
table_row(struct table *t, const char *const *cells)
{
	if (t->broken || !grow(t)) {
		t->broken = true;
		return;
	}
	for (size_t i = 0; i < t->columns; i++) {
		char *cell = strdup(cells[i] == NULL ? "-" : cells[i]);

		if (cell == NULL)
			t->broken = true;
		t->cells[t->rows * t->columns + i] = cell;
	}
	t->rows++;
}

/* Columns on the screen, near enough: one a UTF-8 sequence. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
line_print(const struct table *t, const char *const *cells, const size_t *widths, FILE *out)
{
	for (size_t i = 0; i < t->columns; i++) {
		size_t pad = i + 1 < t->columns ? widths[i] - width(cells[i]) + 2 : 0;

		(void)fprintf(out, "%s%*s", cells[i], (int)pad, "");
	}
	(void)fputc('\n', out);
}

int
table_print(const struct table *t, FILE *out)
{
	size_t *widths;

	if (t->broken)
		return -1;
	widths = calloc(t->columns, sizeof(*widths));
	if (widths == NULL)
		return -1;
	for (size_t i = 0; i < t->columns; i++) {
		widths[i] = width(t->headings[i]);
		for (size_t row = 0; row < t->rows; row++) {
			size_t w = width(t->cells[row * t->columns + i]);

			if (w > widths[i])
				widths[i] = w;
		}
	}
	line_print(t, t->headings, widths, out);
	for (size_t row = 0; row < t->rows; row++)
		line_print(t, (const char *const *)(t->cells + row * t->columns), widths, out);
	free(widths);
	return ferror(out) ? -1 : 0;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
