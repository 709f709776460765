/* SPDX-License-Identifier: ISC */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/cert.h"

#include <stddef.h>
#include <stdint.h>

/*
 * CRLReason, RFC 5280 section 5.3.1, without removeFromCRL, which no full CRL has. CA_REASON_UNSPECIFIED is left out of
 * the entry, as the section asks.
 */
enum ca_reason {
	CA_REASON_UNSPECIFIED = 0,
	CA_REASON_KEY_COMPROMISE = 1,
	CA_REASON_CA_COMPROMISE = 2,
	CA_REASON_AFFILIATION_CHANGED = 3,
	CA_REASON_SUPERSEDED = 4,
	CA_REASON_CESSATION = 5,
	CA_REASON_HOLD = 6,
	CA_REASON_PRIVILEGE_WITHDRAWN = 9,
	CA_REASON_AA_COMPROMISE = 10,
};

struct ca_crl_entry {
	unsigned char serial[CA_SERIAL_SIZE];
	time_t revoked;
	enum ca_reason reason;
};

struct ca_crl_params {
	uint64_t number;		/* RFC 5280 section 5.2.3: greater than that of every CRL before */
	time_t this_update, next_update;
	const struct ca_crl_entry *entries;
	size_t count;
};

/* A version 2 CRL with AKI and CRL number, signed with SHA-256, as DER onto out. */
int ca_crl_issue(const struct ca_crl_params *params, const X509 *issuer, EVP_PKEY *issuer_key, struct buf *out,
    struct err *e);

/* The serial in decimal, as OpenVPN names the files of "crl-verify DIR dir". */
#define CA_SERIAL_DECIMAL_SIZE 50	/* 2^160 has 49 digits */
int ca_serial_decimal(const unsigned char serial[CA_SERIAL_SIZE], char out[CA_SERIAL_DECIMAL_SIZE], struct err *e);

/*
 * The entries of a CRL that another program has made, in memory that the caller frees, and its number (0: it has none).
 * An entry that is no revocation (removeFromCRL) is left out; a reason that RFC 5280 does not know is unspecified.
 * ERR_INTEGRITY when a serial has no room or a date is none.
 */
int ca_crl_read(X509_CRL *crl, struct ca_crl_entry **ret, size_t *ret_count, uint64_t *ret_number, struct err *e);

/* "keyCompromise" and so on, by name: those that a person gives for a phone. ERR_INPUT for others. */
int ca_reason_parse(const char *s, enum ca_reason *ret, struct err *e);
const char *ca_reason_name(enum ca_reason reason);

#endif
