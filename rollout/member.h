/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_MEMBER_H
#define ROLLOUT_MEMBER_H

#include "db/rollout.h"

/* Why a phone of a rollout has failed; what is known tells the likely reason. Stored: numbers stay. */
enum member_why {
	MEMBER_FINE,
	MEMBER_NOT_MINTED,	/* nothing could be made for it */
	MEMBER_HELD_BACK,	/* the lock-out guard */
	MEMBER_REVOKED,		/* its new certificate was revoked meanwhile */
	MEMBER_FELL_BACK,	/* it was on the VPN with the new certificate, and then with an older one */
	MEMBER_UNKNOWN,		/* it came with a certificate that is on no bundle of its */
	MEMBER_NOT_ASKED,	/* past its deadline: it has not asked for its XML */
	MEMBER_NOT_FETCHED,	/* it has, and not fetched the bundle */
	MEMBER_NOT_CONNECTED,	/* it has fetched it, and not connected with it */
	MEMBER_NOT_SETTLED,	/* it has connected, and not stayed */
	MEMBER_UNWATCHED,	/* it is connected, and nobody has seen with what */
	MEMBER_WHY_COUNT,
};

/* "not-fetched" and so on, and a sentence's part with the likely reason. */
const char *member_why_name(enum member_why why);
const char *member_why_text(enum member_why why);

/* What a member that was offered its generation is at now. deadline: seconds from its offer; 0: none. */
enum db_member_state member_judge(const struct db_member_proof *p, unsigned long deadline, time_t now,
    enum member_why *ret_why);

#endif
