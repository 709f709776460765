/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_BOOT_CURL_H
#define PHONE_FLEET_BOOT_CURL_H

#include "phone/fleet_boot.h"

/* fleet_boot.c's side towards libcurl. */

#define FLEET_BOOT_BUFFER 8192	/* a phone's XML or bundle, as a rule, at once */
#define FLEET_BOOT_PAGE_MAX 65536	/* of the answer to a forged login */

/* Close the phone's connections. The boot's curl must be in no multi handle. */
void fleet_boot_hang_up(struct fleet_boot *h);

/* The same, and forget that it could have any. */
void fleet_boot_free_connections(struct fleet_boot *h);

/* Prepare the transfer of h->request to out. */
int fleet_boot_fetch(struct fleet_boot *h, struct buf *out, struct err *e);

/* What is special about a transfer. */
enum {
	FLEET_BOOT_CUT = 1,	/* ends in the middle */
	FLEET_BOOT_SLOW = 2,
	FLEET_BOOT_LAST = 4,	/* its connection is not used again */
};

/* Options of the transfer that fleet_boot_fetch() has prepared; kind is a sum of these. */
int fleet_boot_set(struct fleet_boot *h, unsigned int kind, struct err *e);

/* It waits no more, for whatever reason. */
void fleet_boot_hurry(struct fleet_boot *h);

/* What the transfer that has ended cost. */
void fleet_boot_count(struct fleet_boot *h);

/* h->headers becomes the login that answers not the challenge that has come, but one like it; NULL: none came. */
void fleet_boot_forge(struct fleet_boot *h);

/* The transfer failed: libcurl's handle is not as new (7.88 keeps its buffer), and the next one takes another. */
void fleet_boot_discard(struct fleet_boot *h);

/* Forget a transfer that does not run. */
void fleet_boot_drop(struct fleet_boot *h);

#endif
