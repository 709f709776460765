/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_GUARD_H
#define ROLLOUT_GUARD_H

#include "rollout/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * The lock-out guard: whether a phone could come back to the VPN after a rollout has reached it, and while it waits for it.
 * Rules over facts that are handed in; no I/O, no state.
 */

/* Why a phone would be stranded, the first that holds. */
enum guard_reason {
	GUARD_FINE,
	GUARD_CA_ENDS,		/* before the phone can have settled */
	GUARD_SERVER_ENDS,	/* the server's certificate does */
	GUARD_CRL_ENDS,		/* the CRL does, and the server lets nobody in */
	GUARD_REVOKED,		/* the certificate that the phone last connected with is revoked */
	GUARD_CHECK,		/* the new bundle fails "check" by itself, or against the server that runs */
	GUARD_CUT_OFF,		/* its XML is reachable only through the VPN, and the change breaks that */
	GUARD_LATE,		/* likewise, and its present certificate ends before it is offered the next */
	GUARD_REASON_COUNT,
};

/* "ca-ends" and so on: for scripts, never changed. */
const char *guard_reason_name(enum guard_reason reason);

/* What a person can do about it, a sentence's part. */
const char *guard_reason_remedy(enum guard_reason reason);

/* Something that has to last. name is borrowed. */
struct guard_end {
	enum guard_reason reason;	/* when it does not */
	const char *name;
	time_t end;
	time_t renewed_from;		/* before this it is not asked for: somebody renews it. 0: it always is */
};

/* What is the same for all phones. Borrowed. */
struct guard_facts {
	const struct guard_end *ends;
	size_t end_count;
	const char *xml_host;		/* the host of the phones' XML, when it is inside the VPN; else NULL */
	time_t now;
};

/* What is the same for phones that have the same bundle, and get the same. Borrowed; NULL where nothing is wrong. */
struct guard_kind {
	const char *fails;		/* how the new bundle fails "check" */
	const char *breaks;		/* how the change keeps the bundle that they have off the VPN, or has no way back */
};

/* A phone that waits for its turn. */
struct guard_phone {
	time_t offered;			/* it will be, at the earliest; */
	time_t settled;			/* and by then it can have settled */
	time_t not_after;		/* of the certificate that it is offered now; 0: it is offered none */
	bool is_revoked;		/* the certificate that it last connected with */
};

#define GUARD_DETAIL_SIZE 768

/* detail tells what holds, with the names and the times; "" with GUARD_FINE. */
enum guard_reason guard_judge(const struct guard_facts *f, const struct guard_kind *kind, const struct guard_phone *p,
    char detail[GUARD_DETAIL_SIZE]);

/*
 * Seconds from a rollout's start until all phones of wave i (from 0) of these sizes are offered theirs, at the least; and
 * until it is over, at the most: each wave has had its whole deadline. Quiet hours are not counted.
 */
unsigned long guard_wave_offered(const struct plan *p, const size_t *sizes, size_t i);
unsigned long guard_wave_over(const struct plan *p, const size_t *sizes, size_t i);

#endif
