/* SPDX-License-Identifier: ISC */
#ifndef COMMON_PEM_H
#define COMMON_PEM_H

#include "common/buf.h"
#include "common/err.h"

/* Labels of RFC 7468: sections 5, 6 and 10. */
#define PEM_LABEL_CERTIFICATE "CERTIFICATE"
#define PEM_LABEL_CRL "X509 CRL"
#define PEM_LABEL_KEY "PRIVATE KEY"

/*
 * Append DER bytes as one PEM block: 64 columns, LF, the same text each time (RFC 7468 section 2). Nothing is written
 * outside the block.
 */
int pem_encode(const char *label, const void *der, size_t len, struct buf *out, struct err *e);

/* How long that is. */
size_t pem_size(const char *label, size_t len);

#endif
