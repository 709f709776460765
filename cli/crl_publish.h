/* SPDX-License-Identifier: ISC */
#ifndef CLI_CRL_PUBLISH_H
#define CLI_CRL_PUBLISH_H

#include "cli/settings.h"
#include "common/command.h"
#include "db/db.h"

/* How a CRL comes to the OpenVPN server: into the folder of 'emit server', where the setting server-dir names it. */

/*
 * Replace a file that OpenVPN reads again when its size or its time, in whole seconds, is another: where both would be the
 * same, its time is put a second on.
 */
int crl_file_replace(const char *path, const struct buf *text, struct err *e);

/*
 * Write what is revoked now, all authorities' CRLs one behind the other and a file for each serial, where it differs, and
 * check what is there then: that each CRL is its CA's and has not ended. ERR_NOT_FOUND where server-dir is not set.
 */
int crl_publish(struct db *db, const struct settings *s, struct err *e);

/*
 * After a revocation: publish it, or else have *ret_todo say what the admin has to do for the server to know; borrowed,
 * NULL when nothing is left to be done.
 */
int crl_tell(struct db *db, const struct settings *s, const char **ret_todo, struct err *e);

#endif
