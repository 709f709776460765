/* SPDX-License-Identifier: ISC */
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/table.h"

#include <stdio.h>

static int
open_and_load(const struct invocation *in, bool writer, struct db **ret_db, struct settings *s, struct err *e)
{
	struct db *db = writer ? state_open_writer(in, e) : state_open(in, e);

	if (db == NULL)
		return -1;
	if (settings_load(db, s, e) != 0) {
		db_close(db);
		return -1;
	}
	*ret_db = db;
	return 0;
}

static int
get_run(const struct invocation *in, struct err *e)
{
	enum setting which;
	struct settings s;
	struct db *db;

	if (settings_find(in->argv[0], &which, e) != 0 || open_and_load(in, false, &db, &s, e) != 0)
		return -1;
	db_close(db);
	if (in->json)
		return command_print_json(json_pack("{s:s}", settings_name(which), s.value[which]), e);
	(void)printf("%s\n", s.value[which]);
	return 0;
}

static int
set_run(const struct invocation *in, struct err *e)
{
	struct db_setting change = { 0 };
	enum setting which;
	struct settings s;
	struct db *db;
	int rc = -1;

	if (settings_find(in->argv[0], &which, e) != 0 || open_and_load(in, true, &db, &s, e) != 0)
		return -1;
	if (settings_put(&s, which, in->argv[1], e) != 0) {
		rc = err_usage(e);
	} else if (which == SET_VPN_NETWORK) {
		rc = addresses_move(in, db, s.value[which], e);
	} else {
		change = (struct db_setting){ .name = settings_name(which), .value = s.value[which] };
		rc = db_setting_set(db, &change, 1, e);
	}
	db_close(db);
	if (rc == 0 && in->json && change.name != NULL)
		return command_print_json(json_pack("{s:s}", change.name, change.value), e);
	return rc;
}

static int
list_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "SETTING", "VALUE", "MEANING" };
	struct table *table;
	struct settings s;
	struct db *db;
	int rc;

	if (open_and_load(in, false, &db, &s, e) != 0)
		return -1;
	db_close(db);
	if (in->json) {
		json_t *all = json_object();

		for (unsigned int i = 0; i < SET_COUNT; i++)
			(void)json_object_set_new(all, settings_name((enum setting)i), json_string(s.value[i]));
		return command_print_json(all, e);
	}
	table = table_new(3, headings);
	for (unsigned int i = 0; table != NULL && i < SET_COUNT; i++)
		table_row(table,
		    (const char *[]){ settings_name((enum setting)i), s.value[i], settings_help((enum setting)i) });
	rc = table == NULL || table_print(table, stdout) != 0 ? err_set(e, ERR_FAILED, "table: no memory") : 0;
	table_free(table);
	return rc;
}

const struct command command_config_get = {
	.name = "config get",
	.arguments = "NAME",
	.summary = "Print a setting",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = get_run,
};

const struct command command_config_set = {
	.name = "config set",
	.arguments = "NAME VALUE",
	.summary = "Change a setting",
	.details =
	    "A change of a vpn- setting reaches a phone with its next generation: run 'phonevpn mint --all', which "
	    "keeps the certificates where they are good. The OpenVPN server's side changes with 'phonevpn emit server'. "
	    "With another vpn-network phones keep their place in it (10.8.0.7 becomes 10.9.0.7); those for which a "
	    "smaller network has no such place get another one.",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = set_run,
};

const struct command command_config_list = {
	.name = "config list",
	.summary = "Print all settings",
	.run = list_run,
};
