/* SPDX-License-Identifier: ISC */
#ifndef CLI_EXPLAIN_VIEW_H
#define CLI_EXPLAIN_VIEW_H

#include "cli/explain.h"
#include "cli/settings.h"

/* All that is known of one phone, and what comes next for it. */
#define EXPLAIN_GENERATIONS 3

struct explain_view {
	struct db *db;
	struct settings settings;
	struct db_phone phone;
	struct err turned_down;
	struct explain_generation generations[EXPLAIN_GENERATIONS];	/* the newest ones, in their order */
	size_t count;
	struct explain_generation newest, offered;
	struct explain_generation taken[DB_RUNG_SETTLED + 1];	/* by rung: the newest that reached it, and when */
	struct explain_facts facts;	/* points into this */
	char server_ends[160], held_back[EXPLAIN_TEXT_SIZE];
	struct explain answer;
};

/* v has db and phone, and is all zero else. db is borrowed. */
int explain_view_take(struct explain_view *v, struct err *e);

#endif
