/* SPDX-License-Identifier: ISC */
#include "cli/init_options.h"

/* Which setting an option sets. */
static const enum setting option_settings[INIT_OPTION_COUNT] = {
	[INIT_VPN_HOST] = SET_VPN_HOST,
	[INIT_URL] = SET_URL,
	[INIT_VPN_PORT] = SET_VPN_PORT,
	[INIT_VPN_PROTO] = SET_VPN_PROTO,
	[INIT_VPN_NETWORK] = SET_VPN_NETWORK,
	[INIT_ORG] = SET_ORG,
	[INIT_SERVER_DAYS] = SET_SERVER_DAYS,
	[INIT_NOT_BEFORE] = SET_NOT_BEFORE,
	[INIT_KEYGEN] = SET_KEYGEN,
};

int
init_settings(const struct invocation *in, struct settings *ret, struct err *e)
{
	if (in->option[INIT_VPN_HOST] == NULL || in->option[INIT_URL] == NULL)
		return err_set(e, ERR_USAGE, "%s: expected --vpn-host HOST and --url BASE, found no %s",
		    in->command->name, in->option[INIT_VPN_HOST] == NULL ? "--vpn-host" : "--url");
	settings_default(ret);
	for (unsigned int i = 0; i < INIT_OPTION_COUNT; i++) {
		if (in->option[i] != NULL && settings_put(ret, option_settings[i], in->option[i], e) != 0)
			return err_usage(e);
	}
	return 0;
}

int
init_state_absent(const struct db_location *where, struct err *e)
{
	struct err mine = ERR_INIT;
	struct db *db = db_open(where, &mine);

	if (db == NULL && mine.code == ERR_NOT_FOUND)
		return 0;
	if (db == NULL)
		return err_set(e, mine.code, "%s", mine.text);
	db_close(db);
	return err_set(e, ERR_CONFLICT, "%s: expected no state, found an initialised one; nothing was changed",
	    where->dir);
}
