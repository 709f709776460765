/* SPDX-License-Identifier: ISC */
#include "bundler/bundle.h"

#include "bundler/block.h"
#include "common/pem.h"
#include "common/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MD5_BYTES 16

static int
pem_block_add(const char *tag, const char *label, const void *der, size_t len, struct buf *out, struct err *e)
{
	size_t start = block_open(tag, out);

	if (pem_encode(label, der, len, out, e) != 0)
		return -1;
	return block_close(tag, start, out, e);
}

/* A tag that does not begin its line is an argument to the phone's OpenVPN. */
static int
check_profile(const void *profile, size_t len, struct err *e)
{
	if (len > BUNDLE_MAX)
		return err_set(e, ERR_FAILED, "bundle: expected at most %d bytes, found a profile of %zu", BUNDLE_MAX,
		    len);
	if (len > 0 && ((const char *)profile)[len - 1] == '\n')
		return 0;
	return err_set(e, ERR_INPUT, "profile: expected lines of text, found no end of the last line");
}

#define TAGS "<cert>\n</cert>\n<key>\n</key>\n"

int
bundle_render(const void *profile, size_t profile_len, const void *cert_der, size_t cert_len, const void *key_der,
    size_t key_len, struct buf *out, struct err *e)
{
	size_t before = out->len;

	if (check_profile(profile, profile_len, e) != 0)
		return -1;
	buf_reserve(out,
	    profile_len + strlen(TAGS) + pem_size(PEM_LABEL_CERTIFICATE, cert_len) + pem_size(PEM_LABEL_KEY, key_len));
	buf_add(out, profile, profile_len);
	if (buf_check(out, "bundle", e) == 0 &&
	    pem_block_add("cert", PEM_LABEL_CERTIFICATE, cert_der, cert_len, out, e) == 0 &&
	    pem_block_add("key", PEM_LABEL_KEY, key_der, key_len, out, e) == 0)
		return 0;
	buf_cut(out, before);
	return -1;
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

struct bundle_base {
	struct buf profile;
	EVP_MD_CTX *begun; /* md5 behind the profile */
	EVP_MD_CTX *md5;   /* of a bundle under way */
};

struct bundle_base *
bundle_base_new(const void *profile, size_t len, struct err *e)
{
	struct bundle_base *b;

	if (check_profile(profile, len, e) != 0)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (b != NULL) {
		b->profile = (struct buf)BUF_INIT(BUNDLE_MAX);
		buf_add(&b->profile, profile, len);
		b->begun = EVP_MD_CTX_new();
		b->md5 = EVP_MD_CTX_new();
	}
	if (b != NULL && !b->profile.broken && b->md5 != NULL && b->begun != NULL &&
	    EVP_DigestInit_ex(b->begun, EVP_md5(), NULL) == 1 && EVP_DigestUpdate(b->begun, profile, len) == 1)
		return b;
	bundle_base_free(b);
	(void)err_openssl(e, ERR_FAILED, "md5 of a profile");
	return NULL;
}

void
bundle_base_free(struct bundle_base *b)
{
	if (b == NULL)
		return;
	EVP_MD_CTX_free(b->begun);
	EVP_MD_CTX_free(b->md5);
	buf_release(&b->profile);
	free(b);
}

int
bundle_base_render(struct bundle_base *b, const void *cert_der, size_t cert_len, const void *key_der, size_t key_len,
    struct buf *out, char ret_md5[BUNDLE_MD5_SIZE], struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t behind = out->len + b->profile.len;

	if (bundle_render(b->profile.data, b->profile.len, cert_der, cert_len, key_der, key_len, out, e) != 0)
		return -1;
	if (EVP_MD_CTX_copy_ex(b->md5, b->begun) != 1 ||
	    EVP_DigestUpdate(b->md5, out->data + behind, out->len - behind) != 1 ||
	    EVP_DigestFinal_ex(b->md5, digest, NULL) != 1)
		return err_openssl(e, ERR_FAILED, "md5 of a bundle");
	text_hex(digest, MD5_BYTES, ret_md5);
	return 0;
}
