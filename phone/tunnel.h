/* SPDX-License-Identifier: ISC */
#ifndef PHONE_TUNNEL_H
#define PHONE_TUNNEL_H

#include "common/buf.h"
#include "common/err.h"
#include "phone/management.h"
#include "phone/verdict.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The real openvpn in the background, with its management socket, log and pid file in the state folder. It outlives
 * refphone, as the phone's tunnel outlives a look at its screen.
 */
#define TUNNEL_SECONDS 70	/* to be connected, for each remote: OpenVPN tries one for 60 and goes on to the next */

#define TUNNEL_END_MS 15000	/* for openvpn to begin to listen, and to end; it says goodbye to the server first */

enum tunnel_state {
	TUNNEL_DOWN,
	TUNNEL_CONNECTING,	/* openvpn runs, and is not (or no longer) connected */
	TUNNEL_CONNECTED,
};

struct tunnel_status {
	enum tunnel_state state;
	pid_t pid;		/* 0 when down, or not known */
	char address[48];	/* VPN address, when connected */
	char server[64];	/* address:port, when connected */
	char detail[128];	/* openvpn's own word for the state */
	uint64_t bytes_in, bytes_out;	/* from and to the server */
};

/* Ask a running openvpn, or find that there is none. */
int tunnel_look(const char *dir, struct tunnel_status *ret, struct err *e);

struct tunnel_options {
	unsigned int seconds;	/* to be connected; 0: it is left to connect on its own, for as long as it takes */
	bool mortal;		/* it ends with this process */
};

/*
 * Start openvpn with this configuration and wait until it is connected. On failure, after so many seconds, and on a
 * signal to stop, it is ended again; the text says what openvpn named as the reason, and *ret_verdict is
 * VERDICT_VPN_REFUSED, VERDICT_VPN_TIMEOUT or VERDICT_FAILED.
 */
int tunnel_start(const char *dir, const struct buf *config, const struct tunnel_options *o, struct tunnel_status *ret,
    enum verdict *ret_verdict, struct err *e);

/* End a running openvpn, and wait for its end. *ret_was_up (may be NULL): there was one. */
int tunnel_stop(const char *dir, bool *ret_was_up, struct err *e);

/* Remove the log as well. */
void tunnel_forget(const char *dir);

/* For tunnel*.c: what openvpn left in the folder when it is gone; the log stays for whoever asks why. */
void tunnel_remove_traces(const char *dir);

/* For tunnel*.c: what a state line of the management interface says. */
void tunnel_status_from(const struct management_state *s, struct tunnel_status *t);

#endif
