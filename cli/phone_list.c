/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/state.h"
#include "common/table.h"
#include "common/text.h"

#include <stdio.h>

enum {
	OPT_GROUP,
	OPT_MODEL,
};

static const struct option_def options[] = {
	[OPT_GROUP] = { "group", "NAME", "only phones of this group" },
	[OPT_MODEL] = { "model", "MODEL", "only phones of this model" },
	OPTION_END,
};

struct json_list {
	struct addresses addresses;
	json_t *all;
};

static int
row_json(const struct db_phone *p, void *arg, struct err *e)
{
	struct json_list *list = arg;

	return json_array_append_new(list->all, phone_report(p, &list->addresses)) != 0
	           ? err_set(e, ERR_FAILED, "JSON: no memory")
	           : 0;
}

static int
row_table(const struct db_phone *p, void *arg, struct err *e)
{
	char generation[24] = "-", end[TEXT_TIME_SIZE] = "-";

	(void)e;
	if (p->offered != 0)
		(void)snprintf(generation, sizeof(generation), "%lld", (long long)p->offered);
	if (p->newest != 0)
		text_time(p->not_after, end);
	table_row(arg,
	    (const char *[]){ p->mac, p->model, p->firmware[0] != '\0' ? p->firmware : "-",
		p->extension[0] != '\0' ? p->extension : "-", p->group[0] != '\0' ? p->group : "-",
		phone_stand_name(phone_stand(p, NULL)), generation, end, p->offered != 0 ? p->offered_md5 : "-" });
	return 0;
}

static int
list_json(struct db *db, const struct db_phone_filter *filter, struct err *e)
{
	struct json_list list = { .all = json_array() };
	struct settings s;
	int rc = -1;

	if (settings_load(db, &s, e) == 0 && addresses_of(&s, &list.addresses, e) == 0 &&
	    db_phone_each(db, filter, row_json, &list, e) == 0)
		rc = command_print_json(json_incref(list.all), e);
	json_decref(list.all);
	return rc;
}

static int
list_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "MAC", "MODEL", "FIRMWARE", "EXT", "GROUP", "VPN", "GEN", "VALID UNTIL",
		"MD5" };
	struct db_phone_filter filter = { .group = in->option[OPT_GROUP], .model = in->option[OPT_MODEL] };
	struct phone_draft draft = PHONE_DRAFT_INIT;
	struct table *table = NULL;
	struct db *db;
	int rc = -1;

	if (filter.model != NULL) {
		if (phone_field_put(&draft, FIELD_MODEL, filter.model, e) != 0)
			return -1;
		filter.model = draft.phone.model;
	}
	db = state_open(in, e);
	if (db == NULL)
		return -1;
	if (in->json) {
		rc = list_json(db, &filter, e);
		goto out;
	}
	table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (table == NULL)
		err_set(e, ERR_FAILED, "table: no memory");
	else if (db_phone_each(db, &filter, row_table, table, e) == 0)
		rc = table_print(table, stdout) != 0 ? err_set(e, ERR_FAILED, "table: no memory") : 0;
out:
	table_free(table);
	db_close(db);
	return rc;
}

const struct command command_phone_list = {
	.name = "phone list",
	.summary = "List the fleet and where each phone stands",
	.options = options,
	.run = list_run,
};
