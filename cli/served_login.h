/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVED_LOGIN_H
#define CLI_SERVED_LOGIN_H

#include "common/buf.h"
#include "db/request.h"

#include <stdbool.h>

/*
 * Who logged in last, for all handles of a server: a phone that boots logs in twice within a second or so. What is here
 * is of one state; as soon as a handle sees another one, all is forgotten.
 */
struct served_logins;

#define SERVED_LOGINS 2048		/* slots; two users of one take turns */
#define SERVED_PASSWORD_MAX 64	/* a longer one is looked up each time */

/* NULL when memory is short. */
struct served_logins *served_logins_new(void);
void served_logins_free(struct served_logins *l);

/* As db_phone_login() for db, between db_read_begin() and its end, but false when it is not at hand. */
bool served_login_get(struct served_logins *l, const struct db *db, const char *user, struct db_phone *ret,
    struct buf *ret_password);

/* Keep what db_phone_login() told, of a phone whose password was right. */
void served_login_put(struct served_logins *l, const struct db *db, const struct db_phone *phone,
    const struct buf *password);

/* Forget all, passwords above all. */
void served_logins_forget(struct served_logins *l);

#endif
