/* SPDX-License-Identifier: ISC */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/cert.h"

#include <stddef.h>
#include <stdint.h>

/* CRLReason, RFC 5280 section 5.3.1. CA_REASON_UNSPECIFIED is left out of the entry, as the section asks. */
enum ca_reason {
	CA_REASON_UNSPECIFIED = 0,
	CA_REASON_KEY_COMPROMISE = 1,
	CA_REASON_SUPERSEDED = 4,
	CA_REASON_CESSATION = 5,
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

/* "keyCompromise" and so on, by name; ERR_INPUT for others. */
int ca_reason_parse(const char *s, enum ca_reason *ret, struct err *e);
const char *ca_reason_name(enum ca_reason reason);

#endif
