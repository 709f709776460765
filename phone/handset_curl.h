/* SPDX-License-Identifier: ISC */
#ifndef PHONE_HANDSET_CURL_H
#define PHONE_HANDSET_CURL_H

#include "phone/handset.h"

/* handset.c's side towards libcurl. */

#define HANDSET_BUFFER 8192	/* a phone's XML or bundle, as a rule, at once */
#define HANDSET_PAGE_MAX 65536	/* of the answer to a forged login */

/* Close the phone's connections. The handset's curl must be in no multi handle. */
void handset_hang_up(struct handset *h);

/* The same, and forget that it could have any. */
void handset_free_connections(struct handset *h);

/* Prepare the transfer of h->request to out. */
int handset_fetch(struct handset *h, struct buf *out, struct err *e);

/* What is special about a transfer. */
enum {
	HANDSET_CUT = 1,	/* ends in the middle */
	HANDSET_SLOW = 2,
	HANDSET_LAST = 4,	/* its connection is not used again */
};

/* Options of the transfer that handset_fetch() has prepared; kind is a sum of these. */
int handset_set(struct handset *h, unsigned int kind, struct err *e);

/* It waits no more, for whatever reason. */
void handset_hurry(struct handset *h);

/* What the transfer that has ended cost. */
void handset_count(struct handset *h);

/* h->headers becomes the login that answers not the challenge that has come, but one like it; NULL: none came. */
void handset_forge(struct handset *h);

/* The transfer failed: libcurl's handle is not as new (7.88 keeps its buffer), and the next one takes another. */
void handset_discard(struct handset *h);

/* Forget a transfer that does not run. */
void handset_drop(struct handset *h);

#endif
