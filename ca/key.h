/* SPDX-License-Identifier: ISC */
#ifndef CA_KEY_H
#define CA_KEY_H

#include "ca/keygen.h"
#include "common/buf.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdbool.h>

/*
 * Every suite in the phone's list is RSA, so that all keys are that we make (vendor page, "Ciphers"). A CA may have an EC
 * key, since that takes part in no suite (measured with 2.1 to 2.6).
 */
#define CA_KEY_BITS_PHONE 2048
#define CA_KEY_BITS_DEFAULT 3072 /* the CA's */

/* RSA, or EC where ec_too. ERR_INTEGRITY otherwise; what names it in the text. */
int ca_key_check(const EVP_PKEY *key, bool ec_too, const char *what, struct err *e);

/*
 * A new RSA key, e = 65537, of 2048, 3072 or 4096 bits; for many of them see ca/keygen.h. The caller frees it with
 * EVP_PKEY_free(). NULL on failure.
 */
EVP_PKEY *ca_key_generate(unsigned int bits, enum ca_keygen_how how, struct err *e);

/* Append the unencrypted PKCS#8 DER (RFC 5958): a secret; the caller releases out. */
int ca_key_encode(EVP_PKEY *key, struct buf *out, struct err *e);

/*
 * The reverse; anything behind the key, or a key that is neither RSA nor, as that of a CA that was imported may be, EC
 * is ERR_INTEGRITY, and so is an RSA key whose members do not belong together. The caller frees it.
 *
 * Of an RSA key of two primes neither of both leaves a copy behind that is not cleansed; of others libcrypto does.
 */
EVP_PKEY *ca_key_decode(const void *der, size_t len, struct err *e);

/*
 * A key from elsewhere, before it is kept: ca_key_decode() will take it when it has been stored. ERR_INTEGRITY otherwise;
 * what names it in the text.
 */
int ca_key_check_stored(EVP_PKEY *key, const char *what, struct err *e);

#endif
