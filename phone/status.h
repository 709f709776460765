/* SPDX-License-Identifier: ISC */
#ifndef PHONE_STATUS_H
#define PHONE_STATUS_H

#include "phone/phone.h"
#include "phone/tunnel.h"

#include <jansson.h>

/* What the phone's screen shows: the vendor's page, section "When the VPN is Enabled". */
enum shield {
	SHIELD_NONE,
	SHIELD_BLUE,	/* the tunnel is up */
	SHIELD_RED,	/* it cannot be brought up, or is not up (again) yet */
};

struct status {
	const struct phone *phone;
	bool stored;		/* the configuration file is there, whole */
	bool menu;		/* the VPN item is in the BootConfig menu: the model can do it, and it is enabled */
	bool check;		/* green check mark; else a red x */
	enum shield shield;
	const char *softkey;	/* "Connect", "Disconnect" or NULL */
	struct tunnel_status tunnel;
};

const char *status_shield_name(enum shield shield);

/* "Connected", and with a state of openvpn's behind it "Connecting (WAIT)". Returns out. */
#define STATUS_CONNECTION_SIZE 160
const char *status_connection(const struct status *s, char out[STATUS_CONNECTION_SIZE]);

int status_collect(const struct phone *p, struct status *ret, struct err *e);

void status_print(const struct status *s);

/* A new reference, or NULL when there is no memory. */
json_t *status_json(const struct status *s);

#endif
