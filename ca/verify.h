/* SPDX-License-Identifier: ISC */
#ifndef CA_VERIFY_H
#define CA_VERIFY_H

#include "ca/bulk.h"

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

/* One thing that keeps a certificate from being accepted. */
struct ca_fault {
	int code;	/* X509_V_ERR_... of openssl/x509_vfy.h */
	int depth;	/* of the certificate that it is about: 0 is the one that was verified */
	X509 *cert;	/* that one, borrowed from the stacks; NULL where there is none */
};

#define CA_FAULTS_MAX 8

enum ca_purpose {
	CA_PURPOSE_ANY,
	CA_PURPOSE_CLIENT,	/* what a TLS server asks of its clients' certificates */
	CA_PURPOSE_SERVER,
};

/*
 * Verify cert through others (NULL: none) up to a root among cas, as of when, with RFC 5280's rules as libcrypto has
 * them: every fault, not the first one only. No CRL is looked at, and no security level holds. *ret_count is 0 for a
 * certificate without fault; more than CA_FAULTS_MAX are left out. voucher (or NULL) learns from a client's without
 * fault. -1 when memory ran out.
 */
int ca_verify(X509 *cert, STACK_OF(X509) *others, STACK_OF(X509) *cas, enum ca_purpose purpose, time_t when,
    struct ca_voucher *voucher, struct ca_fault ret[CA_FAULTS_MAX], size_t *ret_count, struct err *e);

#endif
