/* SPDX-License-Identifier: ISC */
#ifndef CA_TIME_H
#define CA_TIME_H

#include "common/err.h"

#include <openssl/asn1.h>
#include <time.h>

/*
 * Inside ca/ only. RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. ERR_INPUT for a time
 * that has neither, before 1950 or after 9999. what names it in the text.
 */
int time_to_asn1(time_t from, const char *what, ASN1_TIME *to, struct err *e);

/* The reverse. ERR_INTEGRITY when it is no time. */
int time_from_asn1(const ASN1_TIME *from, const char *what, time_t *ret, struct err *e);

#endif
