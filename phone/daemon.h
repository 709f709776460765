/* SPDX-License-Identifier: ISC */
#ifndef PHONE_DAEMON_H
#define PHONE_DAEMON_H

#include "phone/boot_options.h"

/*
 * A phone that stands on a desk and is left on: it boots, boots again when it is told to, and has an openvpn for its
 * child. Between two pieces of work its state is not locked, so that the other commands work on it.
 */
struct daemon {
	struct invocation again;	/* the command line, without what only the first boot is told */
	int power;			/* file that is locked as long as the phone is on */
	time_t clock;			/* what it took for the time at its last boot */
};

/*
 * Switch it on: the first boot, as boot_begin() says. A step that fails does not keep the phone from staying on.
 * ERR_CONFLICT when it is on already. in is borrowed until daemon_off(). Signals are blocked before
 * (process_event_block()).
 */
int daemon_on(struct daemon *d, const struct invocation *in, struct err *e);

/*
 * Restart it, as a NOTIFY check-sync does: the tunnel is taken down, and the server's settings are read again. Another
 * refphone at work on the phone is waited for, some seconds.
 */
int daemon_restart(struct daemon *d, struct err *e);

/*
 * Bring the tunnel to what is stored, after somebody changed that. ERR_CONFLICT, and nothing done, while another refphone
 * is at work on the phone.
 */
int daemon_apply(struct daemon *d, struct err *e);

/* A child has ended: wait for it, and tell what that means. */
void daemon_reap(void);

/* Switch it off: the tunnel goes down. */
int daemon_off(struct daemon *d, struct err *e);

#endif
