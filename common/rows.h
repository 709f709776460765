/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include "common/err.h"

#include <stddef.h>

/*
 * Rows of comma-separated values (RFC 4180; lines may end in LF, a UTF-8 byte order mark is skipped) under a first row
 * that names the columns, in any order and case. A row that is bad is told, and the next one is read.
 */
#define ROWS_COLUMNS_MAX 32

struct rows_format {
	const char *const *columns;	/* their names */
	size_t count;
	size_t required;		/* the first so many have to be there */
	const char *shown;		/* the names, as a message lists them */
	void *arg;
	/* A field of the row that is being read. -1 with e makes the row a bad one; the rest of it is passed over. */
	int (*field)(void *arg, size_t column, const char *value, struct err *e);
	/*
	 * A row has ended: line is that it began on, bad->code ERR_NONE or the row's first problem. -1 with e ends it
	 * all.
	 */
	int (*row)(void *arg, unsigned long line, const struct err *bad, struct err *e);
};

/* ERR_INPUT when the text as a whole is none: no header, an unknown or missing column, a quote that does not end. */
int rows_read(const struct rows_format *f, const void *data, size_t len, struct err *e);

#endif
