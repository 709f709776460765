/* SPDX-License-Identifier: ISC */
#ifndef CA_EASYRSA_INDEX_H
#define CA_EASYRSA_INDEX_H

#include "ca/cert.h"
#include "ca/crl.h"

/*
 * pki/index.txt of easy-rsa, the database of openssl-ca(1): a line a certificate, six fields with a tab between
 *
 *	status	expiry	revocation	serial	file	subject
 *
 * (apps/lib/apps.c and crypto/txt_db of OpenSSL 3.0). Dates are UTCTime or GeneralizedTime, a revocation is
 * "DATE[,REASON[,MORE]]", the serial is hex, the file always "unknown", the subject as X509_NAME_oneline() writes it.
 */
#define EASYRSA_INDEX_MAX (64 << 20)	/* bytes of a file */
#define EASYRSA_LINE_MAX 4096

enum easyrsa_status {
	EASYRSA_VALID = 'V',
	EASYRSA_REVOKED = 'R',
	EASYRSA_EXPIRED = 'E',	/* once, when "updatedb" was run; a V may be so as well */
};

struct easyrsa_row {
	unsigned long line;
	enum easyrsa_status status;
	time_t not_after;
	time_t revoked;			/* EASYRSA_REVOKED: when and why, else 0 */
	enum ca_reason reason;
	unsigned char serial[CA_SERIAL_SIZE];
	char common_name[CA_NAME_MAX + 1];	/* the subject's last CN, for a message: '/' in it cannot be told */
};

/* A line that is no row, and why. */
struct easyrsa_problem {
	unsigned long line;
	char text[256];
};

struct easyrsa_index {
	struct easyrsa_row *rows;	/* in the file's order */
	size_t row_count, row_size;
	struct easyrsa_problem *problems;	/* in that of the lines */
	size_t problem_count, problem_size;
};

#define EASYRSA_INDEX_INIT { .rows = NULL }

/*
 * Read an index: rows, and as problems the lines that are none and those whose serial stands in an earlier one. -1 only
 * when memory runs out. Release it in any case.
 */
int easyrsa_index_parse(const void *data, size_t len, struct easyrsa_index *ret, struct err *e);

void easyrsa_index_release(struct easyrsa_index *index);

#endif
