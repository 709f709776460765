/* SPDX-License-Identifier: ISC */
#include "common/pem.h"

#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

int
pem_encode(const char *label, const void *der, size_t len, struct buf *out, struct err *e)
{
	BUF_MEM *mem = NULL;
	BIO *bio;
	int rc = -1;

	bio = BIO_new(BIO_s_secmem());
	if (bio == NULL || PEM_write_bio(bio, label, "", der, (long)len) <= 0) {
		err_openssl(e, ERR_FAILED, "PEM encoding of a %s", label);
		goto out;
	}
	(void)BIO_get_mem_ptr(bio, &mem);
	buf_add(out, mem->data, mem->length);
	OPENSSL_cleanse(mem->data, mem->length);
	rc = buf_check(out, "PEM text", e);
out:
	BIO_free(bio);
	return rc;
}
