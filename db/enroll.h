/* SPDX-License-Identifier: ISC */
#ifndef DB_ENROLL_H
#define DB_ENROLL_H

#include "db/db.h"

/* Enrolment: a phone's first fetch, before it has its login. All that db/db.h says of its calls holds for these. */

#define DB_NETWORKS_SIZE 1024

/* While it is open, phones that were never provisioned may fetch once without a login. */
struct db_enroll_window {
	time_t opened, until;
	char networks[DB_NETWORKS_SIZE];	/* from where, as the caller reads and writes it */
	bool named;		/* only for the phones that it was opened for by name */
};

/* Open a window in place of the one before. phones are ids, count 0: it is open to all (named is set from that). */
int db_enroll_open(struct db *db, const struct db_enroll_window *w, const int64_t *phones, size_t count,
    struct err *e);

/* ERR_NOT_FOUND when there is none. */
int db_enroll_close(struct db *db, struct err *e);

/* The window, which may be over. ERR_NOT_FOUND when none was opened, or it was closed. */
int db_enroll_window(struct db *db, struct db_enroll_window *ret, struct err *e);

/*
 * Whether this phone may enroll, as far as it goes by the phone: it is in the fleet and is offered a generation, has
 * never enrolled nor logged in since it was added or reset, and the window is not for others.
 */
int db_enroll_may(struct db *db, const char *mac, bool *ret, struct err *e);

/* How many may. */
int db_enroll_count(struct db *db, size_t *ret, struct err *e);

/* Let a phone enroll that may, from this address: from now on it may not. ERR_NOT_FOUND when it may not now. */
int db_enroll_claim(struct db *db, const char *mac, const char *address, struct err *e);

/* A phone's first login of its own. */
struct db_login {
	char mac[DB_MAC_SIZE];
	time_t when;
};

/* Record them, all or none; those on record already, before a reset, or of no phone of the fleet are passed over. */
int db_login_record(struct db *db, const struct db_login *logins, size_t count, struct err *e);

/* A phone that counts as never provisioned again, with another password, so that the former opens nothing. */
struct db_reset {
	int64_t phone;
	const char *http_password;
};

/* All or none. */
int db_phone_reset(struct db *db, const struct db_reset *resets, size_t count, struct err *e);

#endif
