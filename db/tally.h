/* SPDX-License-Identifier: ISC */
#ifndef DB_TALLY_H
#define DB_TALLY_H

#include "db/db.h"

/* Phones that are alike: how many, and when the certificates of their newest generations end. */
#define DB_TALLY_LIMITS 3
struct db_phone_tally {
	struct db_phone phone;	/* one that stands for them: model, firmware, newest, offered and revoked */
	size_t phones;
	size_t held;		/* of them, whose newest generation a rollout does not offer yet, or has taken back */
	time_t first_end;	/* 0: they have no certificates */
	size_t ending[DB_TALLY_LIMITS];	/* before each of the limits */
};

/* Every kind of phone in the fleet; one pass over it. each must not make calls on db. */
int db_phone_tally_each(struct db *db, const time_t limits[DB_TALLY_LIMITS],
    int (*each)(const struct db_phone_tally *tally, void *arg, struct err *e), void *arg, struct err *e);

/*
 * Model and firmware of phones, each once, of which at least one's newest certificate is not revoked; and the profiles that
 * they may have, as db_profile_use_each() without counting the phones. each must not make calls on db.
 */
int db_kind_each(struct db *db, int (*each)(const char *model, const char *firmware, void *arg, struct err *e), void *arg,
    struct err *e);
int db_kind_profile_each(struct db *db, time_t now,
    int (*each)(const struct db_profile_use *use, void *arg, struct err *e), void *arg, struct err *e);

/* Certificates of newest generations, not revoked, that end in a week. */
struct db_end_week {
	time_t monday;		/* 0 h UTC */
	size_t phones;
};

/* In the order of time. each must not make calls on db. */
int db_end_week_each(struct db *db, int (*each)(const struct db_end_week *w, void *arg, struct err *e), void *arg,
    struct err *e);

/* What an authority has issued that is in force: neither revoked nor ended. */
struct db_issued_tally {
	int64_t authority;
	size_t phones, servers;	/* certificates */
};

/* Of every authority that has issued any; one pass over all certificates. each must not make calls on db. */
int db_issued_each(struct db *db, time_t now, int (*each)(const struct db_issued_tally *t, void *arg, struct err *e),
    void *arg, struct err *e);

/* Phones that are offered a generation, and where they were last seen on the VPN. */
struct db_seen_tally {
	size_t offered, on, never, unseen;	/* on the VPN now; not once; not since the limit, those of never too */
};
int db_seen_tally(struct db *db, time_t limit, struct db_seen_tally *ret, struct err *e);

#endif
