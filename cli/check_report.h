/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include "cli/json_stream.h"
#include "common/command.h"
#include "common/finding.h"

#include <stdbool.h>
#include <stddef.h>

/* What every "check" command prints of its findings, as they come in: nothing is kept, whatever the fleet's size. */

enum check_format {
	CHECK_TEXT,
	CHECK_JSON,
	CHECK_SARIF,	/* Static Analysis Results Interchange Format 2.1.0, OASIS standard */
};

#define CHECK_TABLES_MAX 8
#define CHECK_EXIT_FAILED 5

struct check_report {
	enum check_format format;
	const char *program;
	bool strict, quiet, open;
	const struct finding_rule *table[CHECK_TABLES_MAX + 1];	/* of the rules; NULL behind the last */
	bool *explained;		/* by rule: its why and fix were printed */
	size_t count[FINDING_ERROR + 1];
	size_t left_off;
	struct json_stream list;	/* that is open, by its elements alone: the documents around it are nested */
};

/* The options that every "check" command has; put them at the end of its table, their values are in this order. */
#define CHECK_OPTIONS(first) \
	[(first) + CHECK_OPT_FORMAT] = { "format", "FORMAT", "text, json or sarif (text; json with --json)" }, \
	[(first) + CHECK_OPT_STRICT] = { "strict", NULL, "fail on warnings, too" }

enum {
	CHECK_OPT_FORMAT,
	CHECK_OPT_STRICT,
	CHECK_OPT_COUNT,
};

/*
 * Begin: tables (ending with NULL, at most CHECK_TABLES_MAX) hold all rules that may be found; first is where
 * CHECK_OPTIONS begins in the command's options. ERR_USAGE for an unknown format. check_report_end() must follow.
 */
int check_report_begin(struct check_report *r, const struct invocation *in, size_t first,
    const struct finding_rule *const *tables, struct err *e);

/* Print findings; they may be cleared afterwards. -1 when memory ran out while they were found. */
int check_report_add(struct check_report *r, const struct findings *f, struct err *e);

/*
 * Print the summary, unless rc (what the check itself returned) is not 0, and free. checked names what was looked at
 * ("client.ovpn", "5 phones"). Returns the exit status: 0, CHECK_EXIT_FAILED with an error (or a warning and
 * --strict), or -1 with e as it is when rc is.
 */
int check_report_end(struct check_report *r, const char *checked, int rc, struct err *e);

#endif
