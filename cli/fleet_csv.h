/* SPDX-License-Identifier: ISC */
#ifndef CLI_FLEET_CSV_H
#define CLI_FLEET_CSV_H

#include "cli/phone_fields.h"

#include <stdbool.h>

#define FLEET_CSV_MAX (64 << 20) /* bytes of a file */

#define FLEET_CERTIFICATE "certificate"	/* the column that a takeover of an existing CA knows besides */
#define FLEET_CERTIFICATE_SIZE 65

/* A row that is a phone, with the line it begins on. */
struct fleet_row {
	struct phone_draft draft;
	char certificate[FLEET_CERTIFICATE_SIZE];	/* common name of the phone's certificate, "" when not given */
	unsigned long line;
};

/* A row that is none, and why. */
struct fleet_problem {
	unsigned long line;
	char text[256];
};

struct fleet {
	bool certificates;	/* set before: the column "certificate" may be there */
	struct fleet_row *rows;
	size_t row_count, row_size;
	struct fleet_problem *problems;
	size_t problem_count, problem_size;
	size_t total;	/* rows that were read, good and bad, without the header */
};

#define FLEET_INIT { .rows = NULL }

/*
 * Read a fleet from CSV (RFC 4180; LF too, a UTF-8 BOM is skipped): a first row with the names of columns in any
 * order ("mac" and "model" must be there), then one phone a row. Rows that are no phone, and MACs that occur twice, go
 * to problems, in the order of lines. ERR_INPUT when the file as a whole is none: no header, unknown column, a quote
 * out of place. Release the fleet in any case.
 */
int fleet_parse(const void *data, size_t len, struct fleet *ret, struct err *e);

/* Note a problem with a line. */
int fleet_problem_add(struct fleet *f, unsigned long line, const char *text, struct err *e);

/* Bring the problems into the order of their lines. */
void fleet_problem_sort(struct fleet *f);

void fleet_release(struct fleet *f);

#endif
