/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_DIGEST_NONCE_H
#define PROVISIONER_DIGEST_NONCE_H

#include "common/err.h"
#include "provisioner/digest.h"

#include <stdint.h>

/*
 * Inside provisioner/ and its tests only: the nonces of digest.h, which no two requests ever share. What makes them may
 * be used by several threads at once.
 */
struct digest_nonces;

#define DIGEST_NONCE_SIZE 65 /* in hex, with NUL */

/* NULL on failure. digest_nonces_free() takes NULL. */
struct digest_nonces *digest_nonces_new(const unsigned char key[DIGEST_KEY_SIZE], struct err *e);
void digest_nonces_free(struct digest_nonces *n);

int digest_nonce_make(const struct digest_server *s, const struct digest_request *r, char out[DIGEST_NONCE_SIZE],
    struct err *e);

/*
 * DIGEST_OK, DIGEST_STALE, or DIGEST_WRONG when it is not ours, another client's or from the future. *ret_tag becomes a
 * part of its hash.
 */
enum digest_result digest_nonce_check(const struct digest_server *s, const struct digest_request *r, const char *nonce,
    uint64_t *ret_tag);

#endif
