/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_RULES_H
#define PHONE_OVPN_RULES_H

#include <stdbool.h>

/* What the phone's reader knows of single directives, beyond the tables of dseries/client.h. */
enum ovpn_effect {
	EFFECT_NONE,
	EFFECT_OWN,	/* on the phone itself, not on the connection: left out of what is run here */
	EFFECT_FILE,	/* needs a file or folder that the phone does not have */
};

enum ovpn_effect ovpn_effect(const char *directive);

/* The directive may stand in <connection>: OPT_P_CONNECTION in 2.3.2's options.c. */
bool ovpn_is_connection_directive(const char *directive);

bool ovpn_proto_is_known(const char *proto);

/*
 * A word fit to be shown: directives are short and in lower case, and a word that is not may be part of a key. Returns
 * its argument or "(not shown)".
 */
const char *ovpn_shown(const char *word);

#endif
