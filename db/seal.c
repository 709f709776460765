/* SPDX-License-Identifier: ISC */
#include "db/seal.h"

#include "common/process.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_VERSION 1
#define PLACE_MAX 512

/* Table and column are names without NUL and the row is last, so no two places give the same bytes. */
static int
place_encode(const struct seal_place *place, struct buf *aad, struct err *e)
{
	const unsigned char version = SEAL_VERSION;

	buf_add(aad, &version, 1);
	buf_add(aad, place->table, strlen(place->table) + 1);
	buf_add(aad, place->column, strlen(place->column) + 1);
	buf_add(aad, place->row, place->row_len);
	return buf_check(aad, "place of a sealed value", e);
}

int
seal_gcm(const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[SEAL_NONCE_SIZE], const void *aad,
    size_t aad_len, const void *plain, size_t len, unsigned char *out, unsigned char tag[SEAL_TAG_SIZE], struct err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, rc = -1;

	if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1 ||
	    (len > 0 && EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, tag) != 1) {
		err_openssl(e, ERR_FAILED, "AES-256-GCM");
		goto out;
	}
	rc = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int
seal_encrypt(const unsigned char key[SEAL_KEY_SIZE], const struct seal_place *place, const void *plain, size_t len,
    struct buf *out, struct err *e)
{
	struct buf aad = BUF_INIT(PLACE_MAX);
	unsigned char *sealed = NULL;
	int rc = -1;

	if (len > INT_MAX - SEAL_OVERHEAD)
		return err_set(e, ERR_FAILED, "%s.%s: too long to be sealed", place->table, place->column);
	if (place_encode(place, &aad, e) != 0)
		goto out;
	sealed = malloc(len + SEAL_OVERHEAD);
	if (sealed == NULL) {
		err_set(e, ERR_FAILED, "%s.%s: no memory", place->table, place->column);
		goto out;
	}
	sealed[0] = SEAL_VERSION;
	if (process_random(sealed + 1, SEAL_NONCE_SIZE, e) != 0 ||
	    seal_gcm(key, sealed + 1, aad.data, aad.len, plain, len, sealed + 1 + SEAL_NONCE_SIZE,
		sealed + 1 + SEAL_NONCE_SIZE + len, e) != 0)
		goto out;
	buf_add(out, sealed, len + SEAL_OVERHEAD);
	rc = buf_check(out, place->column, e);
out:
	free(sealed);
	buf_release(&aad);
	return rc;
}

struct seal_opener {
	EVP_CIPHER_CTX *ctx; /* holds the key */
};

struct seal_opener *
seal_opener_new(const unsigned char key[SEAL_KEY_SIZE], struct err *e)
{
	struct seal_opener *o = calloc(1, sizeof(*o));

	if (o != NULL)
		o->ctx = EVP_CIPHER_CTX_new();
	if (o == NULL || o->ctx == NULL || EVP_DecryptInit_ex(o->ctx, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
		err_openssl(e, ERR_FAILED, "AES-256-GCM");
		seal_opener_free(o);
		return NULL;
	}
	return o;
}

void
seal_opener_free(struct seal_opener *o)
{
	if (o == NULL)
		return;
	EVP_CIPHER_CTX_free(o->ctx);
	free(o);
}

/* The ciphertext in text, len bytes, to plain bytes at the same place; false when it does not fit nonce, place and tag. */
static bool
gcm_open(EVP_CIPHER_CTX *ctx, const struct buf *aad, const unsigned char *nonce, const unsigned char *tag,
    unsigned char *text, size_t len)
{
	unsigned char expected[SEAL_TAG_SIZE];
	int n;

	memcpy(expected, tag, sizeof(expected));
	return EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &n, aad->data, (int)aad->len) == 1 &&
	       (len == 0 || EVP_DecryptUpdate(ctx, text, &n, text, (int)len) == 1) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof(expected), expected) == 1 &&
	       EVP_DecryptFinal_ex(ctx, text + len, &n) == 1;
}

int
seal_open(struct seal_opener *o, const struct seal_place *place, const void *sealed, size_t len, struct buf *out,
    struct err *e)
{
	const unsigned char *bytes = sealed;
	struct buf aad = BUF_INIT(PLACE_MAX);
	size_t before = out->len, plain_len;
	int rc = -1;

	if (len < SEAL_OVERHEAD || len > INT_MAX || bytes[0] != SEAL_VERSION)
		return err_set(e, ERR_INTEGRITY, "%s.%s: expected a sealed value of version %d, found something else",
		    place->table, place->column, SEAL_VERSION);
	plain_len = len - SEAL_OVERHEAD;
	if (place_encode(place, &aad, e) != 0)
		goto out;
	buf_add(out, bytes + 1 + SEAL_NONCE_SIZE, plain_len);
	if (buf_check(out, place->column, e) != 0)
		goto out;
	if (!gcm_open(o->ctx, &aad, bytes + 1, bytes + len - SEAL_TAG_SIZE, out->data + before, plain_len)) {
		buf_cut(out, before);
		err_openssl(e, ERR_INTEGRITY,
		    "%s.%s: expected a value sealed for this row under this master key, found another", place->table,
		    place->column);
		goto out;
	}
	rc = 0;
out:
	buf_release(&aad);
	return rc;
}

int
seal_decrypt(const unsigned char key[SEAL_KEY_SIZE], const struct seal_place *place, const void *sealed, size_t len,
    struct buf *out, struct err *e)
{
	struct seal_opener *o = seal_opener_new(key, e);
	int rc = o != NULL ? seal_open(o, place, sealed, len, out, e) : -1;

	seal_opener_free(o);
	return rc;
}
