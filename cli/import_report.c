/* SPDX-License-Identifier: ISC */
#include "cli/import_report.h"

#include "cli/import_rules.h"

#include <stdbool.h>
#include <stdio.h>

/* "file:12: warning: name: text [rule]", and the first time what the rule means. */
static void
finding_print(const struct finding *f, bool explained[IMPORT_RULE_COUNT])
{
	bool *known = &explained[f->rule - import_rules];

	if (f->file != NULL)
		(void)printf("%s:", f->file);
	if (f->line > 0)
		(void)printf("%u:", f->line);
	(void)printf("%s%s: ", f->file != NULL ? " " : "", finding_severity_name(f->rule->severity));
	if (f->element != NULL && f->element[0] != '\0')
		(void)printf("%s: ", f->element);
	(void)printf("%s [%s]\n", f->text, f->rule->id);
	if (!*known)
		(void)printf("    %s: %s\n    %s\n", f->rule->title, f->rule->why, f->rule->fix);
	*known = true;
}

void
import_report_findings(const struct invocation *in, const struct findings *f)
{
	bool explained[IMPORT_RULE_COUNT] = { false };

	if (in->quiet || in->json)
		return;
	for (size_t i = 0; i < f->count; i++)
		finding_print(&f->list[i], explained);
	if (f->left_off > 0)
		(void)printf("and %zu more\n", f->left_off);
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
