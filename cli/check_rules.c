/* SPDX-License-Identifier: ISC */
#include "cli/check_rules.h"

#include "bundler/check_ovpn.h"
#include "bundler/check_server.h"
#include "cli/check_fleet.h"
#include "cli/check_live.h"
#include "cli/commands.h"

#include <stdio.h>

const struct finding_rule *const check_rule_tables[] = {
	check_ovpn_rules,
	check_xml_rules,
	check_server_rules,
	check_fleet_rules,
	check_live_rules,
	NULL,
};

static int
print_json(struct err *e)
{
	json_t *list = json_array();

	for (size_t t = 0; check_rule_tables[t] != NULL; t++)
		for (const struct finding_rule *rule = check_rule_tables[t]; rule->id != NULL; rule++)
			(void)json_array_append_new(list,
			    json_pack("{s:s,s:s,s:s,s:s,s:s}", "rule", rule->id, "severity",
				finding_severity_name(rule->severity), "title", rule->title, "why", rule->why, "fix",
				rule->fix));
	return command_print_json(json_pack("{s:i,s:o}", "schema", 1, "rules", list), e);
}

static int
run(const struct invocation *in, struct err *e)
{
	if (in->json)
		return print_json(e);
	for (size_t t = 0; check_rule_tables[t] != NULL; t++)
		for (const struct finding_rule *rule = check_rule_tables[t]; rule->id != NULL; rule++) {
			(void)printf("%s (%s): %s\n", rule->id, finding_severity_name(rule->severity), rule->title);
			if (!in->quiet)
				(void)printf("    why: %s\n    fix: %s\n", rule->why, rule->fix);
		}
	return 0;
}

const struct command command_check_rules = {
	.name = "check rules",
	.summary = "List all rules of the checks: what each means to a phone, and what to do about it",
	.run = run,
};
