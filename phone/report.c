/* SPDX-License-Identifier: ISC */
#include "phone/report.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const outcomes[] = {
	[STEP_DONE] = "done",
	[STEP_NOTHING] = "nothing",
	[STEP_WARNING] = "warning",
	[STEP_FAILED] = "failed",
};

void
report_start(struct report *r, enum report_form form, bool quiet)
{
	*r = (struct report){ .form = form, .quiet = quiet, .first = ERR_INIT };
	if (form != REPORT_NONE)
		r->steps = json_array();
}

static void
step_add(struct report *r, const char *name, enum step_outcome outcome, enum verdict verdict, const char *section,
    const char *reason)
{
	json_t *step;

	if (verdict != VERDICT_OK && r->verdict == VERDICT_OK) {
		r->verdict = verdict;
		(void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
	}
	if (r->form == REPORT_NONE)
		return;
	if (r->form == REPORT_LINES && (!r->quiet || outcome == STEP_FAILED)) {
		(void)printf("%-8s %-9s %s\n", outcomes[outcome], name, reason);
		/* Whoever watches a boot sees each step when it is done. */
		(void)fflush(stdout);
	}
	step = json_pack("{s:s,s:s,s:s,s:s?,s:s?}", "step", name, "outcome", outcomes[outcome], "reason", reason,
	    "page", section, "verdict", verdict != VERDICT_OK ? verdict_name(verdict) : NULL);
	if (json_array_append_new(r->steps, step) != 0)
		r->no_memory = true;
}

void
report_step(struct report *r, const char *name, enum step_outcome outcome, const char *section, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;

	/* It says nothing of the verdict. */
	if (r->form == REPORT_NONE)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	step_add(r, name, outcome, VERDICT_OK, section, reason);
}

void
report_finding(struct report *r, const char *name, enum verdict verdict, const char *section, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	step_add(r, name, STEP_NOTHING, verdict, section, reason);
}

void
report_failure(struct report *r, const char *name, enum verdict verdict, const char *section, const struct err *e)
{
	step_add(r, name, STEP_FAILED, verdict, section, e->text);
	if (r->first.code == ERR_NONE)
		r->first = *e;
}

const char *
report_result(const struct report *r)
{
	return r->first.code == ERR_NONE ? "ok" : err_name(r->first.code);
}

void
report_release(struct report *r)
{
	json_decref(r->steps);
	r->steps = NULL;
}
