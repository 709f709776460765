/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_KEY_H
#define PHONE_CERTIFICATE_KEY_H

#include "common/err.h"

#include <openssl/types.h>
#include <stddef.h>

/*
 * The first private key of this PEM text has no password and is the certificate's. -1 with ERR_INTEGRITY otherwise, and
 * nothing of the key in the text.
 */
int certificate_key_check(const void *pem, size_t len, const X509 *cert, struct err *e);

#endif
