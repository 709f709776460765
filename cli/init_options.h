/* SPDX-License-Identifier: ISC */
#ifndef CLI_INIT_OPTIONS_H
#define CLI_INIT_OPTIONS_H

#include "cli/settings.h"
#include "common/command.h"

/* The options of the commands that make a state; put INIT_OPTIONS at the beginning of the table. */
enum {
	INIT_VPN_HOST,
	INIT_URL,
	INIT_VPN_PORT,
	INIT_VPN_PROTO,
	INIT_VPN_NETWORK,
	INIT_ORG,
	INIT_SERVER_DAYS,
	INIT_NOT_BEFORE,
	INIT_KEYGEN,
	INIT_OPTION_COUNT,
};

#define INIT_OPTIONS \
	[INIT_VPN_HOST] = { "vpn-host", "HOST", "OpenVPN server's name or address, as the phones reach it (required)" }, \
	[INIT_URL] = { "url", "BASE", "base URL at which phones reach 'phonevpn serve' (required)" }, \
	[INIT_VPN_PORT] = { "vpn-port", "PORT", "OpenVPN server's port (1194)" }, \
	[INIT_VPN_PROTO] = { "vpn-proto", "PROTO", "udp or tcp (udp)" }, \
	[INIT_VPN_NETWORK] = { "vpn-network", "CIDR", "addresses inside the VPN (10.8.0.0/16)" }, \
	[INIT_ORG] = { "org", "NAME", "organization in every certificate (phonevpn)" }, \
	[INIT_SERVER_DAYS] = { "server-days", "DAYS", "life of the server certificate (3650)" }, \
	[INIT_NOT_BEFORE] = { "not-before", "DATE", "start of every certificate's validity (1970-01-01)" }, \
	[INIT_KEYGEN] = { "keygen", "HOW", "how keys are made: native, or library, OpenSSL's own (native)" }

/* Defaults, and what the options say. ERR_USAGE for a bad or a missing one. */
int init_settings(const struct invocation *in, struct settings *ret, struct err *e);

/* An initialised folder is found before work is spent: ERR_CONFLICT. */
int init_state_absent(const struct db_location *where, struct err *e);

#endif
