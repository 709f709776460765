/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_KEY_H
#define PHONE_CERTIFICATE_KEY_H

#include "common/err.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The first private key of this PEM text has no password and is the certificate's; whole: the private half is tried as
 * well, which takes a thousand times as long. -1 with ERR_INTEGRITY otherwise, and nothing of the key in the text.
 */
int certificate_key_check(const void *pem, size_t len, const X509 *cert, bool whole, struct err *e);

#endif
