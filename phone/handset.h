/* SPDX-License-Identifier: ISC */
#ifndef PHONE_HANDSET_H
#define PHONE_HANDSET_H

#include "phone/boot.h"
#include "phone/fleet_fault.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One phone of a fleet while it boots: what it keeps, its connections, and its fault. As boot.h's machine it fetches
 * nothing itself: its owner runs the transfer of handset's curl, and tells how that ended. A handset serves one phone
 * after the other.
 */
struct handset_plan {
	const struct fleet_list *list;
	const char *config_url;	/* of the phones that have none of their own, or "" */
	struct boot_options boot;
	bool share;		/* phones use one another's connections */
};

/* What all handsets have in common. */
struct handset_crowd {
	size_t open, most;	/* connections: now, and at most */
	unsigned long requests;
	unsigned long long bytes;	/* of bodies */
	struct handset *slow, **slow_end;	/* those that read slowly and wait, in the order of their times */
};

enum handset_wish {
	HANDSET_FETCH,	/* the transfer of curl */
	HANDSET_END,	/* the phone's verdict stands: see handset_reason() and handset_provisioned() */
};

enum handset_trick {
	TRICK_NONE,
	TRICK_CHALLENGE,	/* get the server's challenge */
	TRICK_FORGERY,		/* answer another one */
};

struct handset {
	CURL *curl;		/* whose transfer is meant; NULL before the first, and behind one that failed */
	CURLSH *connections;	/* the phone's own, or NULL: those of all */
	size_t open;		/* how many it has */
	struct handset_plan plan;
	struct handset_crowd *crowd;

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
	struct handset *slow_next;

	struct fetch *fetch;	/* under way, or NULL */
	struct fetch_request request;
	enum handset_trick trick;	/* what is fetched is not for the boot, but for a stale nonce */
	struct buf page;	/* which then comes here */
	struct curl_slist *headers;
};

/* Microseconds of a clock that only goes forward. */
long long handset_clock(void);

/* NULL, with e, when there is no memory. */
struct handset *handset_new(const struct handset_plan *plan, struct handset_crowd *crowd, struct err *e);

/* A phone boots, until it wants a fetch or has ended. */
enum handset_wish handset_start(struct handset *h, struct fleet_phone *who);

/* The transfer of h->curl has ended, and is in no multi handle any more. */
enum handset_wish handset_fetched(struct handset *h, CURLcode code);

/* Let the slow ones whose time has come read on: their curls are in a multi handle, and not at work. */
void handset_resume(struct handset_crowd *c);

const char *handset_reason(const struct handset *h);
bool handset_provisioned(const struct handset *h);

/* Behind HANDSET_END, or to stop: the phone is gone, and its connections are closed. */
void handset_end(struct handset *h);

void handset_free(struct handset *h);

#endif
