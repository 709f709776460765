/* SPDX-License-Identifier: ISC */
#ifndef PHONE_MD5_H
#define PHONE_MD5_H

#include "common/err.h"

#include <stddef.h>

#define MD5_HEX_SIZE 33 /* 32 lower-case hex digits, as md5sum prints them, and NUL */

int md5_hex(const void *data, size_t len, char out[MD5_HEX_SIZE], struct err *e);

#endif
