/* SPDX-License-Identifier: ISC */
#ifndef DB_SEAL_H
#define DB_SEAL_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

/*
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the master key. A sealed value is
 *
 *	version (1 byte, 1) | nonce (12 bytes, random) | ciphertext | tag (16 bytes)
 *
 * and its associated data say where it lives, so that a value that was moved to another row, column or table does not
 * open. Nonces are random: one key seals far fewer than the 2^32 values that section 8.3 allows.
 */

#define SEAL_KEY_SIZE 32
#define SEAL_NONCE_SIZE 12
#define SEAL_TAG_SIZE 16
#define SEAL_OVERHEAD (1 + SEAL_NONCE_SIZE + SEAL_TAG_SIZE)

/* Where a value lives: table and column, and what identifies the row for all its life. */
struct seal_place {
	const char *table, *column;
	const void *row;
	size_t row_len;
};

struct seal_opener;

/* Append the sealed form of len bytes onto out. */
int seal_encrypt(const unsigned char key[SEAL_KEY_SIZE], const struct seal_place *place, const void *plain, size_t len,
    struct buf *out, struct err *e);

/*
 * Append what was sealed onto out. ERR_INTEGRITY, with nothing appended, when the key or the place is another one or a
 * bit has changed.
 */
int seal_decrypt(const unsigned char key[SEAL_KEY_SIZE], const struct seal_place *place, const void *sealed, size_t len,
    struct buf *out, struct err *e);

/* The same, with a key that is set up once. NULL on failure. The caller frees it; not for two threads at once. */
struct seal_opener *seal_opener_new(const unsigned char key[SEAL_KEY_SIZE], struct err *e);
void seal_opener_free(struct seal_opener *o);
int seal_open(struct seal_opener *o, const struct seal_place *place, const void *sealed, size_t len, struct buf *out,
    struct err *e);

/*
 * The cipher alone, for published test vectors: out gets len bytes. Nothing else may choose a nonce.
 */
int seal_gcm(const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[SEAL_NONCE_SIZE], const void *aad,
    size_t aad_len, const void *plain, size_t len, unsigned char *out, unsigned char tag[SEAL_TAG_SIZE], struct err *e);

#endif
