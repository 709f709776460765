/* SPDX-License-Identifier: ISC */
#include "ca/template.h"

#include "common/process.h"
#include "common/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define NAME_RANDOM 6 /* octets of the specimen's name: as long as a MAC in hex */
#define NAME_LEN ((size_t)2 * NAME_RANDOM)
#define MODULUS_MAX 512 /* octets: RSA-4096 */
#define SIGNATURE_MAX 1024
#define TAIL_MAX 1100 /* octets that stand behind the TBSCertificate, at most */

/* Places in the TBSCertificate, as offsets. */
struct places {
	size_t serial, name, public_key, modulus, key_id;
};

struct ca_template {
	struct ca_cert_params params;
	const X509 *issuer;
	EVP_PKEY *issuer_key; /* a copy: threads that share one wait for each other's blinding */
	time_t not_before, not_after;
	size_t modulus_len, public_key_len;
	unsigned char *tbs, *algorithm;
	size_t tbs_len, algorithm_len;
	bool is_usable; /* all places are known */
	struct places at;
	EVP_MD *sha256, *sha1;
	EVP_PKEY_CTX *sign, *verify;
};

/* ---- the specimen ---- */

/* A public key that nobody has the private one of: odd, of full length, and as good as unique. */
static EVP_PKEY *
specimen_key(size_t modulus_len, unsigned char modulus[MODULUS_MAX], struct err *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *n;

	if (process_random(modulus, modulus_len, e) != 0)
		goto out;
	modulus[0] |= 0x80;
	modulus[modulus_len - 1] |= 1;
	n = BN_bin2bn(modulus, (int)modulus_len, NULL);
	if (n != NULL && build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, RSA_F4) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		err_openssl(e, ERR_FAILED, "template: specimen's key");
	BN_free(n);
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Where needle is, if it is there exactly once. */
static bool
place_find(const struct ca_template *t, const void *needle, size_t len, size_t *ret)
{
	const unsigned char *at = memmem(t->tbs, t->tbs_len, needle, len);

	if (at == NULL)
		return false;
	*ret = (size_t)(at - t->tbs);
	return memmem(at + 1, t->tbs_len - *ret - 1, needle, len) == NULL;
}

/* False where one is not there once and only once, so that the template cannot be used. */
static bool
places_find(struct ca_template *t, const struct ca_cert_params *specimen, EVP_PKEY *key, const unsigned char *modulus)
{
	unsigned char *public_key = NULL, id[SHA_DIGEST_LENGTH];
	int len = i2d_PublicKey(key, &public_key);
	bool found;

	found = len > 0 && EVP_Digest(public_key, (size_t)len, id, NULL, t->sha1, NULL) == 1 &&
	        place_find(t, specimen->serial, sizeof(specimen->serial), &t->at.serial) &&
	        place_find(t, specimen->common_name, NAME_LEN, &t->at.name) &&
	        place_find(t, public_key, (size_t)len, &t->at.public_key) &&
	        place_find(t, modulus, t->modulus_len, &t->at.modulus) && place_find(t, id, sizeof(id), &t->at.key_id);
	t->public_key_len = len > 0 ? (size_t)len : 0;
	OPENSSL_free(public_key);
	return found;
}

static int
specimen_take(struct ca_template *t, X509 *cert, struct err *e)
{
	const X509_ALGOR *algorithm = X509_get0_tbs_sigalg(cert);
	int tbs = i2d_re_X509_tbs(cert, &t->tbs), len = i2d_X509_ALGOR(algorithm, &t->algorithm);

	if (tbs <= 0 || len <= 0)
		return err_openssl(e, ERR_FAILED, "template: encoding as DER");
	t->tbs_len = (size_t)tbs;
	t->algorithm_len = (size_t)len;
	return ca_cert_validity(cert, &t->not_before, &t->not_after, e);
}

static int
specimen_issue(struct ca_template *t, struct err *e)
{
	struct ca_cert_params params = t->params;
	unsigned char modulus[MODULUS_MAX], random[NAME_RANDOM];
	char name[NAME_LEN + 1];
	X509 *cert = NULL;
	EVP_PKEY *key = specimen_key(t->modulus_len, modulus, e);
	int rc = -1;

	if (key == NULL || ca_serial_new(params.serial, e) != 0 || process_random(random, sizeof(random), e) != 0)
		goto out;
	text_hex(random, sizeof(random), name);
	params.common_name = name;
	cert = ca_cert_issue(&params, key, t->issuer, t->issuer_key, e);
	if (cert == NULL || specimen_take(t, cert, e) != 0)
		goto out;
	t->is_usable = places_find(t, &params, key, modulus);
	rc = 0;
out:
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* ---- a template ---- */

static bool
signing_begin(struct ca_template *t)
{
	t->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	t->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	t->sign = EVP_PKEY_CTX_new(t->issuer_key, NULL);
	t->verify = EVP_PKEY_CTX_new(t->issuer_key, NULL);
	return t->sha256 != NULL && t->sha1 != NULL && t->sign != NULL && t->verify != NULL &&
	       EVP_PKEY_sign_init(t->sign) == 1 && EVP_PKEY_CTX_set_signature_md(t->sign, t->sha256) == 1 &&
	       EVP_PKEY_verify_init(t->verify) == 1 && EVP_PKEY_CTX_set_signature_md(t->verify, t->sha256) == 1;
}

struct ca_template *
ca_template_new(const struct ca_cert_params *params, unsigned int bits, const X509 *issuer, EVP_PKEY *issuer_key,
    struct err *e)
{
	struct ca_template *t = calloc(1, sizeof(*t));

	if (t == NULL || bits % 8 != 0 || bits / 8 > MODULUS_MAX) {
		err_set(e, t == NULL ? ERR_FAILED : ERR_INPUT, "template: no memory, or none for keys of %u bits",
		    bits);
		goto fail;
	}
	t->params = *params;
	t->modulus_len = bits / 8;
	t->issuer = issuer;
	t->issuer_key = EVP_PKEY_dup(issuer_key);
	if (t->issuer_key == NULL || !signing_begin(t)) {
		err_openssl(e, ERR_FAILED, "template: issuer's key");
		goto fail;
	}
	if (specimen_issue(t, e) == 0)
		return t;
fail:
	ca_template_free(t);
	return NULL;
}

void
ca_template_free(struct ca_template *t)
{
	if (t == NULL)
		return;
	EVP_PKEY_CTX_free(t->sign);
	EVP_PKEY_CTX_free(t->verify);
	EVP_MD_free(t->sha256);
	EVP_MD_free(t->sha1);
	EVP_PKEY_free(t->issuer_key);
	OPENSSL_free(t->tbs);
	OPENSSL_free(t->algorithm);
	free(t);
}

void
ca_template_validity(const struct ca_template *t, time_t *ret_not_before, time_t *ret_not_after)
{
	*ret_not_before = t->not_before;
	*ret_not_after = t->not_after;
}

/* ---- issuing ---- */

/* False for a key that the template has no room for. */
static bool
modulus_get(const struct ca_template *t, EVP_PKEY *key, unsigned char modulus[MODULUS_MAX])
{
	BIGNUM *n = NULL, *exponent = NULL;
	bool fits = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, RSA_F4) &&
	            (size_t)BN_num_bits(n) == 8 * t->modulus_len &&
	            BN_bn2binpad(n, modulus, (int)t->modulus_len) == (int)t->modulus_len;

	BN_free(n);
	BN_free(exponent);
	return fits;
}

static bool
fill(struct ca_template *t, const char *name, const unsigned char serial[CA_SERIAL_SIZE], const unsigned char *modulus)
{
	memcpy(t->tbs + t->at.serial, serial, CA_SERIAL_SIZE);
	memcpy(t->tbs + t->at.name, name, NAME_LEN);
	memcpy(t->tbs + t->at.modulus, modulus, t->modulus_len);
	return EVP_Digest(t->tbs + t->at.public_key, t->public_key_len, t->tbs + t->at.key_id, NULL, t->sha1, NULL) ==
	       1;
}

/* The signatureValue; OpenSSL has got a few wrong on broken hardware, so it is looked at. */
static int
sign(struct ca_template *t, unsigned char signature[SIGNATURE_MAX], size_t *ret_len, struct err *e)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	*ret_len = SIGNATURE_MAX;
	if (EVP_Digest(t->tbs, t->tbs_len, digest, NULL, t->sha256, NULL) != 1 ||
	    EVP_PKEY_sign(t->sign, signature, ret_len, digest, sizeof(digest)) != 1)
		return err_openssl(e, ERR_FAILED, "signature");
	if (EVP_PKEY_verify(t->verify, signature, *ret_len, digest, sizeof(digest)) != 1)
		return err_openssl(e, ERR_INTEGRITY,
		    "signature: expected one that the CA's certificate confirms, found another");
	return 0;
}

/* Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }: RFC 5280 section 4.1. */
static int
assemble(const struct ca_template *t, const unsigned char *signature, size_t len, struct buf *out, struct err *e)
{
	unsigned char head[8], tail[TAIL_MAX], *at = head;
	int bits = (int)len + 1; /* with the number of unused ones */
	int value = ASN1_object_size(0, bits, V_ASN1_BIT_STRING);

	ASN1_put_object(&at, 1, (int)(t->tbs_len + t->algorithm_len) + value, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	buf_add(out, head, (size_t)(at - head));
	buf_add(out, t->tbs, t->tbs_len);
	buf_add(out, t->algorithm, t->algorithm_len);
	at = tail;
	ASN1_put_object(&at, 0, bits, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
	*at++ = 0;
	memcpy(at, signature, len);
	buf_add(out, tail, (size_t)value);
	return buf_check(out, "certificate", e);
}

/* The long way, for what does not fit. */
static int
issue(struct ca_template *t, const char *name, const unsigned char serial[CA_SERIAL_SIZE], EVP_PKEY *key,
    struct buf *out, struct err *e)
{
	struct ca_cert_params params = t->params;
	X509 *cert;
	int rc;

	params.common_name = name;
	memcpy(params.serial, serial, sizeof(params.serial));
	cert = ca_cert_issue(&params, key, t->issuer, t->issuer_key, e);
	rc = cert != NULL ? ca_cert_encode(cert, out, e) : -1;
	X509_free(cert);
	return rc;
}

int
ca_template_issue(struct ca_template *t, const char *common_name, const unsigned char serial[CA_SERIAL_SIZE],
    EVP_PKEY *subject_key, struct buf *out, struct err *e)
{
	unsigned char modulus[MODULUS_MAX], signature[SIGNATURE_MAX];
	size_t len;

	if (!t->is_usable || strlen(common_name) != NAME_LEN || !text_is_hex(common_name, NAME_LEN) ||
	    !modulus_get(t, subject_key, modulus))
		return issue(t, common_name, serial, subject_key, out, e);
	if (!fill(t, common_name, serial, modulus))
		return err_openssl(e, ERR_FAILED, "subjectKeyIdentifier");
	if (sign(t, signature, &len, e) != 0 || assemble(t, signature, len, out, e) != 0)
		return err_prefix(e, "certificate for \"%s\"", common_name);
	return 0;
}
