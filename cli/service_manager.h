/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVICE_MANAGER_H
#define CLI_SERVICE_MANAGER_H

#include "common/err.h"

/*
 * What systemd's service manager hands over and wants to hear: sd_listen_fds(3), sd_notify(3). Without it, all of this
 * does nothing.
 */

/* Sockets that listen already; -1 where there is none. The caller's to close. */
struct manager_sockets {
	int phones;
	int admin;	/* the one with FileDescriptorName=admin */
};

/* Take them from the environment, which has them no more then. */
int manager_sockets_take(struct manager_sockets *ret, struct err *e);

/* Tell it that the server answers, that it reads its files again (a further manager_ready() ends that), or that it ends. */
void manager_ready(void);
void manager_reloading(void);
void manager_stopping(void);

/* How often manager_alive() is to be called, in milliseconds; -1: never. */
long manager_alive_interval(void);
void manager_alive(void);

#endif
