/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_LISTENER_H
#define ROLLOUT_LISTENER_H

#include "common/err.h"
#include "rollout/management.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* An attachment to one server's management interface, and the attempts at it. Never blocks. */
struct listener {
	const char *path;
	int fd;				/* -1: not connected */
	bool is_up;			/* the server has greeted */
	bool is_listed;			/* and told of all its clients */
	bool is_refused;		/* it is such that we must not listen */
	bool has_failed;		/* since it was last up */
	int64_t attachment;		/* a number for what its list tells, greater than any before */
	time_t asked;			/* for that list: what is in it went on then */
	int64_t next;			/* when to try again, or to give up waiting: listener_now() */
	struct err problem;		/* of LISTENER_LOST and LISTENER_REFUSED */
	struct management_reader reader;
};

enum listener_event {
	LISTENER_BEGAN,
	LISTENER_ENDED,
	LISTENER_SEEN,		/* it is in the list */
	LISTENER_LISTED,	/* the list was whole */
	LISTENER_KILLED,	/* the oldest listener_kill() that was not answered is done */
	LISTENER_NOT_KILLED,	/* or its client is gone already */
	LISTENER_LOST,		/* once, until it is up again */
	LISTENER_REFUSED,
};

typedef void listener_call(void *arg, struct listener *l, enum listener_event event,
    const struct management_client *client);

/* Milliseconds of a clock that only goes on. */
int64_t listener_now(void);

/* path is borrowed for as long as l is used. */
void listener_init(struct listener *l, const char *path);

/* What time has to do: connect, or give up. */
void listener_tick(struct listener *l, listener_call *call, void *arg);

/* It is_listed: have it tell of all its clients anew, under another number. */
void listener_list(struct listener *l);

/* It is_up: end the session of this client. False when the server does not take it now; else an event follows. */
bool listener_kill(struct listener *l, uint64_t client);

/* fd has something to be read. */
void listener_read(struct listener *l, listener_call *call, void *arg);

void listener_close(struct listener *l);

#endif
