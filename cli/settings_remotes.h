/* SPDX-License-Identifier: ISC */
#ifndef CLI_SETTINGS_REMOTES_H
#define CLI_SETTINGS_REMOTES_H

#include "bundler/profile.h"

/*
 * The servers of the setting vpn-remotes, HOST[:PORT],..., behind those that p has; default_port where a port is missing.
 * Strings are p's own. ERR_INPUT names the one that is wrong.
 */
int settings_remotes_parse(const char *list, unsigned int default_port, struct profile_params *p, struct err *e);

#endif
