/* SPDX-License-Identifier: ISC */
#ifndef PHONE_TUNNEL_H
#define PHONE_TUNNEL_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * The real openvpn in the background, with its management socket, log and pid file in the state folder. It outlives
 * refphone, as the phone's tunnel outlives a look at its screen.
 */
#define TUNNEL_SECONDS 60	/* to be connected */
#define TUNNEL_SOCKET "management.sock"
#define TUNNEL_LOG "openvpn.log"
#define TUNNEL_PID "openvpn.pid"

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
};

/* Ask a running openvpn, or find that there is none. */
int tunnel_look(const char *dir, struct tunnel_status *ret, struct err *e);

/*
 * Start openvpn with this configuration (ovpn.h's effective lines) and wait until it is connected. On failure, after
 * so many seconds, and on a signal to stop, it is ended again, and the text says what openvpn named last.
 */
int tunnel_start(const char *dir, const struct buf *config, unsigned int seconds, struct tunnel_status *ret,
    struct err *e);

/* End a running openvpn, and wait for its end. *ret_was_up (may be NULL): there was one. */
int tunnel_stop(const char *dir, bool *ret_was_up, struct err *e);

/* Remove the log as well. */
void tunnel_forget(const char *dir);

#endif
