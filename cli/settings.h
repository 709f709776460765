/* SPDX-License-Identifier: ISC */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "bundler/profile.h"
#include "db/db.h"

#include <stdbool.h>
#include <time.h>

#define SETTINGS_VALUE_SIZE 1024

/* In the order of the table in settings.c. */
enum setting {
	SET_ORG,
	SET_URL,
	SET_REALM,
	SET_VPN_HOST,
	SET_VPN_PORT,
	SET_VPN_PROTO,
	SET_VPN_REMOTES,
	SET_VPN_NETWORK,
	SET_VPN_USER,
	SET_VPN_CRL,
	SET_VPN_CIPHER,
	SET_VPN_AUTH,
	SET_VPN_LZO,
	SET_VPN_SERVER_CHECK,
	SET_VPN_VERB,
	SET_VPN_ENABLE,
	SET_VPN_LOGGING,
	SET_CA_DAYS,
	SET_SERVER_DAYS,
	SET_PHONE_DAYS,
	SET_CRL_DAYS,
	SET_RENEW_DAYS,
	SET_NOT_BEFORE,
	SET_KEYGEN,
	SET_KEYPOOL,
	SET_SIP_SERVER,
	SET_SIP_PORT,
	SET_SIP_TRANSPORT,
	SET_NOTIFY_COMMAND,
	SET_SERVER_DIR,
	SET_COUNT,
};

/* All settings, each as its text; the text is valid by the table once it is in here. */
struct settings {
	char value[SET_COUNT][SETTINGS_VALUE_SIZE];
};

const char *settings_name(enum setting which);
const char *settings_help(enum setting which);

/* By name; ERR_NOT_FOUND with the names that there are. */
int settings_find(const char *name, enum setting *ret, struct err *e);

/* Every setting at its default; those of "init" that have none are "". */
void settings_default(struct settings *s);

/* Check a value and take it over. ERR_INPUT names the setting. */
int settings_put(struct settings *s, enum setting which, const char *value, struct err *e);

/* What the database has, defaults for the rest. */
int settings_load(struct db *db, struct settings *s, struct err *e);

/* All of them as a list for db_setting_set() or db_create(); the strings are borrowed from s. */
void settings_list(const struct settings *s, struct db_setting list[SET_COUNT]);

bool settings_bool(const struct settings *s, enum setting which);
unsigned long settings_number(const struct settings *s, enum setting which);
time_t settings_time(const struct settings *s, enum setting which);

/* What OpenVPN's server becomes once it is up; "" for what the setting leaves open. */
#define SETTINGS_USER_SIZE 33
void settings_server_user(const struct settings *s, char ret_user[SETTINGS_USER_SIZE],
    char ret_group[SETTINGS_USER_SIZE]);

/* The profile that they describe; borrows strings from s. */
int settings_profile(const struct settings *s, struct profile_params *ret, struct err *e);

#endif
