/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVER_DIR_H
#define CLI_SERVER_DIR_H

#include "common/err.h"

#include <stdbool.h>

/*
 * The folder's absolute path without links, in new memory; the folder is made, unless this is a dry run. NULL on failure.
 */
char *server_dir_make(const char *dir, bool dry_run, struct err *e);

/*
 * Can the user that OpenVPN becomes enter the folder, and all that it is in? Else it would find neither CRL nor a phone's
 * file once it is up, and say next to nothing. -1 with the reason.
 */
int server_dir_is_open(const char *dir, const char *user, const char *group, struct err *e);

#endif
