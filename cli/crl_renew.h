/* SPDX-License-Identifier: ISC */
#ifndef CLI_CRL_RENEW_H
#define CLI_CRL_RENEW_H

#include "db/db.h"

/*
 * Is there a CRL whose life is half over (an expired one would keep every phone out), or any at all, with every? db needs only to
 * be open for reading.
 */
int crl_is_due(struct db *db, bool every, bool *ret, struct err *e);

/* Sign those anew, each with its CA's key. */
int crl_renew_due(struct db *db, bool every, struct err *e);

#endif
