/* SPDX-License-Identifier: ISC */
#include "ca/serial.h"

#include <string.h>

#define SIGN_BIT 0x80

int
serial_from_asn1(const ASN1_INTEGER *from, unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	const unsigned char *data = ASN1_STRING_get0_data(from);
	const int len = ASN1_STRING_length(from);
	/* The sign is in the type; DER has a zero in front of a number that begins with its highest bit. */
	const int octets = len + (len > 0 && (data[0] & SIGN_BIT) != 0);

	if (ASN1_STRING_type(from) != V_ASN1_INTEGER || octets > CA_SERIAL_SIZE)
		return err_set(e, ERR_INTEGRITY,
		    "serial number (RFC 5280 section 4.1.2.2): expected a positive number of at most %d octets, found "
		    "%s%d",
		    CA_SERIAL_SIZE, ASN1_STRING_type(from) == V_ASN1_INTEGER ? "" : "a negative one of ", octets);
	memset(serial, 0, CA_SERIAL_SIZE);
	if (len > 0)
		memcpy(serial + CA_SERIAL_SIZE - len, data, (size_t)len);
	return 0;
}
