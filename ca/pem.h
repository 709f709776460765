/* SPDX-License-Identifier: ISC */
#ifndef CA_PEM_H
#define CA_PEM_H

#include "common/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>

/*
 * Certificates, CRLs and keys that others made, from PEM texts (RFC 7468): whatever stands between the blocks is
 * overlooked, as OpenVPN does. what names the text in messages. Nothing is judged but that it can be decoded:
 * ERR_INTEGRITY otherwise.
 */
#define CA_PEM_MAX 4096 /* certificates or CRLs of one text */

/* Every certificate of the text in its order, also none. The caller frees them with sk_X509_pop_free(.., X509_free). */
STACK_OF(X509) *ca_pem_certs(const void *text, size_t len, const char *what, struct err *e);

/* The first of them alone, whatever stands behind it; the caller frees it with X509_free(). */
X509 *ca_pem_cert(const void *text, size_t len, const char *what, struct err *e);

/* All CRLs, as ca_pem_certs(), and X509_CRL_free. */
STACK_OF(X509_CRL) *ca_pem_crls(const void *text, size_t len, const char *what, struct err *e);

/*
 * The first private key of the text, of any kind; passphrase (NULL: none) for an encrypted one. The caller frees it
 * with EVP_PKEY_free(). ERR_DENIED when it is encrypted and the passphrase is missing or wrong, ERR_NOT_FOUND when
 * there is no key.
 */
EVP_PKEY *ca_pem_key(const void *text, size_t len, const char *passphrase, const char *what, struct err *e);

#endif
