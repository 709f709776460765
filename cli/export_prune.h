/* SPDX-License-Identifier: ISC */
#ifndef CLI_EXPORT_PRUNE_H
#define CLI_EXPORT_PRUNE_H

#include "db/db.h"

/*
 * Take out of an exported tree what "serve" would not serve any more: bundles of revoked certificates and of phones that
 * are gone, and the documents of those phones. Only files with the names that "export" gives are looked at. Adds to
 * *ret_removed how many there were.
 */
int export_prune(struct db *db, const char *out, unsigned long *ret_removed, struct err *e);

#endif
