/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_DESCRIBE_H
#define PHONE_CERTIFICATE_DESCRIBE_H

#include "phone/certificate.h"

#include <openssl/types.h>
#include <time.h>

/* RFC 2253; a longer one is cut. */
void certificate_describe_name(const X509 *cert, char out[CERTIFICATE_NAME_SIZE]);

/* 0 for a time that cannot be read. */
time_t certificate_describe_time(const ASN1_TIME *when);

/* Set what ret says of the certificate itself, or of its CA; nothing else in it changes. */
void certificate_describe(const X509 *cert, struct certificate_info *ret);
void certificate_describe_ca(const X509 *ca, struct certificate_info *ret);

#endif
