/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_DHCP_H
#define PROVISIONER_DHCP_H

#include "common/buf.h"
#include "common/err.h"

/*
 * What a phone from the factory sees before it has a configuration: DHCP option 66 with the URL of its configuration
 * server, to which it appends <mac>.cfg.
 */

enum dhcp_server {
	DHCP_ISC,	/* dhcpd.conf(5) of ISC dhcpd 4.4 */
	DHCP_KEA,	/* the "Dhcp4" object of Kea, in JSON */
	DHCP_DNSMASQ,	/* dnsmasq(8) */
};

/* By what the server tells a phone from other clients. */
enum dhcp_match {
	DHCP_MATCH_OUI,		/* 00:0f:d3, the address block of every D-series phone seen so far */
	DHCP_MATCH_CLASS,	/* option 60, which begins as in "digium_D65_2_9_27" */
};

/*
 * Append the server's configuration for the phones of the base URL url, which all clients may read: ERR_INPUT unless
 * url_check_base() takes it, which it does not with a login. A '/' stands at its end.
 */
int dhcp_render(enum dhcp_server server, enum dhcp_match match, const char *url, struct buf *out, struct err *e);

#endif
