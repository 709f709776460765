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

/* The bits of the certificate's RSA key, told from its DER alone; 0 when it is no RSA key, or not in DER. */
unsigned int certificate_key_rsa_bits(const X509 *cert);

/* A pem_password_cb: there is nobody to ask. */
int certificate_no_password(char *out, int size, int writing, void *arg);

#endif
