/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_BOOT_H
#define PHONE_FLEET_BOOT_H

#include "phone/boot.h"
#include "phone/fleet_fault.h"
#include "phone/fleet_poll.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One phone of a fleet while it boots: what it keeps, its connections, and its fault. As boot.h's machine it fetches
 * nothing itself: its owner runs the transfer of its curl, and tells how that ended. It serves one phone after the other.
 */
struct fleet_boot_plan {
	const struct fleet_list *list;
	const char *config_url;	/* of the phones that have none of their own, or "" */
	struct boot_options boot;
	bool share;		/* phones use one another's connections */
};

/* What they all have in common. */
struct fleet_boot_crowd {
	struct fleet_poll *poll;	/* which is told of each connection */
	size_t open, most;	/* connections: now, and at most */
	unsigned long requests;
	unsigned long long bytes;	/* of bodies */
	struct fleet_boot *slow, **slow_end;	/* those that read slowly and wait, in the order of their times */
};

enum fleet_boot_wish {
	FLEET_BOOT_FETCH,	/* the transfer of curl */
	FLEET_BOOT_END,	/* the phone's verdict stands: see fleet_boot_reason() and fleet_boot_provisioned() */
};

enum fleet_boot_trick {
	TRICK_NONE,
	TRICK_CHALLENGE,	/* get the server's challenge */
	TRICK_FORGERY,		/* answer another one */
};

struct fleet_boot {
	CURL *curl;		/* whose transfer is meant; NULL before the first, and behind one that failed */
	CURLSH *connections;	/* the phone's own, or NULL: those of all */
	size_t open;		/* how many it has */
	struct fleet_boot_plan plan;
	struct fleet_boot_crowd *crowd;

	long long began;	/* the owner's, as the next: when the phone was started */
	bool running;		/* curl is in a multi handle */

	struct fleet_phone *who;	/* NULL: free */
	struct phone phone;
	struct report report;
	struct boot boot;
	unsigned int boots;
	bool unresolved;	/* the last transfer's host has no address */
	const char *blame;	/* why the phone did not do what its fault wants, or the server took it */

	long long resume;	/* when this one, which waits, reads on */
	struct fleet_boot *slow_next;

	struct fetch *fetch;	/* under way, or NULL */
	struct fetch_request request;
	enum fleet_boot_trick trick;	/* what is fetched is not for the boot, but for a stale nonce */
	struct buf page;	/* which then comes here */
	struct curl_slist *headers;
};

/* Microseconds of a clock that only goes forward. */
long long fleet_boot_clock(void);

/* NULL, with e, when there is no memory. */
struct fleet_boot *fleet_boot_new(const struct fleet_boot_plan *plan, struct fleet_boot_crowd *crowd, struct err *e);

/* A phone boots, until it wants a fetch or has ended. */
enum fleet_boot_wish fleet_boot_start(struct fleet_boot *h, struct fleet_phone *who);

/* The transfer of h->curl has ended, and is in no multi handle any more. */
enum fleet_boot_wish fleet_boot_fetched(struct fleet_boot *h, CURLcode code);

/* Let the slow ones whose time has come read on: their curls are in a multi handle, and not at work. */
void fleet_boot_resume(struct fleet_boot_crowd *c);

const char *fleet_boot_reason(const struct fleet_boot *h);
bool fleet_boot_provisioned(const struct fleet_boot *h);

/* Behind FLEET_BOOT_END, or to stop: the phone is gone, and its connections are closed. */
void fleet_boot_end(struct fleet_boot *h);

void fleet_boot_free(struct fleet_boot *h);

#endif
