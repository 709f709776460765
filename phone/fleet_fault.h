/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_FAULT_H
#define PHONE_FLEET_FAULT_H

#include "phone/fleet_list.h"

/* What may be bad about a phone of a fleet, on purpose. */
enum fleet_fault {
	FAULT_NONE,
	FAULT_NO_VPN,		/* no fault: the model or its firmware has none */
	FAULT_CUT,		/* closes its connection in the middle of the bundle, and then boots once more */
	FAULT_WRONG_PASSWORD,
	FAULT_STALE_NONCE,	/* begins with a digest of a nonce that the server did not issue */
	FAULT_SLOW,		/* reads the bundle at FAULT_SLOW_SPEED */
	FAULT_CORRUPT,		/* a byte of the bundle is another one when it arrives */
	FAULT_WRONG_CLOCK,	/* it is 1970: no battery, and no time server yet */
	FAULT_FACTORY_RESET,	/* loses all it stored between the XML and the bundle */
	FAULT_COUNT,
};

#define FAULT_SLOW_SPEED 4096	/* bytes a second */
#define FAULT_CLOCK 300		/* seconds since 1970 */

const char *fault_name(enum fleet_fault fault);

/* What the phone is to come to, for a reader. */
const char *fault_expected(enum fleet_fault fault);

/* verdict is what a phone with this fault is to come to at the end. */
bool fault_expects(enum fleet_fault fault, enum verdict verdict);

/* How many phones get each fault: a count, or hundredths of a percent of the fleet. */
struct fault_mix {
	struct fault_share {
		unsigned long count, hundredths;
	} share[FAULT_COUNT];
};

/* "cut=5%,slow=10,wrong-clock=0.5%": each at most once. ERR_USAGE otherwise. */
int fault_mix_parse(const char *text, struct fault_mix *ret, struct err *e);

/*
 * Give the phones their faults: those that have no VPN get FAULT_NO_VPN, and the mix goes to the others, evenly over the
 * list; a share of the fleet that is above 0 is one phone at least. The same seed makes the same choice. ERR_USAGE when
 * the mix needs more phones than there are.
 */
int fault_mix_spread(const struct fault_mix *mix, unsigned long seed, struct fleet_list *l, struct err *e);

#endif
