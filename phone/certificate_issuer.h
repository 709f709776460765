/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_ISSUER_H
#define PHONE_CERTIFICATE_ISSUER_H

#include "phone/certificate.h"

#include <openssl/types.h>
#include <stdbool.h>

/*
 * A CA of many phones, for a short way to the same verdict: most of what X509_verify_cert() looks at is the same for all
 * that a CA signs, and libcrypto 3.0 takes twice as long to decode the phone's own RSA key, which is only compared,
 * as to check the signature.
 */

/*
 * ctx found a certificate good, by a chain of itself and one CA, and nothing was to be noted. The CA, where it
 * is one for the short way; else NULL, without an error.
 */
struct certificate_issuer *certificate_issuer_new(X509_STORE_CTX *ctx, const struct certificate_info *info);

/*
 * Certificate and key are good at clock, with nothing to note, and *ret describes them: an ordinary certificate of an RSA
 * key, signed by that CA in the way of the first. False says nothing: certificate_check() goes the whole way.
 */
bool certificate_issuer_vouches(const struct certificate_issuer *issuer, const struct certificate_pem *pem, time_t clock,
    struct certificate_info *ret);

void certificate_issuer_free(struct certificate_issuer *issuer);

#endif
