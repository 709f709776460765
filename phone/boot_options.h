/* SPDX-License-Identifier: ISC */
#ifndef PHONE_BOOT_OPTIONS_H
#define PHONE_BOOT_OPTIONS_H

#include "phone/boot.h"

/* The options of every command that boots a phone: first in its table, its own behind them. */
enum {
	BOOT_OPT_CONFIG_URL,
	BOOT_OPT_CONFIG_URL_FILE,
	BOOT_OPT_AUTH,
	BOOT_OPT_CLOCK,
	BOOT_OPT_TIMEOUT,
	BOOT_OPT_NO_CONNECT,
	BOOT_OPT_COUNT,
};

/* clang-format off */
#define BOOT_OPTION_DEFS \
	[BOOT_OPT_CONFIG_URL] = { "config-url", "URL", "base URL that <mac>.cfg is put behind; stored" }, \
	[BOOT_OPT_CONFIG_URL_FILE] = { "config-url-file", "FILE", \
	    "the same, read from a file (- for stdin): it may hold a password" }, \
	[BOOT_OPT_AUTH] = { "auth", "KIND", "login at the web server: none, basic, digest or any (any)" }, \
	[BOOT_OPT_CLOCK] = { "clock", "TIME", \
	    "what the phone takes for the time, 2026-11-23 or 2026-11-23T21:44:39Z (the real one)" }, \
	[BOOT_OPT_TIMEOUT] = { "timeout", "SECONDS", "for the VPN to be connected (70 for each remote)" }, \
	[BOOT_OPT_NO_CONNECT] = { "no-connect", NULL, "do all but start the VPN" }
/* clang-format on */

/*
 * Read these options, open the phone to boot it (in the folder dir; NULL: that of --state), and store the URL that it is
 * given. The phone is the caller's to close. ERR_USAGE for a bad option, else as phone_open_boot().
 */
int boot_begin(const struct invocation *in, const char *dir, struct phone *ret_phone, struct boot_options *ret,
    struct err *e);

#endif
