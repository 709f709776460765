/* SPDX-License-Identifier: ISC */
#ifndef CA_TEMPLATE_H
#define CA_TEMPLATE_H

#include "ca/cert.h"

/*
 * Many certificates of one issuer that differ in serial, common name and key alone. The TBSCertificate (RFC 5280 section
 * 4.1) is made once, by ca_cert_issue() for a specimen; a further one is a copy with four places filled in, and its
 * signature: building it anew costs as much as signing it. One thread at a time.
 */
struct ca_template;

/*
 * params is what they all say; common_name and serial do not count. Keys of so many bits take the short way.
 * organization, issuer and issuer_key must outlive it. Free it with ca_template_free(); NULL on failure, for the
 * reasons of ca_cert_issue().
 */
struct ca_template *ca_template_new(const struct ca_cert_params *params, unsigned int bits, const X509 *issuer,
    EVP_PKEY *issuer_key, struct err *e);
void ca_template_free(struct ca_template *t);

/* The validity that all of them have. */
void ca_template_validity(const struct ca_template *t, time_t *ret_not_before, time_t *ret_not_after);

/*
 * Append the DER of the certificate for subject_key, byte for byte what ca_cert_issue() and ca_cert_encode() make. Its
 * signature is checked with the issuer's public key. A name of another length than a MAC, or another kind of key, takes
 * the long way.
 */
int ca_template_issue(struct ca_template *t, const char *common_name, const unsigned char serial[CA_SERIAL_SIZE],
    EVP_PKEY *subject_key, struct buf *out, struct err *e);

#endif
