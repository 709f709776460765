/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_DIGEST_HEADER_H
#define PROVISIONER_DIGEST_HEADER_H

#include "common/buf.h"
#include "common/err.h"
#include "provisioner/digest.h"

#include <stdbool.h>

#define DIGEST_HEX_SIZE 65 /* the longer hash in hex, and NUL */

/* Inside provisioner/ and its tests only. */

/* DIGEST_OK, DIGEST_ABSENT or DIGEST_MALFORMED. The fields point into ret, which is not to be copied. */
enum digest_result digest_header_parse(const char *authorization, struct digest_header *ret);

/* False when the header names an algorithm that is not among ours, "-sess" included. */
bool digest_header_algorithm(const struct digest_header *h, enum digest_algorithm *ret);

/*
 * The response that a client with this password sends (RFC 7616 section 3.4.1; RFC 2617 section 3.2.2.1 without qop),
 * in lower-case hex.
 */
int digest_response(const struct digest_header *h, enum digest_algorithm algorithm, const char *method,
    const char *password, char out[DIGEST_HEX_SIZE], struct err *e);

#endif
