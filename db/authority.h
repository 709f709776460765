/* SPDX-License-Identifier: ISC */
#ifndef DB_AUTHORITY_H
#define DB_AUTHORITY_H

#include "db/db.h"

/* The CAs. All that db/db.h says of its calls holds for these. */

/*
 * What an authority is for. A phone checks the server's certificate and the server the phone's, so in a rotation both have
 * to trust both CAs for a while: an authority goes through these from the first to the last, and never back.
 */
enum db_role {
	DB_ROLE_NEXT = 1,	/* servers trust it, phones do not have it yet; it issues nothing. One at most. */
	DB_ROLE_ISSUING,	/* both trust it, and all that is issued now is issued by it. Exactly one. */
	DB_ROLE_FORMER,		/* both still trust it; it issues nothing any more */
	/*
	 * Nobody trusts it, and nothing of it is published. Its certificates count as gone: none is offered, reused or has to
	 * be revoked.
	 */
	DB_ROLE_DROPPED,
};

/* "next" and so on. */
const char *db_role_name(enum db_role role);

/* Sets of roles. */
#define DB_ROLES(role) (1U << (role))
#define DB_ROLES_PHONES (DB_ROLES(DB_ROLE_ISSUING) | DB_ROLES(DB_ROLE_FORMER))	/* what phones trust */
#define DB_ROLES_SERVERS (DB_ROLES_PHONES | DB_ROLES(DB_ROLE_NEXT))	/* what servers trust, and whose CRLs they read */
#define DB_ROLES_ALL (DB_ROLES_SERVERS | DB_ROLES(DB_ROLE_DROPPED))

struct db_authority {
	int64_t id;
	enum db_role role;
	char name[65];
	struct buf cert;		/* DER */
	time_t created;
	uint64_t crl_number;
	time_t crl_this_update, crl_next_update;
};

/* The authority that issues now. Release it with db_authority_release(). */
int db_authority_current(struct db *db, struct db_authority *ret, struct err *e);

/* All of these roles, oldest first, in memory that db_authority_free() takes. */
int db_authority_list(struct db *db, unsigned int roles, struct db_authority **ret, size_t *ret_count, struct err *e);

/* Take in another one, as DB_ROLE_NEXT. ERR_CONFLICT when there is one, or one of that name, whatever its role. */
struct db_authority_new {
	const char *name;
	const struct buf *cert, *key;	/* DER */
	const struct db_crl *crl;
};
int db_authority_add(struct db *db, const struct db_authority_new *n, struct err *e);

/* The next one issues from now on, and the one that did becomes a former one. ERR_CONFLICT when it is no next one. */
int db_authority_promote(struct db *db, int64_t id, struct err *e);

/*
 * Give up a next or a former one. ERR_CONFLICT when it is another, when the server's certificate is its, which the first of
 * the two tells beforehand, or when a phone is offered a certificate of it. What phones have beyond that is the caller's to
 * ask: db/holding.h.
 */
int db_authority_may_drop(struct db *db, int64_t id, struct err *e);
int db_authority_drop(struct db *db, int64_t id, struct err *e);

int db_authority_key(struct db *db, int64_t id, struct buf *ret, struct err *e);
int db_authority_crl(struct db *db, int64_t id, struct buf *ret, struct err *e);

/* Replace the CRL; its number must be greater than the last one's (ERR_CONFLICT). */
int db_authority_set_crl(struct db *db, int64_t id, const struct db_crl *crl, struct err *e);

void db_authority_release(struct db_authority *a);
void db_authority_free(struct db_authority *all, size_t count);

#endif
