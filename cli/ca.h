/* SPDX-License-Identifier: ISC */
#ifndef CLI_CA_H
#define CLI_CA_H

#include "cli/settings.h"
#include "db/authority.h"

/* The CA of that name. ERR_NOT_FOUND; release it with db_authority_release(). */
int ca_find(struct db *db, const char *name, struct db_authority *ret, struct err *e);

/* What the OpenVPN server needs after its ca file or its certificate has changed: a line without its end. */
const char *ca_server_step(const struct settings *s);

#endif
