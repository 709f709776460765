/* SPDX-License-Identifier: ISC */
#ifndef CA_EXTENSION_H
#define CA_EXTENSION_H

#include "ca/cert.h"
#include "common/err.h"

#include <openssl/x509v3.h>

/* Inside ca/ only. RFC 5280 section 4.2.1: what each kind of certificate says of itself, put in and read back. */

/*
 * Add to a certificate whose public key is set the extensions that ca/cert.h lists for params->kind. issuer is NULL for
 * a root. ERR_INPUT when params->host is neither an address nor a DNS name.
 */
int extension_add(X509 *cert, const struct ca_cert_params *params, const X509 *issuer, struct err *e);

/* The certificate says of itself what extension_add() writes for its kind. ERR_INTEGRITY when it does not. */
int extension_check(X509 *cert, enum ca_kind kind, struct err *e);

/* What another program wrote lets it serve as that kind: ca/cert.h, ca_cert_check_foreign(). */
int extension_check_foreign(X509 *cert, enum ca_kind kind, struct err *e);

/*
 * issuer is a CA with that keyUsage (KU_KEY_CERT_SIGN, KU_CRL_SIGN), or with none at all, which forbids nothing.
 * ERR_INPUT when it is not. Changes no cache.
 */
int extension_check_issuer(const X509 *issuer, unsigned int usage, struct err *e);

/* The issuer's key id alone, for certificates and CRLs; the caller frees it with AUTHORITY_KEYID_free(). */
AUTHORITY_KEYID *extension_authority(const X509 *issuer, struct err *e);

#endif
