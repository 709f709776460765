/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FINDING_H
#define COMMON_FINDING_H

#include "common/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What a check finds wrong with a file or an object: each finding is one rule, at one place. */
enum finding_severity {
	FINDING_NOTE,		/* works; somebody should know */
	FINDING_WARNING,	/* works today, or for some, or not well */
	FINDING_ERROR,		/* does not work */
};

/* A rule of a check. Tables of them are constant and end with a NULL id. */
struct finding_rule {
	const char *id;			/* "ovpn-cipher-missing": for scripts, never changed */
	enum finding_severity severity;
	const char *title;		/* what is wrong, one line, no full stop */
	const char *why;		/* what it does to the phone; a sentence */
	const char *fix;		/* what to do about it; a sentence */
};

/* Where: all optional. line counts from 1, 0 is the file as a whole; element is a directive, a setting, a phone. */
struct finding_place {
	const char *file;
	unsigned int line;
	const char *element;
};

struct finding {
	const struct finding_rule *rule;
	char *file, *element;		/* or NULL */
	unsigned int line;
	char *text;			/* expected and found; fit for a terminal, never a secret */
};

/*
 * A list with a hard maximum, so that a hostile file makes no endless one. Adding never fails at the place of the call:
 * findings_check() says once at the end that memory ran out; what is over the maximum is only counted.
 */
#define FINDINGS_MAX 1000

struct findings {
	struct finding *list;
	size_t count, size;
	size_t left_off;
	enum finding_severity worst;	/* of all, also of those left off; FINDING_NOTE without any */
	bool broken;
};

#define FINDINGS_INIT { .list = NULL }

/* Add one; place and the text are copied, control characters in the text become '?'. */
void findings_add(struct findings *f, const struct finding_rule *rule, const struct finding_place *place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

void findings_addv(struct findings *f, const struct finding_rule *rule, const struct finding_place *place,
    const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

/* 0, or -1 when memory ran out on the way. */
int findings_check(const struct findings *f, struct err *e);

/* Empty it, and keep the list's memory. */
void findings_clear(struct findings *f);

void findings_release(struct findings *f);

/* "note", "warning", "error": the words of SARIF 2.1.0 section 3.27.10 as well. */
const char *finding_severity_name(enum finding_severity severity);

#endif
