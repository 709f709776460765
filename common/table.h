/* SPDX-License-Identifier: ISC */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stddef.h>
#include <stdio.h>

/*
 * A table for people: columns as wide as their widest cell, two blanks between, a line of headings. Cells are copied.
 * Scripts use --json instead.
 */
struct table;

/* headings: columns strings that outlive the table. NULL when there is no memory. */
struct table *table_new(size_t columns, const char *const *headings);

/* One row of as many strings as there are columns; NULL prints as "-". Out of memory shows at table_print(). */
void table_row(struct table *t, const char *const *cells);

/* 0, or -1 when memory ran out on the way or out cannot be written. */
int table_print(const struct table *t, FILE *out);

void table_free(struct table *t);

#endif
