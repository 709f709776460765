/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_THROTTLE_H
#define PROVISIONER_THROTTLE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Inside provisioner/ and its tests only: wrong passwords are counted by address and by user, in two token buckets. A
 * login waits for its turn only where both are empty: the address has sent many wrong ones, and the user was sent many. So
 * nobody elsewhere makes a phone wait, nor does a neighbour behind the same NAT unless he guesses this very phone's
 * password. It is looked at after its turn has come, so that hanging up early saves a guesser nothing, and a right one is
 * taken then as ever.
 *
 * Only debts are kept, each in a slot of a table of fixed size (64 KiB in all), under a keyed hash, so that nobody can
 * aim at another's slot; where slots are short, the smallest debt is forgotten. Threads may share it, without a lock.
 */
struct throttle;

/*
 * 20 guesses a second are 72,000 an hour: eight random letters and digits last for 300,000 years. Behind one address many
 * phones with a wrong setting have room, and a user is one phone, which tries a few times when it boots. Where one of the
 * two buckets is empty, a wrong one costs the whole of the other, so that many addresses do not have a budget each for one
 * phone, nor one address a budget for each phone.
 */
#define THROTTLE_PER_SECOND 20		/* what both buckets get back, and how fast turns come */
#define THROTTLE_ADDRESS_BURST 60	/* wrong passwords at once from an IPv4 address or IPv6 /64 */
#define THROTTLE_USER_BURST 20		/* and for a user */
#define THROTTLE_WAIT_SECONDS 10	/* longest wait for a turn, which 200 logins may have */

enum throttle_turn {
	THROTTLE_NOW,
	THROTTLE_WAIT,
	THROTTLE_FULL,		/* too many wait already: to be refused without a look at it */
};

/* One login; zeroed at its request's start. */
struct throttle_login {
	const void *address;	/* 4 or 16 bytes, borrowed */
	size_t address_len;
	const char *user;	/* borrowed */
	bool paid;		/* it has waited, or will have */
};

/* NULL on failure. throttle_free() takes NULL. */
struct throttle *throttle_new(struct err *e);
void throttle_free(struct throttle *t);

/*
 * Whose turn it is. now: milliseconds of a clock that never goes back. THROTTLE_WAIT: l is paid for, and *ret_wait becomes
 * the milliseconds until its turn.
 */
enum throttle_turn throttle_enter(struct throttle *t, struct throttle_login *l, uint64_t now, unsigned int *ret_wait);

/* The password of l, whose turn had come, was wrong; or it was not, and what it has paid is given back. */
void throttle_leave(struct throttle *t, const struct throttle_login *l, uint64_t now, bool wrong);

#endif
