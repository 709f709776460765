/* SPDX-License-Identifier: ISC */
#ifndef CLI_STRANDED_H
#define CLI_STRANDED_H

#include "db/authority.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Phones that a change of the server's CAs would keep off the VPN: by what they are offered, and by what they were last seen
 * with on the VPN, where somebody watches.
 */
enum stranded_why {
	STRANDED_OFFERED_OF,	/* it is offered a certificate of the CA that is given up */
	STRANDED_SEEN_OF,	/* it was last seen with one */
	STRANDED_OFFERED_TRUST,	/* it is offered a bundle that does not trust the server's CA */
	STRANDED_SEEN_TRUST,	/* it was last seen with one */
	STRANDED_WHY_COUNT,
};

#define STRANDED_SHOWN 5

/* Each phone once, for the first reason. */
struct stranded {
	size_t phones;
	size_t unseen;	/* beside them: whether they have what they are offered is not known */
	size_t count[STRANDED_WHY_COUNT];
	char first[STRANDED_WHY_COUNT][STRANDED_SHOWN][DB_MAC_SIZE];
};

/* given_up: the id of the CA that no server trusts afterwards, or 0. trusted: that of the server's certificate afterwards. */
int stranded_find(struct db *db, int64_t given_up, const struct db_authority *trusted, struct stranded *ret,
    struct err *e);

/* Likewise, were the rollout rolled back: phones that would be offered a bundle that does not trust the server's CA. */
int stranded_former_find(struct db *db, int64_t rollout, const struct db_authority *trusted, size_t *ret_phones,
    char ret_first[DB_MAC_SIZE], struct err *e);

/* "3 phones are offered ... (000fd3006501, ...); 1 phone was ..."; nothing when there are none. */
#define STRANDED_TEXT_SIZE 700
void stranded_print(const struct stranded *s, char out[STRANDED_TEXT_SIZE]);

/* On standard output, of the unseen ones, a line where there are any. */
void stranded_unseen_print(const struct stranded *s);

#endif
