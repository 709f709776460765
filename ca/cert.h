/* SPDX-License-Identifier: ISC */
#ifndef CA_CERT_H
#define CA_CERT_H

#include "common/buf.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

/*
 * RFC 5280 section 4.1.2.2: positive, at most 20 octets. Ours have exactly 20, the first from 0x40 to 0x7f; those of
 * other programs may be shorter, and have zero bytes in front here.
 */
#define CA_SERIAL_SIZE 20
#define CA_NAME_MAX 64 /* ub-common-name and ub-organization-name, RFC 5280 appendix A.1 */

enum ca_kind {
	CA_KIND_ROOT,
	CA_KIND_SERVER,
	CA_KIND_PHONE,
};

/* What a new certificate shall say. */
struct ca_cert_params {
	enum ca_kind kind;
	const char *organization;	/* O, or NULL */
	const char *common_name;	/* CN, 1 to CA_NAME_MAX bytes of UTF-8 */
	const char *host;		/* CA_KIND_SERVER: DNS name or address for subjectAltName, or NULL */
	time_t not_before, not_after;	/* cut to the issuer's validity, never longer than it */
	unsigned char serial[CA_SERIAL_SIZE];
};

/* A fresh random serial in the form above. */
int ca_serial_new(unsigned char serial[CA_SERIAL_SIZE], struct err *e);

/* A common name for a root that no later root will share: "NAME CA " and 16 random hex digits (prefix cut to fit). */
int ca_root_name(const char *name, char out[CA_NAME_MAX + 1], struct err *e);

/*
 * Make and sign (SHA-256) a certificate for subject_key. issuer and issuer_key are NULL for a root, which signs itself.
 * Thread-safe for one issuer. The caller frees it with X509_free(); NULL on failure: a bad name, a validity that the
 * issuer's leaves nothing of, an issuer that is no CA.
 *
 * Extensions, RFC 5280 section 4.2.1 and the measured needs of OpenVPN 2.1 to 2.6:
 * root:   basicConstraints critical CA:TRUE pathlen:0, keyUsage critical keyCertSign cRLSign, SKI
 * server: CA:FALSE, keyUsage digitalSignature keyEncipherment and nothing else (remote-cert-tls in 2.3 wants exactly
 *         0xa0), extendedKeyUsage serverAuth, nsCertType server (ns-cert-type in 2.1 to 2.3), SKI, AKI, subjectAltName
 * phone:  CA:FALSE, keyUsage digitalSignature, extendedKeyUsage clientAuth, SKI, AKI
 * AKI is the key id alone: one with issuer and serial breaks every leaf when the CA is renewed.
 */
X509 *ca_cert_issue(const struct ca_cert_params *params, EVP_PKEY *subject_key, const X509 *issuer,
    EVP_PKEY *issuer_key, struct err *e);

int ca_cert_encode(const X509 *cert, struct buf *out, struct err *e);

/* Bytes behind the certificate are ERR_INTEGRITY. The caller frees it. */
X509 *ca_cert_decode(const void *der, size_t len, struct err *e);

/* The validity and the serial as they stand in the certificate. A serial that has no room is ERR_INTEGRITY. */
int ca_cert_validity(const X509 *cert, time_t *ret_not_before, time_t *ret_not_after, struct err *e);
int ca_cert_serial(const X509 *cert, unsigned char serial[CA_SERIAL_SIZE], struct err *e);

/*
 * Their subjects are one and the same by RFC 5280 section 7.1. OpenVPN's server does not start with two CAs in its ca file of
 * which this holds.
 */
bool ca_cert_same_subject(const X509 *a, const X509 *b);

/* The subject's one CN is common_name; ERR_INTEGRITY otherwise. */
int ca_cert_check_name(const X509 *cert, const char *common_name, struct err *e);

/*
 * The same of an encoded certificate of which nothing but its subject is read: OpenSSL 3's whole decoding takes longer
 * than all else of serving it.
 */
int ca_cert_check_name_der(const void *der, size_t len, const char *common_name, struct err *e);

/*
 * What must hold before a certificate is stored or handed out: it is signed by the issuer (itself for a root, when
 * issuer is NULL), the key is its key, and it is valid at now for its purpose. ERR_INTEGRITY with the reason.
 */
int ca_cert_check(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now, struct err *e);

/*
 * The same for a certificate that another program has made: its extensions may be more than ours, as long as they let it
 * serve as its kind (RFC 5280 section 4.2.1, and what remote-cert-tls asks of the other side: server_conf_render()).
 */
int ca_cert_check_foreign(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now, struct err *e);

#endif
