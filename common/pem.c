/* SPDX-License-Identifier: ISC */
#include "common/pem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define LINE 48 /* bytes, which are 64 columns */

static void
line_add(const char *begin, const char *label, struct buf *out)
{
	buf_add_string(out, begin);
	buf_add_string(out, label);
	buf_add_string(out, "-----\n");
}

size_t
pem_size(const char *label, size_t len)
{
	return 2 * strlen(label) + strlen("-----BEGIN -----\n-----END -----\n") + (len + 2) / 3 * 4 +
	       (len + LINE - 1) / LINE;
}

/* Not PEM_write_bio(): it frees its encoder with the end of the secret still inside. */
int
pem_encode(const char *label, const void *der, size_t len, struct buf *out, struct err *e)
{
	const unsigned char *at = der;
	unsigned char line[LINE / 3 * 4 + 1];

	line_add("-----BEGIN ", label, out);
	while (len > 0) {
		const size_t n = len < LINE ? len : LINE;
		const int columns = EVP_EncodeBlock(line, at, (int)n);

		line[columns] = '\n'; /* for the NUL that it adds */
		buf_add(out, line, (size_t)columns + 1);
		at += n;
		len -= n;
	}
	line_add("-----END ", label, out);
	OPENSSL_cleanse(line, sizeof(line));
	return buf_check(out, "PEM text", e);
}
