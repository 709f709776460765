/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_BLOCK_H
#define BUNDLER_BLOCK_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

/* An inline block of the .ovpn: "<tag>", lines, "</tag>", each tag alone at the beginning of its line. */

/* Append the first tag. Returns where the content begins, for block_close(). */
size_t block_open(const char *tag, struct buf *out);

/* Append the last tag. ERR_INPUT when the phone would cut the content (CLIENT_BLOCK_MAX). */
int block_close(const char *tag, size_t start, struct buf *out, struct err *e);

#endif
