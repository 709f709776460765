/* SPDX-License-Identifier: ISC */
#include "bundler/bundle.h"

#include "bundler/block.h"
#include "common/pem.h"
#include "common/text.h"

#include <openssl/evp.h>

#define MD5_BYTES 16

static int
pem_block_add(const char *tag, const char *label, const void *der, size_t len, struct buf *out, struct err *e)
{
	size_t start = block_open(tag, out);

	if (pem_encode(label, der, len, out, e) != 0)
		return -1;
	return block_close(tag, start, out, e);
}

int
bundle_render(const void *profile, size_t profile_len, const void *cert_der, size_t cert_len, const void *key_der,
    size_t key_len, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT(BUNDLE_MAX);
	int rc = -1;

	/* A tag that does not begin its line is an argument to the phone's OpenVPN. */
	if (profile_len == 0 || ((const char *)profile)[profile_len - 1] != '\n') {
		err_set(e, ERR_INPUT, "profile: expected lines of text, found no end of the last line");
		goto out;
	}
	buf_reserve(&text, profile_len + 2 * (cert_len + key_len));
	buf_add(&text, profile, profile_len);
	if (pem_block_add("cert", PEM_LABEL_CERTIFICATE, cert_der, cert_len, &text, e) != 0 ||
	    pem_block_add("key", PEM_LABEL_KEY, key_der, key_len, &text, e) != 0)
		goto out;
	buf_add(out, text.data, text.len);
	rc = buf_check(out, "bundle", e);
out:
	buf_release(&text);
	return rc;
}

int
bundle_md5(const void *data, size_t len, char ret_md5[BUNDLE_MD5_SIZE], struct err *e)
{
	unsigned char digest[MD5_BYTES];

	if (EVP_Q_digest(NULL, "MD5", NULL, data, len, digest, NULL) != 1)
		return err_openssl(e, ERR_FAILED, "md5 of a bundle");
	text_hex(digest, sizeof(digest), ret_md5);
	return 0;
}
