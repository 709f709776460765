/* SPDX-License-Identifier: ISC */
#ifndef DB_ROLLOUT_H
#define DB_ROLLOUT_H

#include "db/ladder.h"
#include "db/request.h"

/*
 * Rollouts: which phones are to get their next generation, in which wave, and how far each has come. All that db/db.h says
 * of its calls holds for these.
 */

#define DB_ROLLOUT_NAME_SIZE 65
#define DB_ROLLOUT_PLAN_SIZE 4096
#define DB_ROLLOUT_WHY_SIZE 512
#define DB_WAVES_MAX 64

enum db_rollout_state {
	DB_ROLLOUT_DRAFT = 1,	/* not started */
	DB_ROLLOUT_RUNNING,
	DB_ROLLOUT_PAUSED,
	DB_ROLLOUT_DONE,	/* each of its phones has settled, or was given up */
	DB_ROLLOUT_ABORTED,	/* what is offered stays so */
	DB_ROLLOUT_ROLLED_BACK,	/* what was offered before is offered again */
};

/* "draft" and so on. */
const char *db_rollout_state_name(enum db_rollout_state state);

struct db_rollout {
	int64_t id;
	char name[DB_ROLLOUT_NAME_SIZE];
	time_t created;
	char plan[DB_ROLLOUT_PLAN_SIZE];	/* rollout/plan.h's text; nothing to the database */
	enum db_rollout_state state;
	char why[DB_ROLLOUT_WHY_SIZE];		/* it is paused */
	int stage;
	int wave;				/* the one under way, from 1; 0: none was begun */
	time_t good_since;			/* this wave has enough phones that settled since then; 0: not yet */
	int64_t minute;				/* since 1970, in which phones were last offered theirs */
	int64_t in_minute;			/* and how many */
};

/* A phone of a rollout. */
enum db_member_state {
	DB_MEMBER_WAITING = 1,
	DB_MEMBER_OFFERED,	/* its generation is offered to it, and it has not settled with it */
	DB_MEMBER_SETTLED,
	DB_MEMBER_FAILED,	/* why says it; it may still settle */
	DB_MEMBER_DROPPED,	/* the admin has taken it out */
	DB_MEMBER_ROLLED_BACK,
};

const char *db_member_state_name(enum db_member_state state);

struct db_member {
	int64_t phone;
	char mac[DB_MAC_SIZE];
	int wave;
	enum db_member_state state;
	int why;		/* of DB_MEMBER_FAILED: rollout/member.h's; 0 else */
	bool forced;		/* the admin has said that the lock-out guard shall not hold it back */
	int64_t former;		/* generation that was offered before; 0: none, or not known yet */
	int64_t target;		/* the one that is for it; 0: not minted yet */
	time_t since;		/* of its state */
	time_t notified;	/* its check-sync was asked for; 0: not */
	const char *note;	/* in, of forced: against what, for the event; NULL where it is read. Borrowed */
	bool is_revoked;	/* its target's certificate is; db_member_get() only */
};

/*
 * Store a new rollout (name, plan, state, stage; the rest is filled in) and its members (phone, wave, forced; each that is forced
 * is an event). ERR_CONFLICT when the name is taken, or names a phone that is in another rollout which is not over.
 */
int db_rollout_create(struct db *db, struct db_rollout *rollout, const struct db_member *members, size_t count,
    struct err *e);

int db_rollout_get(struct db *db, const char *name, struct db_rollout *ret, struct err *e);

/* In the order of creation; as db_phone_each(). */
int db_rollout_each(struct db *db, int (*each)(const struct db_rollout *r, void *arg, struct err *e), void *arg,
    struct err *e);

/*
 * Store what of a rollout changes: plan, state, why, stage, wave, good_since, minute and in_minute. action and detail,
 * unless NULL, are an event about it.
 */
int db_rollout_set(struct db *db, const struct db_rollout *rollout, const char *action, const char *detail,
    struct err *e);

/* Phones of each wave (from 1) by state, and over all in [0]. */
struct db_rollout_tally {
	int waves;
	size_t phones[DB_WAVES_MAX + 1][DB_MEMBER_ROLLED_BACK + 1];
};
int db_rollout_tally(struct db *db, int64_t rollout, struct db_rollout_tally *ret, struct err *e);

/* Whether somebody moves it on. */
struct db_rollout_pace {
	time_t latest;	/* the newest change of a phone's state */
	size_t late;	/* phones that are offered theirs, since before late_before, */
	size_t ready;	/* or have settled before ready_before, and are not counted so yet */
};
int db_rollout_pace(struct db *db, int64_t rollout, time_t late_before, time_t ready_before,
    struct db_rollout_pace *ret, struct err *e);

/* ---- candidates ---- */

/* A phone, with what tells whether a rollout has something for it and would strand it. */
struct db_candidate {
	struct db_phone phone;	/* id, mac, model, firmware, newest, offered, not_after, revoked, authority, profile */
	char offered_profile[DB_HASH_SIZE];	/* of what it is offered; "" without */
	time_t offered_end;	/* of that's certificate; 0 without */
	bool is_seen_revoked;	/* the certificate that it last connected with, where that is known, or its CA is dropped */
	int wave;		/* of a rollout's */
	bool forced;
};

/* Every phone that passes the filter, in the order of ids; as db_phone_each(). */
int db_candidate_each(struct db *db, const struct db_phone_filter *filter,
    int (*each)(const struct db_candidate *c, void *arg, struct err *e), void *arg, struct err *e);

/* Every member that waits, likewise. */
int db_candidate_each_waiting(struct db *db, int64_t rollout,
    int (*each)(const struct db_candidate *c, void *arg, struct err *e), void *arg, struct err *e);

/* One phone, in no rollout or in any. */
int db_candidate_get(struct db *db, const char *mac, struct db_candidate *ret, struct err *e);

/* ---- members ---- */

/* Members in the order of phones' ids; as db_phone_each(). state 0: any; wave 0: any. */
struct db_member_filter {
	int64_t rollout;
	enum db_member_state state;
	int wave;
	bool has_target;	/* only those that are minted */
	bool unnotified;	/* only those that no check-sync was asked for */
};
int db_member_each(struct db *db, const struct db_member_filter *filter,
    int (*each)(const struct db_member *m, void *arg, struct err *e), void *arg, struct err *e);

/* ERR_NOT_FOUND when the phone is not in it. */
int db_member_get(struct db *db, int64_t rollout, int64_t phone, struct db_member *ret, struct err *e);

/*
 * The rollout that has this phone and is not over, or else the newest that withdrew its newest generation; ERR_NOT_FOUND
 * when there is none.
 */
int db_member_of(struct db *db, int64_t phone, struct db_rollout *ret, struct err *e);

/* Further members, as db_rollout_create(); each an event. */
int db_member_add(struct db *db, const struct db_rollout *rollout, const struct db_member *members, size_t count,
    struct err *e);

/* What is known of a member that was offered its generation. */
struct db_member_proof {
	struct db_member member;
	enum db_rung rung;		/* the highest of its target or of a newer one; 0: none */
	bool is_revoked;		/* its target's certificate is */
	bool has_session;
	struct db_session session;	/* without server and address */
};

/* Of every member that has not settled, or is on the VPN with something else; as db_phone_each(). */
int db_member_proof_each(struct db *db, int64_t rollout,
    int (*each)(const struct db_member_proof *p, void *arg, struct err *e), void *arg, struct err *e);

/* Store what of rollout changes, and new states of members, each an event about its phone with that detail. All or none. */
struct db_member_change {
	int64_t phone;
	enum db_member_state state;
	int why;
	bool forced, forget_target;
	const char *detail;	/* borrowed */
	const char *note;	/* of forced: against what; NULL: detail says it. Borrowed */
};
int db_member_change(struct db *db, const struct db_rollout *rollout, const struct db_member_change *changes,
    size_t count, time_t now, struct err *e);

/*
 * Store what of rollout changes, and let every member that has settled wait anew, with nothing minted; *ret_count: how
 * many. action and detail are the event.
 */
int db_member_restart(struct db *db, const struct db_rollout *rollout, time_t now, const char *action,
    const char *detail, size_t *ret_count, struct err *e);

/* A generation that the phone has already is the one that the rollout is for. ERR_NOT_FOUND when it is not waiting. */
int db_member_target(struct db *db, int64_t rollout, int64_t phone, int64_t number, struct err *e);

/*
 * Offer members that are waiting and minted their targets, and store what of rollout counts them. All or none;
 * ERR_CONFLICT when one is not waiting, is not minted, or its target's certificate is revoked.
 */
int db_member_offer(struct db *db, const struct db_rollout *rollout, const int64_t *phones, size_t count, time_t now,
    struct err *e);

/* ERR_CONFLICT names a phone that is in another rollout, too, which is not over; those that were taken out are not asked. */
int db_rollout_check_busy(struct db *db, int64_t rollout, struct err *e);

/* A profile that members go back to when their rollout is rolled back. */
struct db_member_former {
	unsigned char profile[DB_PROFILE_HASH_SIZE];	/* for db_profile_get() */
	size_t phones;
	char first[DB_MAC_SIZE];	/* of them, by MAC */
};

/* Each once; as db_phone_each(). */
int db_member_former_each(struct db *db, int64_t rollout,
    int (*each)(const struct db_member_former *f, void *arg, struct err *e), void *arg, struct err *e);

/* Why a phone is not offered again what it was offered before. */
enum db_way_back {
	DB_WAY_BACK,		/* it is */
	DB_WAY_BACK_NONE,	/* there was nothing before */
	DB_WAY_BACK_REVOKED,	/* the certificate of that is revoked, or of a CA that nobody trusts any more */
	DB_WAY_BACK_ENDED,	/* or has ended */
	DB_WAY_BACK_LATER,	/* it was offered another since, by a later rollout or by "mint" */
};

/*
 * Store what of rollout changes, and offer members the former generations again; ret_ways[i] tells whether that could be
 * done of phones[i], which stays as it is else. All or none.
 */
int db_member_roll_back(struct db *db, const struct db_rollout *rollout, const int64_t *phones, size_t count,
    time_t now, enum db_way_back *ret_ways, struct err *e);

int db_member_notified(struct db *db, int64_t rollout, const int64_t *phones, size_t count, time_t now, struct err *e);

#endif
