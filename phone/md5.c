/* SPDX-License-Identifier: ISC */
#include "phone/md5.h"

#include "common/text.h"

#include <openssl/evp.h>

int
md5_hex(const void *data, size_t len, char out[MD5_HEX_SIZE], struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int used = 0;

	if (EVP_Digest(data, len, digest, &used, EVP_md5(), NULL) != 1 || used != (MD5_HEX_SIZE - 1) / 2)
		return err_openssl(e, ERR_FAILED, "md5");
	text_hex(digest, used, out);
	return 0;
}
