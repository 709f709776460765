/* SPDX-License-Identifier: ISC */
#ifndef CLI_BASE_DOCUMENT_H
#define CLI_BASE_DOCUMENT_H

#include "common/buf.h"
#include "common/err.h"

/*
 * The admin's own document of a phone, dir/<mac>.cfg, onto out. *ret_path becomes its name, which the caller frees, or
 * NULL where dir is NULL or has no such file. A folder that is not there is an error.
 */
int base_document(const char *dir, const char *mac, struct buf *out, char **ret_path, struct err *e);

#endif
