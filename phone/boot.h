/* SPDX-License-Identifier: ISC */
#ifndef PHONE_BOOT_H
#define PHONE_BOOT_H

#include "phone/certificate.h"
#include "phone/fetch.h"
#include "phone/limits.h"
#include "phone/ovpn.h"
#include "phone/phone.h"
#include "phone/report.h"
#include "phone/settings.h"
#include "phone/tunnel.h"

#include <stdbool.h>
#include <time.h>

/*
 * The boot of a phone, as a machine that fetches nothing itself: it stops where it wants a URL, and goes on when told
 * what came of it. So one phone that waits and thousands at once (fleet.h) boot by the same rules.
 *
 *	boot_start(&b, &phone, &report, &options);
 *	while (boot_go(&b) == BOOT_FETCH)
 *		boot_fetched(&b, fetch_get(boot_request(&b), boot_body(&b), &e), &e);
 *	boot_release(&b);
 */
struct boot_options {
	enum fetch_auth auth;
	time_t clock;		/* what the phone takes for the time */
	struct certificate_cache *cache;	/* of the caller's, for many boots; or NULL */
	struct tunnel_options tunnel;	/* 0 seconds: the default */
	bool background;	/* start the tunnel, and do not wait for it */
	bool no_connect;	/* all but the VPN */
	bool no_limits;		/* nor what openvpn would be held to, where there is no VPN to start */
	bool no_certificate;	/* what stands in the bundle's blocks is not looked at */
	bool upgraded;		/* say so */
	bool stoppable;		/* boot_through() ends when SIGINT or SIGTERM waits (common/process.h) */
	bool stored_only;	/* fetch nothing: bring the VPN to what is stored */
};

enum boot_wish {
	BOOT_FETCH,	/* boot_request() into boot_body() */
	BOOT_END,
};

struct boot {
	struct phone *phone;
	struct report *report;
	struct boot_options options;
	int state;
	unsigned int restarts;
	char user_agent[64];

	struct fetch_request request;
	bool fetching;		/* the request is with the caller */
	int fetched;		/* what came of it */
	struct err fetch_error;

	struct buf url;		/* of the XML */
	struct buf xml, bundle;
	struct settings settings;
	bool installed;		/* a bundle, in this boot */
	struct ovpn ovpn;
	struct certificate_info certificate;
	bool certified;		/* certificate is that of the bundle in use */
	bool usable;		/* ovpn is the bundle in use, and the phone can run it */
	struct limits_offer offer;
	struct limits limits;
	bool started;		/* a tunnel, in this boot */
	struct tunnel_status tunnel;
};

/* phone and report are borrowed until boot_release(). */
void boot_start(struct boot *b, struct phone *p, struct report *r, const struct boot_options *o);

enum boot_wish boot_go(struct boot *b);
const struct fetch_request *boot_request(struct boot *b);
struct buf *boot_body(struct boot *b);
void boot_fetched(struct boot *b, int rc, const struct err *e);

/* The whole of it, with fetch_get(). */
void boot_through(struct boot *b);

void boot_release(struct boot *b);

#endif
