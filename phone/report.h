/* SPDX-License-Identifier: ISC */
#ifndef PHONE_REPORT_H
#define PHONE_REPORT_H

#include "common/err.h"
#include "phone/verdict.h"

#include <jansson.h>
#include <stdbool.h>

/* What a boot does, step by step, and what it comes to. */
enum step_outcome {
	STEP_DONE,	/* the step was done, and changed or started something */
	STEP_NOTHING,	/* there was nothing to do */
	STEP_WARNING,
	STEP_FAILED,
};

/* Where the steps go. */
enum report_form {
	REPORT_LINES,	/* a line each, on standard output as it happens */
	REPORT_JSON,	/* gathered */
	REPORT_NONE,	/* only the verdict is wanted, as for one phone of thousands */
};

struct report {
	enum report_form form;
	bool quiet;	/* lines of failures only */
	json_t *steps;	/* NULL with REPORT_NONE */
	bool no_memory;
	struct err first;	/* the first failed step: it makes the exit status of a boot */
	enum verdict verdict;	/* of the first step that keeps the phone off the VPN, failed or not */
	char reason[ERR_TEXT_MAX];	/* and its reason */
};

void report_start(struct report *r, enum report_form form, bool quiet);

/* section: of the vendor's page, or NULL. */
void report_step(struct report *r, const char *name, enum step_outcome outcome, const char *section, const char *fmt,
    ...) __attribute__((format(printf, 5, 6)));

/* A step at which the phone does as it should, and that keeps it off the VPN all the same. */
void report_finding(struct report *r, const char *name, enum verdict verdict, const char *section, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A step that failed with e. */
void report_failure(struct report *r, const char *name, enum verdict verdict, const char *section, const struct err *e);

/* "ok", or the name of the first failure's code. */
const char *report_result(const struct report *r);

void report_release(struct report *r);

#endif
