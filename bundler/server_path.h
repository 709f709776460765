/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_SERVER_PATH_H
#define BUNDLER_SERVER_PATH_H

#include "common/buf.h"
#include "common/err.h"

/* Paths as OpenVPN's configuration takes them. */

/* An absolute path without control characters. ERR_INPUT otherwise. */
int server_path_check(const char *dir, struct err *e);

/* Append "DIRECTIVE DIR/NAME [ARGUMENT]" and a line's end, the path in quotes where it needs them. */
void server_path_add(struct buf *out, const char *directive, const char *dir, const char *name, const char *argument);

#endif
