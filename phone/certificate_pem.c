/* SPDX-License-Identifier: ISC */
#include "phone/certificate_pem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

/* Goes behind what text begins with; false when it does not. */
static bool
skip(const char **text, const char *end, const char *what)
{
	size_t len = strlen(what);

	if ((size_t)(end - *text) < len || memcmp(*text, what, len) != 0)
		return false;
	*text += len;
	return true;
}

static bool
skip_line_end(const char **text, const char *end)
{
	return skip(text, end, "\n") || skip(text, end, "\r\n");
}

/* The characters of all lines up to one that begins with a dash. */
static bool
base64_gather(const char **text, const char *end, char *out, size_t *ret_len)
{
	size_t used = 0;

	while (*text < end && **text != '-') {
		const char *feed = memchr(*text, '\n', (size_t)(end - *text));
		size_t len;

		if (feed == NULL)
			return false;
		len = (size_t)(feed - *text) - (feed > *text && feed[-1] == '\r');
		if (len == 0 || len > CLIENT_PEM_COLUMNS || used + len > CERTIFICATE_DER_MAX)
			return false;
		memcpy(out + used, *text, len);
		used += len;
		*text = feed + 1;
	}
	*ret_len = used;
	return true;
}

/* EVP_DecodeBlock() takes '=' for 0 in the middle, too, and ends at '-' and at blanks. */
static bool
base64_decode(const char *text, size_t len, unsigned char *der, size_t *ret_len)
{
	size_t padding = len < 4 ? 0 : (size_t)(text[len - 1] == '=') + (text[len - 2] == '=' && text[len - 1] == '=');
	int n;

	if (len < 4 || len % 4 != 0 || memchr(text, '=', len - padding) != NULL || memchr(text, '-', len) != NULL ||
	    memchr(text, ' ', len) != NULL || memchr(text, '\t', len) != NULL || memchr(text, '\r', len) != NULL)
		return false;
	n = EVP_DecodeBlock(der, (const unsigned char *)text, (int)len);
	if (n < 0)
		return false;
	*ret_len = (size_t)n - padding;
	return true;
}

bool
certificate_pem_plain(const char *text, size_t len, const char *label, unsigned char der[CERTIFICATE_DER_MAX],
    size_t *ret_len)
{
	const char *end = text + len;
	char base64[CERTIFICATE_DER_MAX];
	size_t used = 0;
	bool good;

	good = skip(&text, end, BEGIN) && skip(&text, end, label) && skip(&text, end, DASHES) &&
	       skip_line_end(&text, end) && base64_gather(&text, end, base64, &used) && skip(&text, end, END) &&
	       skip(&text, end, label) && skip(&text, end, DASHES) && skip_line_end(&text, end) &&
	       base64_decode(base64, used, der, ret_len);
	OPENSSL_cleanse(base64, used);
	return good;
}
