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

/* Tag and ciphertext behind the nonce to plain bytes; false when they do not fit. */
static bool
gcm_open(EVP_CIPHER_CTX *ctx, const struct buf *aad, const unsigned char *sealed, size_t len, unsigned char *plain)
{
	const unsigned char *text = sealed + 1 + SEAL_NONCE_SIZE;
	unsigned char tag[SEAL_TAG_SIZE];
	int n;

	memcpy(tag, text + len, sizeof(tag));
	return EVP_DecryptUpdate(ctx, NULL, &n, aad->data, (int)aad->len) == 1 &&
	       (len == 0 || EVP_DecryptUpdate(ctx, plain, &n, text, (int)len) == 1) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + len, &n) == 1;
}

int
seal_decrypt(const unsigned char key[SEAL_KEY_SIZE], const struct seal_place *place, const void *sealed, size_t len,
    struct buf *out, struct err *e)
{
	const unsigned char *bytes = sealed;
	struct buf aad = BUF_INIT(PLACE_MAX);
	EVP_CIPHER_CTX *ctx = NULL;
	unsigned char *plain = NULL;
	size_t plain_len = 0;
	int rc = -1;

	if (len < SEAL_OVERHEAD || len > INT_MAX || bytes[0] != SEAL_VERSION)
		return err_set(e, ERR_INTEGRITY, "%s.%s: expected a sealed value of version %d, found something else",
		    place->table, place->column, SEAL_VERSION);
	if (place_encode(place, &aad, e) != 0)
		goto out;
	plain_len = len - SEAL_OVERHEAD;
	plain = malloc(plain_len + 1);
	ctx = EVP_CIPHER_CTX_new();
	if (plain == NULL || ctx == NULL) {
		err_set(e, ERR_FAILED, "%s.%s: no memory", place->table, place->column);
		goto out;
	}
	/* A configuration of OpenSSL's that has no such cipher is not the fault of the key. */
	if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, bytes + 1) != 1) {
		err_openssl(e, ERR_FAILED, "AES-256-GCM");
		goto out;
	}
	if (!gcm_open(ctx, &aad, bytes, plain_len, plain)) {
		err_openssl(e, ERR_INTEGRITY,
		    "%s.%s: expected a value sealed for this row under this master key, found another", place->table,
		    place->column);
		goto out;
	}
	buf_add(out, plain, plain_len);
	rc = buf_check(out, place->column, e);
out:
	EVP_CIPHER_CTX_free(ctx);
	if (plain != NULL)
		OPENSSL_cleanse(plain, plain_len + 1);
	free(plain);
	buf_release(&aad);
	return rc;
}
