/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_PEM_H
#define PHONE_CERTIFICATE_PEM_H

#include "dseries/client.h"

#include <stdbool.h>
#include <stddef.h>

/* More than the DER in a block can be. */
#define CERTIFICATE_DER_MAX CLIENT_BLOCK_MAX

/*
 * PEM as every program writes it, which a fleet's bundles are full of: text begins with "-----BEGIN label-----", and what
 * follows is base64 on lines of at most 76, without a header. Its DER is then that of PEM_read_bio_ex(), in a tenth of the
 * time. False says nothing; *ret_len is at most CERTIFICATE_DER_MAX. What is in der may be a key: the caller cleanses it.
 */
bool certificate_pem_plain(const char *text, size_t len, const char *label, unsigned char der[CERTIFICATE_DER_MAX],
    size_t *ret_len);

#endif
