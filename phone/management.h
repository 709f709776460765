/* SPDX-License-Identifier: ISC */
#ifndef PHONE_MANAGEMENT_H
#define PHONE_MANAGEMENT_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A client of openvpn's management interface (OpenVPN's doc/management-notes.txt) on a Unix socket. */

#define MANAGEMENT_LINE_SIZE 2048 /* longer lines are cut */

struct management {
	int fd;
	pid_t pid;	/* who listens, as the kernel says; 0 when it is of another pid namespace */
	size_t used, taken;
	char data[4096];
};

/*
 * Connect to the socket called name in the folder dir. ERR_NOT_FOUND when nobody listens: there is no socket, or the
 * one there is stale.
 */
int management_open(const char *dir, const char *name, struct management *ret, struct err *e);
void management_close(struct management *m);

int management_send(struct management *m, const char *line, struct err *e);

enum management_answer {
	MANAGEMENT_LINE,	/* a line, without its end */
	MANAGEMENT_TIMEOUT,
	MANAGEMENT_END,		/* openvpn closed the connection */
};

/* The next line, waiting until deadline (management_now()). */
enum management_answer management_line(struct management *m, int64_t deadline, char line[MANAGEMENT_LINE_SIZE]);

/* Milliseconds of the monotonic clock. */
int64_t management_now(void);

/* One state line: "time,name,detail,tun address,server,port,...". */
struct management_state {
	char name[24], detail[128], address[48], server[48], port[8];
};

/* False when the line, with or without ">STATE:", is no state line. */
bool management_state_parse(const char *line, struct management_state *ret);

/* The text of a log line ("[>LOG:]time,flags,text") that says why there is no tunnel: an error, fatal or not, else NULL. */
const char *management_log_error(const char *line);

#endif
