/* SPDX-License-Identifier: ISC */
#ifndef CA_KEY_H
#define CA_KEY_H

#include "common/buf.h"
#include "common/err.h"

#include <openssl/evp.h>

/* Every suite in the phone's list is RSA, so that all keys are (vendor page, "Ciphers"). */
#define CA_KEY_BITS_PHONE 2048
#define CA_KEY_BITS_DEFAULT 3072 /* the CA's */

/* A new RSA key, e = 65537, of 2048, 3072 or 4096 bits. The caller frees it with EVP_PKEY_free(). NULL on failure. */
EVP_PKEY *ca_key_generate(unsigned int bits, struct err *e);

/* Append the unencrypted PKCS#8 DER (RFC 5958): a secret; the caller releases out. */
int ca_key_encode(EVP_PKEY *key, struct buf *out, struct err *e);

/* The reverse; anything behind the key, or a key that is not RSA, is ERR_INTEGRITY. The caller frees it. */
EVP_PKEY *ca_key_decode(const void *der, size_t len, struct err *e);

#endif
