/* SPDX-License-Identifier: ISC */
#ifndef CA_SERIAL_H
#define CA_SERIAL_H

#include "ca/cert.h"

#include <openssl/asn1.h>

/*
 * Inside ca/ only. The number with zero bytes in front. ERR_INTEGRITY, with serial untouched, when it is negative or its
 * DER has more than CA_SERIAL_SIZE octets.
 */
int serial_from_asn1(const ASN1_INTEGER *from, unsigned char serial[CA_SERIAL_SIZE], struct err *e);

#endif
