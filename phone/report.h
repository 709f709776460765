/* SPDX-License-Identifier: ISC */
#ifndef PHONE_REPORT_H
#define PHONE_REPORT_H

#include "common/command.h"
#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>

/* What a boot does, step by step: printed line by line as it happens, or gathered for one JSON document. */
enum step_outcome {
	STEP_DONE,	/* the step was done, and changed or started something */
	STEP_NOTHING,	/* there was nothing to do */
	STEP_WARNING,
	STEP_FAILED,
};

struct report {
	bool json, quiet;
	json_t *steps;
	bool no_memory;
	struct err first;	/* the first failed step: it makes the exit status */
};

void report_start(struct report *r, const struct invocation *in);

/* section: of the vendor's page, or NULL. */
void report_step(struct report *r, const char *name, enum step_outcome outcome, const char *section,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A step that failed with e. */
void report_failure(struct report *r, const char *name, const char *section, const struct err *e);

/* "ok", or the name of the first failure's code. */
const char *report_result(const struct report *r);

void report_release(struct report *r);

#endif
