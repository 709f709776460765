/* SPDX-License-Identifier: ISC */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/phone_report.h"
#include "db/rollout.h"
#include "rollout/member.h"

/* What comes next for one phone, and who has to do it, from what is known of it. No I/O. */

enum explain_who {
	EXPLAIN_NOBODY,	/* it comes by itself, or there is nothing to do */
	EXPLAIN_USER,	/* who has the phone in front of them */
	EXPLAIN_ADMIN,
};

/* "nobody", "user", "admin". */
const char *explain_who_name(enum explain_who who);

/* A generation, as far as it counts here. */
struct explain_generation {
	int64_t number;			/* 0: there is none */
	time_t created, not_after, revoked;
	time_t rung[DB_RUNG_SETTLED + 1];	/* when each was reached; 0: not */
	unsigned char serial[DB_SERIAL_SIZE];
};

struct explain_facts {
	time_t now;
	const struct db_phone *phone;
	const char *turned_down;	/* why the VPN is none for it; NULL: it is not */
	const struct explain_generation *newest, *offered;	/* number 0 without */
	bool has_other_certificate;	/* one of before the offered one's that is neither revoked nor ended */
	bool has_session;
	struct db_session session;
	bool is_watched;		/* some phone's session is on record */
	const char *server_ends;	/* what has ended, so that the server lets nobody in; NULL: nothing */
	const char *server_command;	/* that mends it */
	time_t renew_before;		/* a certificate that ends before is renewed by "mint" */
	bool has_rollout;
	struct db_rollout rollout;
	struct db_member member;
	const char *held_back;		/* what the guard said, of one that it holds back; or NULL */
	unsigned long deadline;		/* of its rollout, in seconds */
};

#define EXPLAIN_TEXT_SIZE 640

struct explain {
	const char *situation;		/* "never-minted" and so on: for scripts, never changed */
	enum explain_who who;
	char next[EXPLAIN_TEXT_SIZE];	/* a sentence without its full stop */
	char command[160];		/* the admin's; "" without */
	char reason[EXPLAIN_TEXT_SIZE];	/* the likely one, when it hangs; "" without */
	time_t until;			/* what it waits for is over then; 0: not known */
};

void explain(const struct explain_facts *f, struct explain *ret);

#endif
