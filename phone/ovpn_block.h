/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_BLOCK_H
#define PHONE_OVPN_BLOCK_H

#include "common/err.h"
#include "phone/ovpn_line.h"

#include <stdbool.h>
#include <stddef.h>

/* What stands between <name> and </name>, line ends included. Borrowed from the source. */
struct ovpn_block {
	const char *text;
	size_t len;		/* what the phone's OpenVPN keeps */
	size_t whole;		/* what stands there; more than it keeps is dropped without a word */
	unsigned int line;	/* of the opening tag */
	bool long_pem;		/* ovpn_block_check_pem() saw base64 of more than CLIENT_PEM_COLUMNS */
};

/*
 * Read a block whose opening tag was just taken, and its closing tag. ERR_INTEGRITY when the closing tag is not there or
 * does not begin its line.
 */
int ovpn_block_read(struct ovpn_source *src, const char *name, struct ovpn_block *ret, struct err *e);

/* The block holds whole PEM of certificates, or of one private key without a password. ERR_INTEGRITY otherwise. */
int ovpn_block_check_pem(struct ovpn_block *block, bool key, struct err *e);

/* As 2.3.2's read_key_file() in crypto.c reads the key in <tls-auth>. */
int ovpn_block_check_static_key(const struct ovpn_block *block, struct err *e);

#endif
