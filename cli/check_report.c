/* SPDX-License-Identifier: ISC */
#include "cli/check_report.h"

#include "common/buf.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static int
format_parse(const struct invocation *in, const char *value, enum check_format *ret, struct err *e)
{
	static const char *const names[] = { [CHECK_TEXT] = "text", [CHECK_JSON] = "json", [CHECK_SARIF] = "sarif" };
	char shown[64];

	*ret = in->json ? CHECK_JSON : CHECK_TEXT;
	if (value == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			*ret = (enum check_format)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "--format: expected text, json or sarif, found %s",
	    text_printable(value, shown, sizeof(shown)));
}

/* The rule's number over all tables; it is in one of them. */
static size_t
rule_index(const struct check_report *r, const struct finding_rule *rule)
{
	size_t index = 0;

	for (size_t t = 0; r->table[t] != NULL; t++)
		for (const struct finding_rule *at = r->table[t]; at->id != NULL; at++, index++)
			if (at == rule)
				return index;
	return index;
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_FAILED, "JSON: no memory");
}

static int
sarif_rules(struct check_report *r, struct err *e)
{
	for (size_t t = 0; r->table[t] != NULL; t++) {
		for (const struct finding_rule *rule = r->table[t]; rule->id != NULL; rule++) {
			json_t *element = json_pack("{s:s,s:{s:s},s:{s:s},s:{s:s},s:{s:s}}", "id", rule->id,
			    "shortDescription", "text", rule->title, "fullDescription", "text", rule->why, "help",
			    "text", rule->fix, "defaultConfiguration", "level", finding_severity_name(rule->severity));

			if (json_stream_add(&r->list, element, e) != 0)
				return -1;
		}
	}
	r->list.elements = 0;
	return 0;
}

/* What stands before the first finding; late, so that a check that fails prints nothing but its error. */
static int
open_document(struct check_report *r, struct err *e)
{
	if (r->open)
		return 0;
	r->open = true;
	if (r->format == CHECK_JSON)
		(void)printf("{\n  \"schema\": 1,\n  \"findings\": [");
	if (r->format != CHECK_SARIF)
		return 0;
	(void)printf("{\n  \"$schema\": \"" SARIF_SCHEMA "\",\n  \"version\": \"2.1.0\",\n  \"runs\": [{\n"
		     "  \"tool\": {\"driver\": {\"name\": \"%s\", \"version\": \"" VERSION "\", \"rules\": [",
	    r->program);
	if (sarif_rules(r, e) != 0)
		return -1;
	(void)printf("\n  ]}},\n  \"results\": [");
	return 0;
}

int
check_report_begin(struct check_report *r, const struct invocation *in, size_t first,
    const struct finding_rule *const *tables, struct err *e)
{
	size_t rules = 0;

	*r = (struct check_report){
		.program = in->program->name,
		.quiet = in->quiet,
		.strict = in->option[first + CHECK_OPT_STRICT] != NULL,
	};
	for (size_t t = 0; t < CHECK_TABLES_MAX && tables[t] != NULL; t++)
		r->table[t] = tables[t];
	if (format_parse(in, in->option[first + CHECK_OPT_FORMAT], &r->format, e) != 0)
		return -1;
	for (size_t t = 0; r->table[t] != NULL; t++)
		for (size_t i = 0; r->table[t][i].id != NULL; i++)
			rules++;
	r->explained = calloc(rules + 1, sizeof(*r->explained));
	if (r->explained == NULL)
		return no_memory(e);
	return 0;
}

/* "file:12: error: cipher: text [rule]", and the first time what the rule means. */
static void
text_print(struct check_report *r, const struct finding *f)
{
	bool *explained = &r->explained[rule_index(r, f->rule)];

	if (f->file != NULL)
		(void)printf("%s:", f->file);
	if (f->line > 0)
		(void)printf("%u:", f->line);
	(void)printf("%s%s: ", f->file != NULL ? " " : "", finding_severity_name(f->rule->severity));
	if (f->element != NULL)
		(void)printf("%s: ", f->element);
	(void)printf("%s [%s]\n", f->text, f->rule->id);
	if (!*explained && !r->quiet)
		(void)printf("    why: %s\n    fix: %s\n", f->rule->why, f->rule->fix);
	*explained = true;
}

static json_t *
json_finding(const struct finding *f)
{
	return json_pack("{s:s,s:s,s:s*,s:o*,s:s*,s:s,s:s,s:s,s:s}", "rule", f->rule->id, "severity",
	    finding_severity_name(f->rule->severity), "file", f->file, "line",
	    f->line > 0 ? json_integer(f->line) : NULL, "element", f->element, "text", f->text, "title", f->rule->title,
	    "why", f->rule->why, "fix", f->rule->fix);
}

/* RFC 3986 section 3.3: a path with its slashes. */
static void
uri_add(struct buf *out, const char *path)
{
	for (; *path != '\0'; path++) {
		if (*path == '/')
			buf_add_string(out, "/");
		else
			text_percent_encode(out, (char[]){ *path, '\0' });
	}
}

/* Sections 3.27 to 3.33. */
static json_t *
sarif_result(const struct check_report *r, const struct finding *f)
{
	struct buf uri = BUF_INIT(65536);
	json_t *physical = NULL, *logical = NULL, *location = NULL;

	if (f->file != NULL) {
		uri_add(&uri, f->file);
		physical = json_pack("{s:{s:s},s:o*}", "artifactLocation", "uri", buf_string(&uri), "region",
		    f->line > 0 ? json_pack("{s:i}", "startLine", (int)f->line) : NULL);
	}
	if (f->element != NULL)
		logical = json_pack("[{s:s}]", "name", f->element);
	if (physical != NULL || logical != NULL)
		location = json_pack("[{s:o*,s:o*}]", "physicalLocation", physical, "logicalLocations", logical);
	buf_release(&uri);
	return json_pack("{s:s,s:I,s:s,s:{s:s},s:o*}", "ruleId", f->rule->id, "ruleIndex",
	    (json_int_t)rule_index(r, f->rule), "level", finding_severity_name(f->rule->severity), "message", "text",
	    f->text, "locations", location);
}

int
check_report_add(struct check_report *r, const struct findings *f, struct err *e)
{
	if (findings_check(f, e) != 0 || (f->count > 0 && open_document(r, e) != 0))
		return -1;
	r->left_off += f->left_off;
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *one = &f->list[i];

		r->count[one->rule->severity]++;
		if (r->format == CHECK_TEXT)
			text_print(r, one);
		else if (json_stream_add(&r->list, r->format == CHECK_JSON ? json_finding(one) : sarif_result(r, one),
			     e) != 0)
			return -1;
	}
	if (ferror(stdout))
		return err_errno(e, ERR_FAILED, errno, "standard output");
	return 0;
}

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void
text_summary(const struct check_report *r, const char *checked)
{
	const size_t *n = r->count;
	char shown[128];

	if (r->quiet)
		return;
	if (r->left_off > 0)
		(void)printf("%zu more finding%s not shown\n", r->left_off, plural(r->left_off));
	(void)printf("%s: %zu error%s, %zu warning%s, %zu note%s\n", text_printable(checked, shown, sizeof(shown)),
	    n[FINDING_ERROR], plural(n[FINDING_ERROR]), n[FINDING_WARNING], plural(n[FINDING_WARNING]), n[FINDING_NOTE],
	    plural(n[FINDING_NOTE]));
}

int
check_report_end(struct check_report *r, const char *checked, int rc, struct err *e)
{
	const bool failed = r->count[FINDING_ERROR] > 0 || (r->strict && r->count[FINDING_WARNING] > 0) ||
	                    r->left_off > 0;

	free(r->explained);
	r->explained = NULL;
	if (rc != 0)
		return rc;
	if (open_document(r, e) != 0)
		return -1;
	if (r->format == CHECK_TEXT)
		text_summary(r, checked);
	else if (r->format == CHECK_JSON)
		(void)printf("%s],\n  \"errors\": %zu,\n  \"warnings\": %zu,\n  \"notes\": %zu,\n  \"left_off\": %zu,\n"
			     "  \"ok\": %s\n}\n",
		    r->list.elements > 0 ? "\n  " : "", r->count[FINDING_ERROR], r->count[FINDING_WARNING],
		    r->count[FINDING_NOTE], r->left_off, failed ? "false" : "true");
	else
		(void)printf("%s]\n  }]\n}\n", r->list.elements > 0 ? "\n  " : "");
	return failed ? CHECK_EXIT_FAILED : 0;
}
