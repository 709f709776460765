/* SPDX-License-Identifier: ISC */
#ifndef PBX_PJSIP_H
#define PBX_PJSIP_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

/*
 * What Asterisk's PJSIP has to know of the phones: for each an endpoint, an aor and an auth, all of the extension's
 * name. Tried with Asterisk 22.10.1; nothing is in it that Asterisk 20 does not have.
 */

enum pjsip_form {
	PJSIP_FILE,		/* to be included in pjsip.conf */
	PJSIP_SQLITE,		/* SQL for the tables ps_endpoints, ps_aors and ps_auths */
	PJSIP_POSTGRESQL,
};

struct pjsip_params {
	enum pjsip_form form;
	const char *vpn_network;	/* "10.8.0.0/16" */
	const char *context;		/* dialplan's context of the phones' calls; NULL: left to Asterisk */
	bool vpn_only;			/* say of each phone whether it has to come from vpn_network */
};

/* One phone's account, as struct xml_account tells it to the phone. */
struct pjsip_phone {
	const char *extension;	/* names the three objects, and is the login's user */
	const char *label;	/* the caller's name, "" for none */
	const char *secret;	/* the login's password */
	bool vpn_only;		/* it comes through the VPN; with params' vpn_only it is taken from there alone */
};

/*
 * Append what stands before, for one phone, and behind the last. Equal phones give equal bytes. ERR_INPUT, without the
 * value, where Asterisk could not be told one: see pbx/value.h.
 */
int pjsip_begin(const struct pjsip_params *params, struct buf *out, struct err *e);
int pjsip_add(const struct pjsip_params *params, const struct pjsip_phone *phone, struct buf *out, struct err *e);
int pjsip_end(const struct pjsip_params *params, struct buf *out, struct err *e);

#endif
