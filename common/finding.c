/* SPDX-License-Identifier: ISC */
#include "common/finding.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

static bool
grow(struct findings *f)
{
	size_t size = f->size == 0 ? 16 : f->size * 2;
	struct finding *list;

	if (f->count < f->size)
		return true;
	list = reallocarray(f->list, size, sizeof(*list));
	if (list == NULL)
		return false;
	f->list = list;
	f->size = size;
	return true;
}

static void
finding_release(struct finding *finding)
{
	free(finding->file);
	free(finding->element);
	free(finding->text);
}

/* NULL stays NULL; false when there is no memory. */
static bool
copy(const char *s, char **ret)
{
	char clean[TEXT_MAX];

	*ret = s == NULL ? NULL : strdup(text_printable(s, clean, sizeof(clean)));
	return s == NULL || *ret != NULL;
}

void
findings_addv(struct findings *f, const struct finding_rule *rule, const struct finding_place *place, const char *fmt,
    va_list ap)
{
	struct finding new = { .rule = rule, .line = place->line };
	char text[TEXT_MAX];

	if (rule->severity > f->worst)
		f->worst = rule->severity;
	if (f->count == FINDINGS_MAX) {
		f->left_off++;
		return;
	}
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	/* A path may be no UTF-8, and is shown as it is found all the same. */
	if (!grow(f) || !copy(place->file, &new.file) || !copy(place->element, &new.element) ||
	    !copy(text, &new.text)) {
		finding_release(&new);
		f->broken = true;
		return;
	}
	f->list[f->count++] = new;
}

void
findings_add(struct findings *f, const struct finding_rule *rule, const struct finding_place *place, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_addv(f, rule, place, fmt, ap);
	va_end(ap);
}

int
findings_check(const struct findings *f, struct err *e)
{
	return f->broken ? err_set(e, ERR_FAILED, "findings: no memory") : 0;
}

void
findings_clear(struct findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		finding_release(&f->list[i]);
	f->count = f->left_off = 0;
	f->worst = FINDING_NOTE;
	f->broken = false;
}

void
findings_release(struct findings *f)
{
	findings_clear(f);
	free(f->list);
	*f = (struct findings)FINDINGS_INIT;
}

const char *
finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {
		[FINDING_NOTE] = "note",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	return names[severity];
}
