/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_MAC_H
#define DSERIES_MAC_H

#include "common/err.h"

#include <stdbool.h>

#define MAC_SIZE 13 /* 12 lower-case hex digits and NUL */

/*
 * A MAC address in any common form (000fd3054848, 00:0F:D3:05:48:48, 00-0f-d3-05-48-48, 000f.d305.4848) as 12
 * lower-case hex digits. ERR_INPUT when it is none, and for the null, broadcast and other group addresses, which no
 * phone has (IEEE 802, I/G bit).
 */
int mac_parse(const char *s, char ret_mac[MAC_SIZE], struct err *e);

/* Who the address block belongs to, where it matters here ("Digium", ...), or NULL. mac is of mac_parse()'s form. */
const char *mac_vendor(const char *mac);

/* The block is Digium's, as that of every D-series phone seen so far. */
bool mac_is_dseries(const char *mac);

#endif
