/* SPDX-License-Identifier: ISC */
#ifndef CA_RSA_H
#define CA_RSA_H

#include "common/err.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stddef.h>

/* The members of RFC 8017's RSAPrivateKey, in its order; those after the public ones are secrets. */
enum ca_rsa_member {
	CA_RSA_MODULUS,
	CA_RSA_PUBLIC,
	CA_RSA_PRIVATE,
	CA_RSA_P,
	CA_RSA_Q,
	CA_RSA_DP,
	CA_RSA_DQ,
	CA_RSA_QINV,
	CA_RSA_MEMBERS
};

/*
 * The key of all those members, which stay the caller's. It frees the key with EVP_PKEY_free(). NULL on failure:
 * ERR_INTEGRITY when they do not belong together as RFC 8017 section 3.2 says.
 */
EVP_PKEY *ca_rsa_key(BIGNUM *const members[CA_RSA_MEMBERS], BN_CTX *ctx, struct err *e);

/*
 * The key of an RSAPrivateKey of two primes (RFC 8017 appendix A.1.2), len bytes of DER and nothing behind them. Other than
 * libcrypto's own decoders it leaves no copy of a secret in memory that is free again. *ret is NULL for what is none, which
 * is no failure; the caller frees it with EVP_PKEY_free(). ERR_INTEGRITY as ca_rsa_key().
 */
int ca_rsa_decode(const void *der, size_t len, EVP_PKEY **ret, struct err *e);

/*
 * The reverse, and likewise other than libcrypto's encoders: the length of *ret, NULL before, which the caller frees with
 * OPENSSL_clear_free(). 0 or less for a key that has not all those members or further primes, and without memory.
 */
int ca_rsa_encode(const EVP_PKEY *key, unsigned char **ret);

#endif
