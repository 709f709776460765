/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_BAR_H
#define ROLLOUT_BAR_H

#include "db/bar.h"
#include "rollout/listener.h"

/*
 * Which sessions may not go on, and telling their servers to end them: by the number of the client, so that another one of
 * the same name stays. The client is told to halt; one that does not is gone some five seconds later (push.c and
 * forward.c of OpenVPN 2.6: schedule_exit()).
 */

#define BAR_ENDINGS_MAX 64	/* at once; more wait for the next list */

struct bar_ending {
	struct listener *listener;
	int64_t asked;			/* listener_now() */
	bool is_answered, is_recorded;
	struct db_bar_end end;
};

struct bar {
	struct db *db;			/* for reading */
	int64_t version, next_look;
	struct db_barred *all;
	size_t count;
	bool is_new;			/* it has changed, and that is not answered (db_bar_compared()) */
	struct bar_ending endings[BAR_ENDINGS_MAX];
	size_t ending_count;
};

/* -1 on failure; bar_close() it either way. */
int bar_open(struct bar *b, const struct db_location *where, struct err *e);
void bar_close(struct bar *b);

/* Look, now and then, whether more is barred, or anew. *ret_changed: then the servers are to list their clients. */
int bar_look(struct bar *b, bool *ret_changed, struct err *e);

/*
 * A client of this server: end its session, if it may not go on. *ret_told: it was told. *ret_again: it is
 * to be looked at again, as it could not be told, or to see it gone.
 */
int bar_judge(struct bar *b, struct listener *l, const struct management_client *c, bool *ret_told, bool *ret_again,
    struct err *e);

/* The server has answered the oldest question of that kind, or is gone. */
void bar_answered(struct bar *b, const struct listener *l, bool done);
void bar_lost(struct bar *b, const struct listener *l);

/* Whether there is something to be recorded, but for is_new; and record it. */
bool bar_is_due(const struct bar *b);
int bar_store(struct bar *b, struct db *db, struct err *e);

#endif
