/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_RULES_H
#define PHONE_OVPN_RULES_H

#include "phone/ovpn_line.h"

#include <stdbool.h>
#include <stddef.h>

/* What the phone's reader knows of single directives, beyond the tables of dseries/client.h. */
enum ovpn_effect {
	EFFECT_NONE,
	EFFECT_OWN,	/* on the phone itself, not on the connection: left out of what is run here */
	EFFECT_FILE,	/* needs a file or folder that the phone does not have */
};

enum ovpn_effect ovpn_effect(const char *directive);

/* The directive may stand in <connection>: OPT_P_CONNECTION in 2.3.2's options.c. */
bool ovpn_is_connection_directive(const char *directive);

/* What the installed OpenVPN, 2.6, makes of a directive that the phone's acts on. */
enum ovpn_modern {
	MODERN_SAME,
	MODERN_GONE,		/* it ends: left out of what is run here */
	MODERN_ELSEWHERE,	/* it ends, or means something else; said in another way, or the default */
};

/* arguments: how many stand behind the directive. */
enum ovpn_modern ovpn_modern(const char *directive, size_t arguments);

/*
 * 2.6 takes "udp" for either family of addresses, and 2.3.2 for IPv4 alone (proto_names[] in its socket.c). What is to
 * stand in place of the last argument of a proto, or of a remote with a protocol; NULL of all else.
 */
const char *ovpn_modern_proto(const struct ovpn_words *w);

/*
 * The name in tls-remote is one that verify-x509-name with name-prefix compares alike. 2.3.2 has '_' for each character
 * of the certificate's common name but letters, digits and "_-.@" (COMMON_NAME_CHAR_CLASS in ssl_verify.c), so that a
 * name with another one matches none, and one with '/' or '=' is compared with the whole subject.
 */
bool ovpn_name_is_plain(const char *name);

/*
 * A word fit to be shown: directives are short and in lower case, and a word that is not may be part of a key. Returns
 * its argument or "(not shown)".
 */
const char *ovpn_shown(const char *word);

#endif
