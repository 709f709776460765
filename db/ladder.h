/* SPDX-License-Identifier: ISC */
#ifndef DB_LADDER_H
#define DB_LADDER_H

#include "db/db.h"

/*
 * The proof that a phone has taken a generation, rung by rung, and what is known of its VPN session. All that db/db.h says
 * of its calls holds for these.
 */

#define DB_ADDRESS_SIZE 64	/* "[", an IPv6 address, "]:65535" */
#define DB_SOURCE_SIZE 256
#define DB_DIGEST_SIZE 32	/* SHA-256 */

/* Each is an event with its time and source, once for a generation. */
enum db_rung {
	DB_RUNG_OFFERED = 1,	/* the XML that names its md5 was fetched whole */
	DB_RUNG_FETCHED,	/* the bundle was fetched whole with the phone's own login */
	DB_RUNG_CONNECTED,	/* a VPN session with that generation's certificate */
	DB_RUNG_SETTLED,	/* which lasted */
};

/* "offered" and so on. */
const char *db_rung_name(enum db_rung rung);

struct db_step {
	int64_t phone, number;		/* the generation */
	enum db_rung rung;
	time_t at;
	char source[DB_SOURCE_SIZE];	/* what saw it, and from where */
};

/* Record rungs, all or none; those on record already, or of no generation that there is, are passed over. */
int db_ladder_record(struct db *db, const struct db_step *steps, size_t count, struct err *e);

/* A phone's rungs, by generation, as db_phone_each(). */
int db_ladder_each(struct db *db, int64_t phone, int (*each)(const struct db_step *step, void *arg, struct err *e),
    void *arg, struct err *e);

/* ---- VPN sessions, as an OpenVPN server's management interface tells of them ---- */

/* A session: server (its management socket), client and since name it. */
struct db_sighting {
	enum db_sight {
		DB_SIGHT_BEGAN,		/* it was watched as it began: certificate and digest are known */
		DB_SIGHT_LISTED,	/* it is in the server's list of clients */
		DB_SIGHT_ENDED,
	} what;
	const char *server;
	int64_t attachment;		/* by which it was seen: another number for each time that somebody listens */
	uint64_t client;		/* the server's number for it */
	time_t since, at;
	char name[65];			/* its certificate's common name */
	char address[DB_ADDRESS_SIZE];	/* where the phone is */
	unsigned char serial[DB_SERIAL_SIZE];	/* as in struct db_certificate; 0: not told, as by DB_SIGHT_LISTED */
	unsigned char digest[DB_DIGEST_SIZE];	/* SHA-256 of the certificate's DER */
};

/* What a sighting tells beyond itself. */
enum db_outcome {
	DB_OUTCOME_NONE,
	DB_OUTCOME_CONNECTED,	/* a generation's first session */
	DB_OUTCOME_FELL_BACK,	/* the phone was connected with a newer generation, which it still is offered */
	DB_OUTCOME_UNKNOWN,	/* a phone's name on a certificate that is none of ours, or of no generation */
	DB_OUTCOME_UNWATCHED,	/* it began while nobody watched, so its certificate is not known */
	DB_OUTCOME_STRANGER,	/* it is no phone of the fleet */
};

/* Of ret_outcomes[i] other than DB_OUTCOME_NONE: which phone and generations it is about; 0 where there is none. */
struct db_sighted {
	enum db_outcome outcome;
	int64_t phone, number, newer;
	char mac[DB_MAC_SIZE];
};

/*
 * Record sightings in their order, all or none. A phone has one session, its newest; what is told late of an older one
 * is passed over. What changes is an event; that a phone only comes back is none.
 */
int db_session_record(struct db *db, const struct db_sighting *sightings, size_t count, struct db_sighted *ret,
    struct err *e);

/*
 * The server has listed all of its clients to this attachment: sessions there that it was not told of have ended some
 * time before at.
 */
int db_session_sweep(struct db *db, const char *server, int64_t attachment, time_t at, size_t *ret_ended,
    struct err *e);

/*
 * Sessions on this server that began by then, and go on, settle their generations: DB_RUNG_SETTLED, at the time at.
 * *ret_next: when the oldest that may settle next began; 0: there is none.
 */
int db_session_settle(struct db *db, const char *server, time_t began, time_t at, size_t *ret_settled,
    time_t *ret_next, struct err *e);

/* A phone's newest session. */
struct db_session {
	char server[DB_SOURCE_SIZE], address[DB_ADDRESS_SIZE];
	uint64_t client;
	time_t since, ended;		/* ended 0: it goes on, as far as is known */
	bool has_serial;
	unsigned char serial[DB_SERIAL_SIZE];
	int64_t number;			/* its generation; 0: not known */
};

/* ERR_NOT_FOUND when it has had none. */
int db_session_get(struct db *db, int64_t phone, struct db_session *ret, struct err *e);

/* How many go on. */
int db_session_count(struct db *db, size_t *ret, struct err *e);

#endif
