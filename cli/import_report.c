/* SPDX-License-Identifier: ISC */
#include "cli/import_report.h"

#include "cli/import_rules.h"

#include <stdbool.h>
#include <stdio.h>

/* "file:12: warning: name: text [rule]", and what the rule means unless that was told or is not asked for. */
static void
finding_print(FILE *out, const struct finding *f, bool *explained)
{
	if (f->file != NULL)
		(void)fprintf(out, "%s:", f->file);
	if (f->line > 0)
		(void)fprintf(out, "%u:", f->line);
	(void)fprintf(out, "%s%s: ", f->file != NULL ? " " : "", finding_severity_name(f->rule->severity));
	if (f->element != NULL && f->element[0] != '\0')
		(void)fprintf(out, "%s: ", f->element);
	(void)fprintf(out, "%s [%s]\n", f->text, f->rule->id);
	if (!*explained)
		(void)fprintf(out, "    %s: %s\n    %s\n", f->rule->title, f->rule->why, f->rule->fix);
	*explained = true;
}

void
import_report_findings(const struct invocation *in, const struct findings *f)
{
	bool explained[IMPORT_RULE_COUNT] = { false };

	if (in->quiet || in->json)
		return;
	for (size_t i = 0; i < f->count; i++)
		finding_print(stdout, &f->list[i], &explained[f->list[i].rule - import_rules]);
	if (f->left_off > 0)
		(void)printf("and %zu more\n", f->left_off);
}

void
import_report_refused(const struct invocation *in, const struct findings *f)
{
	bool explained[IMPORT_RULE_COUNT] = { false }, quiet = true;

	if (in->json)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (!in->quiet || f->list[i].rule->severity == FINDING_ERROR)
			finding_print(stderr, &f->list[i],
			    in->quiet ? &quiet : &explained[f->list[i].rule - import_rules]);
	if (f->left_off > 0)
		(void)fprintf(stderr, "and %zu more\n", f->left_off);
}

json_t *
import_report_json(const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *one = &f->list[i];
		json_t *o = json_pack("{s:s,s:s,s:s*,s:s*,s:s}", "rule", one->rule->id, "severity",
		    finding_severity_name(one->rule->severity), "file", one->file, "element", one->element, "text",
		    one->text);

		if (o != NULL && one->line > 0)
			(void)json_object_set_new(o, "line", json_integer(one->line));
		if (json_array_append_new(list, o) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
