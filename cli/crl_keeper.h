/* SPDX-License-Identifier: ISC */
#ifndef CLI_CRL_KEEPER_H
#define CLI_CRL_KEEPER_H

#include "db/db.h"

#include <stdbool.h>

/* Beside a server: renew each CRL when half its life is over, and bring every change to the OpenVPN server's folder. */
struct crl_keeper;

/* where, with at_once, must outlive it. NULL on failure. */
struct crl_keeper *crl_keeper_start(const struct db_location *where, struct err *e);

/* False when it has not come to its end in time: it still uses what it has. NULL is taken. */
bool crl_keeper_stop(struct crl_keeper *k);

#endif
