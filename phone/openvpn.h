/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OPENVPN_H
#define PHONE_OPENVPN_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* What the real openvpn leaves in the state folder. */
#define OPENVPN_SOCKET "management.sock"
#define OPENVPN_LOG "openvpn.log"
#define OPENVPN_PID "openvpn.pid"

/*
 * Start the real openvpn with this configuration, in the folder dir, in a session of its own. It is the caller's child,
 * and connects when it is told "hold release" over the management interface. mortal: it ends with this process, however
 * that one ends.
 * Returns its pid, or -1 with e filled: ERR_FAILED.
 */
pid_t openvpn_start(const char *dir, const struct buf *config, bool mortal, struct err *e);

#endif
