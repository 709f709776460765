/* SPDX-License-Identifier: ISC */
#include "ca/key.h"

#include "ca/rsa.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#define KEY_DER_MAX 65536

int
ca_key_check(const EVP_PKEY *key, bool ec_too, const char *what, struct err *e)
{
	int type = EVP_PKEY_get_base_id(key);

	if (type == EVP_PKEY_RSA || (ec_too && type == EVP_PKEY_EC))
		return 0;
	return err_set(e, ERR_INTEGRITY, "%s: expected RSA%s, found %s", what, ec_too ? " or EC" : "",
	    OBJ_nid2sn(type));
}

EVP_PKEY *
ca_key_generate(unsigned int bits, enum ca_keygen_how how, struct err *e)
{
	struct ca_keygen *g = ca_keygen_new(bits, how, NULL, e);
	EVP_PKEY *key = g == NULL ? NULL : ca_keygen_next(g, e);

	ca_keygen_free(g);
	return key;
}

/* NULL with libcrypto's reason. */
static PKCS8_PRIV_KEY_INFO *
info_of(EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info;
	unsigned char *der = NULL;
	int len = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? ca_rsa_encode(key, &der) : 0;

	if (len <= 0)
		return EVP_PKEY2PKCS8(key);
	info = PKCS8_PRIV_KEY_INFO_new();
	if (info != NULL && PKCS8_pkey_set0(info, OBJ_nid2obj(NID_rsaEncryption), 0, V_ASN1_NULL, NULL, der, len) == 1)
		return info;
	OPENSSL_clear_free(der, (size_t)len);
	PKCS8_PRIV_KEY_INFO_free(info);
	return NULL;
}

int
ca_key_encode(EVP_PKEY *key, struct buf *out, struct err *e)
{
	PKCS8_PRIV_KEY_INFO *info = info_of(key);
	unsigned char *der = NULL;
	int len = 0, rc = -1;

	if (info != NULL)
		len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	if (len <= 0) {
		err_openssl(e, ERR_FAILED, "private key: encoding as PKCS#8");
		goto out;
	}
	buf_add(out, der, (size_t)len);
	rc = buf_check(out, "private key", e);
out:
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	PKCS8_PRIV_KEY_INFO_free(info);
	return rc;
}

/* As ca_rsa_decode(). */
static int
rsa_decode(const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **ret, struct err *e)
{
	const ASN1_OBJECT *algorithm;
	const unsigned char *der;
	int len;

	if (PKCS8_pkey_get0(&algorithm, &der, &len, NULL, info) != 1 || OBJ_obj2nid(algorithm) != NID_rsaEncryption)
		return 0;
	return ca_rsa_decode(der, (size_t)len, ret, e);
}

EVP_PKEY *
ca_key_decode(const void *der, size_t len, struct err *e)
{
	const unsigned char *end = der;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *key = NULL, *ret = NULL;

	if (len > 0 && len <= LONG_MAX)
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)len);
	if (info != NULL && end != (const unsigned char *)der + len) {
		err_set(e, ERR_INTEGRITY, "private key: expected nothing behind the PKCS#8 structure, found %zu bytes",
		    len - (size_t)(end - (const unsigned char *)der));
		goto out;
	}
	if (info != NULL && rsa_decode(info, &key, e) != 0) {
		err_prefix(e, "private key");
		goto out;
	}
	/* Takes the other kinds, or says what is wrong. */
	if (info != NULL && key == NULL)
		key = EVP_PKCS82PKEY(info);
	if (key == NULL) {
		err_openssl(e, ERR_INTEGRITY, "private key (RFC 5958): expected PKCS#8 DER, found %zu other bytes",
		    len);
		goto out;
	}
	if (ca_key_check(key, true, "private key", e) != 0)
		goto out;
	ret = key;
	key = NULL;
out:
	EVP_PKEY_free(key);
	PKCS8_PRIV_KEY_INFO_free(info);
	return ret;
}

int
ca_key_check_stored(EVP_PKEY *key, const char *what, struct err *e)
{
	struct buf der = BUF_INIT(KEY_DER_MAX);
	EVP_PKEY *again = NULL;

	if (ca_key_encode(key, &der, e) == 0)
		again = ca_key_decode(der.data, der.len, e);
	buf_release(&der);
	EVP_PKEY_free(again);
	return again != NULL ? 0 : err_prefix(e, "%s", what);
}
