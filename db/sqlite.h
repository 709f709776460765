/* SPDX-License-Identifier: ISC */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "common/buf.h"
#include "common/err.h"
#include "db/authority.h"
#include "db/chain.h"
#include "db/host.h"
#include "db/folder.h"
#include "db/request.h"
#include "db/seal.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The SQLite engine's inside: for db/sqlite_*.c and their tests only. */

/* Every statement but BEGIN and its kind; the texts are in sqlite_statement.c, in this order. */
enum sql {
	SQL_READ_BEGIN,
	SQL_READ_END,
	SQL_DATA_VERSION,
	SQL_SETTING_GET,
	SQL_SETTING_PUT,
	SQL_AUTHORITY_ADD,
	SQL_AUTHORITY_ALL,
	SQL_AUTHORITY_CURRENT,
	SQL_AUTHORITY_KEY,
	SQL_AUTHORITY_CRL,
	SQL_AUTHORITY_STATE,
	SQL_AUTHORITY_SET_CRL,
	SQL_AUTHORITY_SET_ROLE,
	SQL_AUTHORITY_OFFERED,
	SQL_CERTIFICATE_ADD,
	SQL_CERTIFICATE_GET,
	SQL_CERTIFICATE_SERVER,
	SQL_CERTIFICATE_DER,
	SQL_CERTIFICATE_PAGE,
	SQL_CERTIFICATE_PAGE_BY_NAME,
	SQL_CERTIFICATE_PAGE_REVOKED,
	SQL_CERTIFICATE_PAGE_SERVER,
	SQL_CERTIFICATE_PHONE,
	SQL_CERTIFICATE_REVOKE,
	SQL_CERTIFICATE_COMPLETE,
	SQL_CERTIFICATE_LEFT,
	SQL_CERTIFICATE_TALLY,
	SQL_PHONE_ADD,
	SQL_PHONE_BY_ID,
	SQL_PHONE_BY_MAC,
	SQL_PHONE_BY_USER,
	SQL_PHONE_PAGE,
	SQL_PHONE_COUNT,
	SQL_PHONE_TALLY,
	SQL_PHONE_END_WEEKS,
	SQL_PHONE_SEEN,
	SQL_PHONE_SEALED,
	SQL_PHONE_LOGIN,
	SQL_PHONE_SET,
	SQL_PHONE_SET_SECRET,
	SQL_PHONE_SET_HTTP_PASSWORD,
	SQL_PHONE_OFFER,
	SQL_PHONE_TAKE_BACK,
	SQL_PHONE_TAKE_BACK_SERIAL,
	SQL_PHONE_REMOVE,
	SQL_HOST_ALL,
	SQL_HOST_RETURNED,
	SQL_HOST_OWNER,
	SQL_HOST_TAKE,
	SQL_HOST_RETURN,
	SQL_HOST_TAKEN,
	SQL_HOST_ABOVE,
	SQL_HOST_PAGE,
	SQL_HOLDING_PAGE,
	SQL_PROFILE_GET,
	SQL_PROFILE_ADD,
	SQL_PROFILE_USES,
	SQL_PROFILE_KINDS,
	SQL_PHONE_KINDS,
	SQL_GENERATION_ADD,
	SQL_GENERATION_STATE,
	SQL_GENERATION_PAGE,
	SQL_BUNDLE_BY_NUMBER,
	SQL_BUNDLE_BY_MD5,
	SQL_BUNDLE_OFFERED,
	SQL_BUNDLE_SERVED,
	SQL_ENROLL_WINDOW,
	SQL_ENROLL_OPEN,
	SQL_ENROLL_CLOSE,
	SQL_ENROLL_NAMES_CLEAR,
	SQL_ENROLL_NAME,
	SQL_ENROLL_PHONE,
	SQL_ENROLL_COUNT,
	SQL_ENROLL_CLAIM,
	SQL_LOGIN_RECORD,
	SQL_PHONE_RESET,
	SQL_LADDER_ADD,
	SQL_LADDER_PAGE,
	SQL_LADDER_NEWEST,
	SQL_SESSION_GET,
	SQL_SESSION_COUNT,
	SQL_SESSION_PHONE,
	SQL_SESSION_GENERATION,
	SQL_SESSION_SOLE,
	SQL_SESSION_PUT,
	SQL_SESSION_MOVE,
	SQL_SESSION_SEEN,
	SQL_SESSION_END,
	SQL_SESSION_SWEEP,
	SQL_SESSION_UNSETTLED,
	SQL_SESSION_SETTLED,
	SQL_ROLLOUT_ADD,
	SQL_ROLLOUT_GET,
	SQL_ROLLOUT_PAGE,
	SQL_ROLLOUT_SET,
	SQL_ROLLOUT_TALLY,
	SQL_ROLLOUT_PACE,
	SQL_ROLLOUT_BUSY,
	SQL_ROLLOUT_OF_PHONE,
	SQL_CANDIDATE_PAGE,
	SQL_CANDIDATE_WAITING,
	SQL_CANDIDATE_BY_MAC,
	SQL_MEMBER_ADD,
	SQL_MEMBER_GET,
	SQL_MEMBER_PAGE,
	SQL_MEMBER_PAGE_STATE,
	SQL_MEMBER_PROOF,
	SQL_MEMBER_TARGET,
	SQL_MEMBER_OFFERED,
	SQL_MEMBER_SET,
	SQL_MEMBER_RESTART,
	SQL_MEMBER_WITHDRAW,
	SQL_MEMBER_NOTIFIED,
	SQL_MEMBER_FORMER,
	SQL_MEMBER_FORMER_PROFILES,
	SQL_BAR,
	SQL_BARRED_ALL,
	SQL_BARRED_SESSION,
	SQL_BAR_ANSWER,
	SQL_KEY_POOL_ADD,
	SQL_KEY_POOL_NEXT,
	SQL_KEY_POOL_TAKE,
	SQL_KEY_POOL_COUNT,
	SQL_KEY_POOL_CLEAR,
	SQL_EVENT_ADD,
	SQL_EVENT_LAST,
	SQL_EVENT_START,
	SQL_EVENT_START_BY_SUBJECT,
	SQL_EVENT_PAGE,
	SQL_EVENT_PAGE_BY_SUBJECT,
	SQL_EVENT_ALL,
	SQL_COUNT,
};

/* The WAL index' header and its copy, 48 bytes each, which every commit changes: sqlite.org/walformat.html, section 2.1. */
#define SQL_WAL_HEADER_WORDS DB_MOMENT_WORDS

struct db {
	sqlite3 *sql;
	sqlite3_stmt *statements[SQL_COUNT];
	char *dir, *file, *key_path, *actor;
	unsigned char key[SEAL_KEY_SIZE];
	struct seal_opener *opener;	/* of key; made when it is first needed */
	bool at_once;		/* see struct db_location */
	bool writer;		/* may change: holds the lock, or makes or upgrades the database */
	struct folder_lock lock;
	unsigned int reads;	/* sql_read_begin() without its end */
	bool kept;		/* one state is, between two requests */
	const volatile uint64_t *wal_index;	/* db_read_keep(), or NULL */
	uint64_t seen[SQL_WAL_HEADER_WORDS];	/* its header before that state was taken */
	bool exact;		/* and after that */
	/* the event log's end, inside a transaction that has read it */
	bool head_known, head_changed;
	int64_t head_id, last_id;
	unsigned char head[CHAIN_HASH_SIZE];
};

/* ---- sqlite_open.c ---- */

/* A handle that is not attached to its database yet. */
struct db *sql_new(const struct db_location *where, struct err *e);
int sql_attach(struct db *db, struct err *e);
void sql_detach(struct db *db);

/* ---- sqlite_statement.c: the texts ---- */

const char *sql_statement_text(enum sql which);

/* ---- sqlite_query.c: running them ---- */

/* A value for a statement's next parameter. The bytes must live until sql_done(). */
struct sql_value {
	enum { SQL_IS_NULL, SQL_IS_INT, SQL_IS_TEXT, SQL_IS_BLOB } type;
	int64_t number;
	const void *data;
	size_t len;
};

#define SQL_NULL { .type = SQL_IS_NULL }
#define SQL_INT(n) { .type = SQL_IS_INT, .number = (n) }
#define SQL_TEXT(s) { .type = SQL_IS_TEXT, .data = (s) }	/* NULL counts as SQL_NULL */
#define SQL_BLOB(bytes, length) { .type = SQL_IS_BLOB, .data = (bytes), .len = (length) }

/* The bound statement, before its first row; NULL on failure. */
#define sql_start(db, which, e, ...) \
	sql_start_values(db, which, (const struct sql_value[]){ __VA_ARGS__ }, \
	    sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value), e)

/* Run a statement that returns no row. */
#define sql_run(db, which, e, ...) \
	sql_run_values(db, which, (const struct sql_value[]){ __VA_ARGS__ }, \
	    sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value), e)

sqlite3_stmt *sql_start_values(struct db *db, enum sql which, const struct sql_value *values, size_t count,
    struct err *e);
int sql_run_values(struct db *db, enum sql which, const struct sql_value *values, size_t count, struct err *e);

/* 1: a row is there, 0: no more, -1 with e filled, also for st NULL. */
int sql_step(struct db *db, sqlite3_stmt *st, struct err *e);

/* Rewind and forget the parameters; takes NULL. Every sql_start() needs it. */
void sql_done(sqlite3_stmt *st);

/* The last failure was a UNIQUE or a FOREIGN KEY constraint. */
bool sql_failed_unique(const struct db *db);
bool sql_failed_foreign_key(const struct db *db);

/* Columns of the row. ERR_INTEGRITY when what is stored does not fit into the field or is not size bytes long. */
int sql_column_text(struct db *db, sqlite3_stmt *st, int column, char *field, size_t size, struct err *e);
int sql_column_bytes(struct db *db, sqlite3_stmt *st, int column, void *out, size_t size, struct err *e);
int sql_column_hex(struct db *db, sqlite3_stmt *st, int column, char *out, size_t size, struct err *e);
int sql_column_buf(sqlite3_stmt *st, int column, struct buf *out, struct err *e);

/* A sealed column: to bytes, and its value from them. */
int sql_column_sealed(struct db *db, sqlite3_stmt *st, int column, const struct seal_place *place, struct buf *out,
    struct err *e);
int sql_seal(struct db *db, const struct seal_place *place, const void *plain, size_t len, struct buf *out,
    struct err *e);

/* Statements without parameters or rows, not kept. */
int sql_exec(struct db *db, const char *text, struct err *e);

/* The first row's first column of a statement that is not kept. */
int sql_exec_number(struct db *db, const char *text, int64_t *ret, struct err *e);

/* Fill e from SQLite's last failure, whose result code is rc. Always -1. */
int sql_fail(const struct db *db, int rc, struct err *e);

/* ---- sqlite_transaction.c ---- */

/* A changing transaction. sql_end() commits when rc is 0, else undoes all; it returns rc, or -1 with e filled. */
int sql_begin(struct db *db, struct err *e);
int sql_end(struct db *db, int rc, struct err *e);

/* Rows in pieces of SQL_PAGE, so that a listing needs little memory and its callback may make calls of its own. */
#define SQL_PAGE 512

struct sql_pages {
	size_t row_size;
	/* Fill up to SQL_PAGE rows with what follows the ones of the call before. */
	int (*fetch)(struct db *db, void *state, void *rows, size_t *ret_count, struct err *e);
	int (*call)(void *state, const void *row, struct err *e);
	void (*release)(void *row);	/* or NULL */
};

/* On a reader's handle all pieces are of one moment. */
int sql_pages_each(struct db *db, const struct sql_pages *pages, void *state, struct err *e);

/* ---- sqlite_schema.c ---- */

/* Step i leads from version i to version i + 1 (user_version). */
extern const char *const schema_steps[];
extern const size_t schema_version;

/*
 * ERR_NOT_FOUND: not initialised; ERR_INTEGRITY: another program's; ERR_CONFLICT: made by a newer phonevpn than one that
 * knows version known.
 */
int schema_check(struct db *db, size_t known, size_t *ret_version, struct err *e);

/* Inside a transaction. */
int schema_apply(struct db *db, const char *const *steps, size_t from, size_t to, struct err *e);

/* One transaction from the version it has to count, with an event. */
int schema_upgrade(struct db *db, const char *const *steps, size_t count, struct err *e);

/* ---- sqlite_setting.c: names with a dot are the engine's own, sealed, and no setting ---- */

#define SETTING_CHECK ".check"
#define SETTING_CHECK_VALUE "phonevpn"	/* sealed, it tells the right master key */
#define SETTING_NONCE_KEY ".nonce_key"
#define SETTING_EVENT_HEAD ".event_head"

int setting_put(struct db *db, const struct db_setting *setting, struct err *e);

/* With its event, where it differs from what is stored. */
int setting_change(struct db *db, const struct db_setting *setting, struct err *e);
int setting_put_sealed(struct db *db, const char *name, const void *data, size_t len, struct err *e);

/* size bytes exactly; ERR_NOT_FOUND when there are none. */
int setting_get_sealed(struct db *db, const char *name, void *out, size_t size, struct err *e);

/* ---- the tables, inside a transaction ---- */

int authority_add(struct db *db, const struct db_authority_new *n, enum db_role role, int64_t *ret_id, struct err *e);

/* ERR_CONFLICT when it does not issue now. */
int authority_issues(struct db *db, int64_t id, struct err *e);
int authority_set_crl(struct db *db, int64_t id, const struct db_crl *crl, struct err *e);

/* phone 0: the server's, or that of an imported one that serves no phone. cert and key may be NULL. */
int certificate_add(struct db *db, const struct db_certificate_new *c, int64_t authority, int64_t phone,
    const char *name, bool server, struct err *e);

/* Give one that is there its phone, name, bytes and key. */
int certificate_complete(struct db *db, const struct db_certificate_new *c, int64_t phone, const char *name,
    struct err *e);
int certificate_phone(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], int64_t *ret, struct err *e);
int certificate_read(struct db *db, sqlite3_stmt *st, struct db_certificate *ret, struct err *e);
int certificate_key(struct db *db, sqlite3_stmt *st, int column, const unsigned char serial[DB_SERIAL_SIZE],
    struct buf *ret, struct err *e);
int certificate_missing(const unsigned char serial[DB_SERIAL_SIZE], struct err *e);
int certificate_error(struct err *e, enum err_code code, const unsigned char serial[DB_SERIAL_SIZE], const char *text);

/* *ret_new: it was not on record yet; and then it is an event. */
struct db_step;
int ladder_add(struct db *db, const struct db_step *step, bool *ret_new, struct err *e);

/* A generation that was fetched: a session that was told of before that, and began after it, is with that one. */
int session_fetched(struct db *db, const struct db_step *step, struct err *e);

struct db_rollout;
int rollout_put(struct db *db, const struct db_rollout *r, struct err *e);

/* A generation of this phone's is for this rollout. ERR_NOT_FOUND when the phone is not in it, or is past that. */
int member_target(struct db *db, int64_t rollout, int64_t phone, int64_t number, struct err *e);

/* Take a key out of the pool; ERR_CONFLICT when it is not there any more. */
int key_pool_take(struct db *db, int64_t id, struct err *e);

int profile_put(struct db *db, const char *hex, const void *text, size_t len, struct err *e);
int generation_add(struct db *db, struct db_generation_new *g, struct err *e);
int generation_offer(struct db *db, const struct db_offer *o, struct err *e);

/* authority: of the certificates that name none. */
int import_add(struct db *db, const struct db_import *import, int64_t authority, struct err *e);
int import_verify(struct db *db, const struct db_import *import, struct err *e);

/* ERR_NOT_FOUND when there is no such phone. */
int phone_get_by_id(struct db *db, int64_t id, struct db_phone *ret, struct err *e);
int phone_mac(struct db *db, int64_t id, char ret[DB_MAC_SIZE], struct err *e);

/* Which numbers of the VPN's network were ever given away, read when the first is asked for. */
struct host_picker {
	bool known;
	uint32_t next;
	unsigned char given[DB_HOST_MAX / 8 + 1];
};

int phone_add(struct db *db, const struct db_phone_new *n, struct host_picker *picker, struct err *e);

/* A number for a phone that has none: picked, or this one (mac for the message). Gives none back. */
int host_pick(struct db *db, struct host_picker *picker, int64_t phone, const struct db_host_range *range,
    uint32_t *ret_host, struct err *e);
int host_take(struct db *db, int64_t phone, const char *mac, uint32_t host, struct err *e);
int host_return(struct db *db, int64_t phone, struct err *e);

int phone_set_password(struct db *db, const struct db_phone *p, const char *http_password, struct err *e);

/* Where a phone's sealed column lives; borrows both. */
struct seal_place phone_place(const char *mac, const char *column);

/* Append an event; fmt and what follows is its detail. */
int event_append(struct db *db, struct err *e, const char *action, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Before COMMIT: keep the hash of the last event, so that a log that lost its last rows shows. */
int event_head_store(struct db *db, struct err *e);

#endif
