/* SPDX-License-Identifier: ISC */
#include "common/pem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define LINE 48 /* bytes, which are 64 columns */

/* Not PEM_write_bio(): it frees its encoder with the end of the secret still inside. */
int
pem_encode(const char *label, const void *der, size_t len, struct buf *out, struct err *e)
{
	const unsigned char *at = der;
	unsigned char line[LINE / 3 * 4 + 1];

	buf_addf(out, "-----BEGIN %s-----\n", label);
	while (len > 0) {
		const size_t n = len < LINE ? len : LINE;
		const int columns = EVP_EncodeBlock(line, at, (int)n);

		line[columns] = '\n'; /* for the NUL that it adds */
		buf_add(out, line, (size_t)columns + 1);
		at += n;
		len -= n;
	}
	buf_addf(out, "-----END %s-----\n", label);
	OPENSSL_cleanse(line, sizeof(line));
	return buf_check(out, "PEM text", e);
}
