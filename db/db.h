/* SPDX-License-Identifier: ISC */
#ifndef DB_DB_H
#define DB_DB_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * What must survive: one folder with phonevpn.db and master.key. One call here is one transaction: when it returns 0
 * the change is on disk, else nothing has changed. Private keys and passwords are sealed (AES-256-GCM under the master
 * key, bound to their row); they leave this module in a struct buf, which the caller releases. No call may be made on
 * one handle from two threads at once; several handles on one folder may be used at once, also by several processes.
 *
 * Codes: ERR_NOT_FOUND no such state folder, phone, certificate...; ERR_CONFLICT it exists, another process writes, or
 * the schema is newer; ERR_INTEGRITY the master key is wrong, or what was read does not fit its seal; ERR_FAILED the
 * disk is full, or SQLite's own reason.
 */

#define DB_SERIAL_SIZE 20
#define DB_HASH_SIZE 65		/* SHA-256 in hex and NUL */
#define DB_MD5_SIZE 33
#define DB_MAC_SIZE 13
#define DB_DER_MAX 65536	/* bytes of a certificate, key or profile */
#define DB_CRL_MAX (64 << 20)	/* bytes of a CRL: some 1.5 million entries */
#define DB_NONCE_KEY_SIZE 32
#define DB_ALL_PHONES { .group = NULL }

struct db;

struct db_location {
	const char *dir;
	const char *master_key;		/* NULL for master.key in dir */
	const char *actor;		/* who, for the event log and for the lock: "root: phonevpn mint" */
	bool at_once;			/* wait for another writer for some milliseconds only: ERR_CONFLICT */
};

struct db_setting {
	const char *name, *value;
};

/* A certificate with its private key, to be stored. DER bytes, borrowed. */
struct db_certificate_new {
	unsigned char serial[DB_SERIAL_SIZE];
	const struct buf *cert, *key;
	time_t not_before, not_after;
};

struct db_crl {
	uint64_t number;
	time_t this_update, next_update;
	struct buf der;
};

/* ---- opening ---- */

/* All that a new state folder begins with. */
struct db_init {
	const struct db_setting *settings;
	size_t setting_count;
	const char *authority_name;
	const struct buf *authority_cert, *authority_key;
	const struct db_crl *crl;
	const char *server_name;
	const struct db_certificate_new *server;
	const struct db_import *import;	/* what the CA has done before, or NULL */
};

/*
 * Make the folder (0700), the master key (0600, taken over when there is one) and the database, with init in it, as
 * one: a folder without a finished database counts as not initialised. ERR_CONFLICT when it is initialised.
 */
int db_create(const struct db_location *where, const struct db_init *init, struct err *e);

/*
 * Open for reading; migrates an older schema. The master key is checked at once. NULL on failure. Close with
 * db_close(), which takes NULL.
 */
struct db *db_open(const struct db_location *where, struct err *e);

/*
 * Open for changes, too: takes the folder's writer lock until db_close(). ERR_CONFLICT, naming the holder (process
 * id, actor, since when), when another process has it.
 */
struct db *db_open_writer(const struct db_location *where, struct err *e);

void db_close(struct db *db);

/* ---- settings ---- */

/* ERR_NOT_FOUND when it was never set. */
int db_setting_get(struct db *db, const char *name, char *ret_value, size_t size, struct err *e);
int db_setting_set(struct db *db, const struct db_setting *settings, size_t count, struct err *e);

/* The key of the HTTP server's nonces: one for the folder, so that every server on it takes the others' nonces. */
int db_nonce_key_get(struct db *db, unsigned char ret_key[DB_NONCE_KEY_SIZE], struct err *e);

/* ---- phones ---- */

/* What is known of a phone, with the state of its newest and of its offered generation (0: none). No secrets. */
struct db_phone {
	int64_t id;
	char mac[DB_MAC_SIZE];
	char model[8], firmware[32];	/* firmware "" when not known */
	char extension[41];
	char label[121];
	char group[65], http_user[65];
	uint32_t vpn_host;	/* its fixed address' number in the VPN's network: 258 is 10.8.1.2 in 10.8.0.0/16; 0: none */
	bool has_secret;
	time_t created;
	int64_t newest, offered;	/* generation numbers */
	char offered_md5[DB_MD5_SIZE];
	time_t offered_created;
	/* of the newest generation's certificate and profile, all 0 or "" without one */
	unsigned char serial[DB_SERIAL_SIZE];
	time_t not_after, revoked;
	int64_t authority;
	char profile[DB_HASH_SIZE];
	time_t enrolled, login;		/* it enrolled, and first logged in itself: db/enroll.h; 0: not, or not known */
	char enrolled_from[46];		/* an IP address */
	unsigned int rungs;		/* 1 << enum db_rung: what db_phone_login() knows of the offered one's ladder */
};

/* Numbers of the VPN's network that phones may have, both ends included. */
struct db_host_range {
	uint32_t first, last;
};

struct db_phone_new {
	struct db_phone phone;		/* mac to vpn_host are taken */
	const char *secret;		/* the SIP password, or NULL */
	const char *http_password;
	struct db_host_range hosts;	/* where vpn_host is 0: give it one of these (last 0: give it none) */
};

/* All or none. ERR_CONFLICT names the first MAC, HTTP user or VPN address that is taken, or says that all are. */
int db_phone_add(struct db *db, const struct db_phone_new *phones, size_t count, struct err *e);

int db_phone_get(struct db *db, const char *mac, struct db_phone *ret, struct err *e);

/* By the user name of the HTTP login. */
int db_phone_get_by_user(struct db *db, const char *http_user, struct db_phone *ret, struct err *e);

/*
 * Replace model, firmware, extension, label, group, http_user and vpn_host of phone->id; secret and http_password where
 * not NULL ("" takes the secret away).
 */
int db_phone_set(struct db *db, const struct db_phone *phone, const char *secret, const char *http_password,
    struct err *e);

/* Append a phone's secret onto ret (nothing when it has none). */
int db_phone_secret(struct db *db, int64_t id, struct buf *ret, struct err *e);
int db_phone_http_password(struct db *db, int64_t id, struct buf *ret, struct err *e);

struct db_phone_filter {
	const char *group;	/* NULL: any */
	const char *model;	/* NULL: any */
};

/*
 * Call each for every phone in the order of MACs, until it returns non-zero (then -1 with its e). It may make calls on
 * db, changing ones as well. Rows are read in pieces ahead of the calls, so of what a callback changes itself further
 * down, either state may show; on a handle that was opened for reading all rows are of one moment.
 */
int db_phone_each(struct db *db, const struct db_phone_filter *filter,
    int (*each)(const struct db_phone *phone, void *arg, struct err *e), void *arg, struct err *e);

int db_phone_count(struct db *db, const struct db_phone_filter *filter, size_t *ret, struct err *e);

/* ---- certificates ---- */

struct db_certificate {
	unsigned char serial[DB_SERIAL_SIZE];	/* a shorter one, of an imported CA, has zeros in front */
	int64_t authority;
	char name[65];			/* its common name: the phone's MAC, the server's name, an imported one's own */
	bool server;
	time_t not_before, not_after, issued;
	time_t revoked;			/* 0: not */
	int reason;			/* CRLReason, RFC 5280 section 5.3.1 */
	bool dropped;			/* its authority is: DB_ROLE_DROPPED of db/authority.h */
};

int db_certificate_get(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct db_certificate *ret,
    struct err *e);

/*
 * The one that the server has, or shall have: the newest that the issuing or a former authority has issued. In a rotation
 * it stays the former one's until it is moved.
 */
int db_certificate_server(struct db *db, struct db_certificate *ret, struct err *e);

/*
 * The MAC of the phone that an imported certificate serves, when its own name is another; nobody without the master key
 * can have written it. ERR_NOT_FOUND for every other certificate.
 */
int db_certificate_owner(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], char ret_mac[DB_MAC_SIZE],
    struct err *e);

/*
 * DER of the certificate and of its key onto either, which may be NULL. ERR_NOT_FOUND also when an imported certificate
 * came without what is asked for.
 */
int db_certificate_der(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct buf *ret_cert,
    struct buf *ret_key, struct err *e);

/*
 * Store a further server certificate of the issuing authority: from now on it is the newest. note: what its event says
 * beyond that, or NULL.
 */
int db_certificate_add_server(struct db *db, int64_t authority, const char *name, const struct db_certificate_new *c,
    const char *note, struct err *e);

struct db_certificate_filter {
	int64_t authority;		/* 0: any */
	const char *name;		/* of the certificate, or the MAC of its phone; NULL: any */
	bool revoked;			/* only revoked ones */
	bool server;			/* only servers', of any name and revoked or not */
};

/* As db_phone_each(), in the order of issue. */
int db_certificate_each(struct db *db, const struct db_certificate_filter *filter,
    int (*each)(const struct db_certificate *c, void *arg, struct err *e), void *arg, struct err *e);

/*
 * Mark certificates as revoked, take back what generations of theirs are offered, and replace the authority's CRL with
 * one that lists them. ERR_CONFLICT when one is revoked already.
 */
int db_revoke(struct db *db, int64_t authority, const unsigned char (*serials)[DB_SERIAL_SIZE], size_t count,
    time_t when, int reason, const struct db_crl *crl, struct err *e);

/*
 * Forget a phone. Its certificates stay, revoked as by db_revoke() in the same transaction: ERR_CONFLICT when one that
 * is not revoked is missing in serials. Those of dropped authorities need not be.
 */
int db_phone_remove(struct db *db, int64_t id, int64_t authority, const unsigned char (*serials)[DB_SERIAL_SIZE],
    size_t count, time_t when, int reason, const struct db_crl *crl, struct err *e);

/* ---- profiles and generations ---- */

/* Store a profile under the hash that the caller took of it; storing it again changes nothing. */
int db_profile_put(struct db *db, const char *hash, const void *text, size_t len, struct err *e);

/* Phones of one model and firmware that have generations of one profile. */
struct db_profile_use {
	char model[8], firmware[32];
	size_t phones;
	const void *text;	/* the profile's */
	size_t len;
};

/*
 * Every use of a profile by generations with which a phone may connect now: certificate neither revoked nor ended, and its
 * authority not dropped. Only by those that are offered, with offered. each must not make calls on db.
 */
int db_profile_use_each(struct db *db, time_t now, bool offered,
    int (*each)(const struct db_profile_use *use, void *arg, struct err *e), void *arg, struct err *e);

/* ---- keys made ahead of their phones ---- */

/* What a key of the pool is. */
struct db_key_kind {
	unsigned int bits;
	const char *keygen;	/* how it was made: "native", "library" */
};

/* Store keys, all or none. */
int db_key_pool_add(struct db *db, const struct db_key_kind *kind, const struct buf *keys, size_t count, struct err *e);

/* Forget them all, of every kind; *ret_count: how many there were. */
int db_key_pool_clear(struct db *db, size_t *ret_count, struct err *e);

int db_key_pool_count(struct db *db, const struct db_key_kind *kind, size_t *ret, struct err *e);

/*
 * Append the next key behind the one with number after (0: the first) onto ret_key; *ret_id is 0 when there is none. It
 * stays in the pool: it leaves it in the transaction that stores the certificate made for it, db_generation_commit().
 */
int db_key_pool_next(struct db *db, const struct db_key_kind *kind, int64_t after, int64_t *ret_id,
    struct buf *ret_key, struct err *e);

/* A phone's next generation. */
struct db_generation_new {
	int64_t phone;
	char mac[DB_MAC_SIZE];
	const struct db_certificate_new *certificate;	/* a new one, or NULL: */
	unsigned char serial[DB_SERIAL_SIZE];		/* the phone's existing certificate */
	int64_t authority;				/* issuer of the new one */
	int64_t rollout;				/* that it is for (db/rollout.h), or 0 */
	int64_t pool_key;				/* its key's number in the pool, which it leaves now; or 0 */
	char profile[DB_HASH_SIZE];
	char md5[DB_MD5_SIZE];				/* of the rendered bundle */
	size_t size;					/* of it, in bytes */
	int64_t ret_number;				/* out: 1 for the phone's first */
};

/*
 * Store generations, not yet offered, all or none. ERR_CONFLICT also when a key has left the pool already, or when the
 * authority of a new certificate is not the issuing one.
 */
int db_generation_commit(struct db *db, struct db_generation_new *generations, size_t count, struct err *e);

/* From now on offer these generations (phone id and number) to their phones, all or none. */
struct db_offer {
	int64_t phone, number;
};
int db_generation_offer(struct db *db, const struct db_offer *offers, size_t count, struct err *e);

struct db_generation {
	int64_t phone, number;
	unsigned char serial[DB_SERIAL_SIZE];
	char profile[DB_HASH_SIZE];
	char md5[DB_MD5_SIZE];
	size_t size;
	time_t created;
	time_t not_before, not_after, revoked;
	bool offered;
	bool withdrawn;			/* a rollout that it was for was rolled back */
};

/* A phone's generations, oldest first; as db_phone_each(). */
int db_generation_each(struct db *db, int64_t phone,
    int (*each)(const struct db_generation *g, void *arg, struct err *e), void *arg, struct err *e);

/* The parts that a generation's bundle is rendered from, and what the result must be. */
struct db_bundle {
	int64_t phone, number;
	unsigned char serial[DB_SERIAL_SIZE];
	struct buf profile, cert, key;
	char md5[DB_MD5_SIZE];
	size_t size;
	bool fetched;			/* that it was is on record (db/ladder.h); db_bundle_get() only */
};

/*
 * By phone and number, by phone and md5 (any generation whose certificate is not revoked, and its authority not dropped),
 * or the offered one (number 0 and md5 NULL). Release it with db_bundle_release().
 */
int db_bundle_get(struct db *db, const char *mac, int64_t number, const char *md5, struct db_bundle *ret,
    struct err *e);
void db_bundle_release(struct db_bundle *b);

/* ---- import ---- */

/* A certificate that another program has made. */
struct db_certificate_imported {
	struct db_certificate_new certificate;	/* cert and key NULL where they are not at hand */
	int64_t authority;		/* 0: the one that db_create() makes */
	const char *name;		/* its common name, or what stands for it */
	const char *phone;		/* MAC of the phone that it serves, or NULL */
	bool declared;			/* its own name is not that MAC: db_certificate_owner() */
	bool server;
	time_t revoked;			/* 0: not */
	int reason;
};

struct db_import {
	const struct db_phone_new *phones;	/* to be added */
	size_t phone_count;
	const struct db_certificate_imported *certificates;	/* in the order of issue */
	size_t certificate_count;
	const char *profile_hash;		/* as for db_profile_put(), when there are generations */
	const void *profile;
	size_t profile_len;
	/* stored and offered; certificate is NULL, serial that of one of certificates, phone is found by mac */
	struct db_generation_new *generations;
	size_t generation_count;
	bool server;			/* db_init's server is one of the old ones, too */
	/*
	 * Called before the end of the transaction, to read back what was stored through db; -1 with e undoes all.
	 */
	int (*verify)(struct db *db, void *arg, struct err *e);
	void *arg;
};

/*
 * Take over into a state that there is. A certificate whose serial is in the database already gets what it lacks: its
 * bytes, its key and its phone. ERR_CONFLICT when it is revoked, of another CA or another phone's.
 */
int db_import(struct db *db, const struct db_import *import, struct err *e);

/* ---- events ---- */

/*
 * The log is append-only; each row holds the SHA-256 of the row before, so that a changed or missing row shows. Every
 * change above appends its own.
 */
struct db_event {
	int64_t id;
	time_t when;
	const char *actor, *action, *subject, *detail; /* "phone.add", a MAC or serial, free text */
};

/* The newest limit events (0: all) about subject (NULL: any), oldest of them first; as db_phone_each(). */
int db_event_each(struct db *db, const char *subject, size_t limit,
    int (*each)(const struct db_event *event, void *arg, struct err *e), void *arg, struct err *e);

/* Walk the whole chain. ERR_INTEGRITY names the first row that does not fit. *ret_count: rows walked. */
int db_event_verify(struct db *db, size_t *ret_count, struct err *e);

#endif
