/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_WATCH_H
#define ROLLOUT_WATCH_H

#include "db/ladder.h"
#include "rollout/management.h"

#include <stdbool.h>

/*
 * Listen to the management interfaces of OpenVPN servers, and record which phones connect with which certificate. A
 * server that is not there is tried again. After each attachment the server's list of clients tells who came and went
 * meanwhile. What is seen is recorded in batches, when nobody else writes; until then it is kept, and when that becomes
 * too much the servers have to keep it. Sessions whose certificate is barred (db/bar.h) are ended, at once and whenever
 * one comes.
 */
struct watch;

#define WATCH_SERVERS_MAX 64
#define WATCH_PATH_MAX 107	/* bytes of a socket's path: sun_path */

enum watch_what {
	WATCH_ATTACHED,		/* to server, whose clients are known now */
	WATCH_LOST,		/* why says it; once, until it is attached again */
	WATCH_REFUSED,		/* the server is such that nobody may listen: why. It is left alone from now on */
	WATCH_SIGHTED,		/* sighting and sighted, with an outcome */
	WATCH_SETTLED,		/* count of phones */
	WATCH_BARRED,		/* the server was told to end the session of client */
	WATCH_STORE,		/* what was seen cannot be recorded: why. It is tried again */
};

/* All borrowed. */
struct watch_news {
	enum watch_what what;
	const char *server, *why;
	size_t count;
	const struct db_sighting *sighting;
	const struct db_sighted *sighted;
	const struct management_client *client;
};

struct watch_config {
	const struct db_location *where;	/* with at_once */
	const char *const *sockets;		/* paths */
	size_t count;
	unsigned long soak;			/* seconds after which a session that goes on settles its generation */
	void (*tell)(void *arg, const struct watch_news *news);
	void *arg;
};

/* config and what it points to must outlive it. NULL on failure; watch_close() it. */
struct watch *watch_open(const struct watch_config *config, struct err *e);

/* Do what there is to do, and wait for more, for some 100 milliseconds at most. */
void watch_step(struct watch *w);

/* Record what is left, and end it. False when that failed, which was told. NULL is taken. */
bool watch_close(struct watch *w);

#endif
