/* SPDX-License-Identifier: ISC */
#include "phone/certificate_key.h"

#include "phone/certificate_pem.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

#define KEY_LABEL "PRIVATE KEY" /* RFC 7468 section 10, and the end of "RSA PRIVATE KEY" and its like */

/* RFC 8017 appendix A.1: an RSAPrivateKey is a version, n, e, d, p, q and three more; an RSAPublicKey is n and e. */
#define RSA_PRIVATE_NUMBERS 9
#define RSA_PUBLIC_NUMBERS 2

int
certificate_no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

struct number {
	const unsigned char *data;
	size_t len;
};

/* The contents of the DER value of that tag at *at, which moves behind it. */
static bool
der_next(const unsigned char **at, const unsigned char *end, int wanted, struct number *ret)
{
	const unsigned char *p = *at;
	int tag, class;
	long len;

	if (p == end || (ASN1_get_object(&p, &len, &tag, &class, end - p) & ~V_ASN1_CONSTRUCTED) != 0 ||
	    class != V_ASN1_UNIVERSAL || tag != wanted)
		return false;
	*ret = (struct number){ .data = p, .len = (size_t)len };
	*at = p + len;
	return true;
}

/* A sequence of so many numbers, and nothing else. */
static bool
der_numbers(const unsigned char *der, size_t len, struct number *numbers, size_t count)
{
	struct number all;
	const unsigned char *at = der;

	if (!der_next(&at, der + len, V_ASN1_SEQUENCE, &all) || at != der + len)
		return false;
	at = all.data;
	for (size_t i = 0; i < count; i++) {
		if (!der_next(&at, all.data + all.len, V_ASN1_INTEGER, &numbers[i]))
			return false;
	}
	return at == all.data + all.len;
}

static bool
number_equal(const struct number *a, const struct number *b)
{
	return a->len == b->len && a->len > 0 && memcmp(a->data, b->data, a->len) == 0;
}

/* The numbers of the certificate's key, where it is an RSA key. */
static bool
rsa_public(const X509 *cert, struct number public[RSA_PUBLIC_NUMBERS])
{
	const unsigned char *bits;
	ASN1_OBJECT *algorithm;
	int len;

	return X509_PUBKEY_get0_param(&algorithm, &bits, &len, NULL, X509_get_X509_PUBKEY(cert)) == 1 &&
	       OBJ_obj2nid(algorithm) == NID_rsaEncryption &&
	       der_numbers(bits, (size_t)len, public, RSA_PUBLIC_NUMBERS);
}

/* Above 0, and in DER: no byte in front that says nothing. */
static bool
number_is_positive(const struct number *n)
{
	return n->len > 0 && n->data[0] < 0x80 && (n->data[0] != 0 || (n->len > 1 && n->data[1] >= 0x80));
}

unsigned int
certificate_key_rsa_bits(const X509 *cert)
{
	struct number public[RSA_PUBLIC_NUMBERS];
	const struct number *n = &public[0];
	unsigned int bits;

	if (!rsa_public(cert, public) || !number_is_positive(n) || !number_is_positive(&public[1]))
		return 0;
	bits = (unsigned int)(n->len - 1) * 8;
	for (unsigned int first = n->data[0]; first > 0; first >>= 1)
		bits++;
	return bits;
}

static bool
rsa_matches(const unsigned char *key, size_t len, const X509 *cert)
{
	struct number private[RSA_PRIVATE_NUMBERS], public[RSA_PUBLIC_NUMBERS];

	return rsa_public(cert, public) && der_numbers(key, len, private, RSA_PRIVATE_NUMBERS) &&
	       number_equal(&private[1], &public[0]) && number_equal(&private[2], &public[1]);
}

/*
 * An RSA key whose public half is the certificate's: all that the phone's OpenSSL compares, too
 * (SSL_CTX_check_private_key()). False says nothing; a key is read in full then, which takes fifty times as long.
 */
static bool
rsa_key_matches(const char *label, const unsigned char *der, long len, const X509 *cert)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	const ASN1_OBJECT *algorithm;
	const unsigned char *key;
	bool found = false;
	int key_len;

	if (strcmp(label, PEM_STRING_RSA) == 0)
		return rsa_matches(der, (size_t)len, cert);
	if (strcmp(label, PEM_STRING_PKCS8INF) != 0)
		return false;
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
	if (info != NULL && PKCS8_pkey_get0(&algorithm, &key, &key_len, NULL, info) == 1 &&
	    OBJ_obj2nid(algorithm) == NID_rsaEncryption)
		found = rsa_matches(key, (size_t)key_len, cert);
	PKCS8_PRIV_KEY_INFO_free(info);
	return found;
}

/* A key whose private half is broken is loaded by the phone, and cannot sign: no server ever takes it. */
static int
pair_check(EVP_PKEY *key, const X509 *cert, bool whole, struct err *e)
{
	EVP_PKEY_CTX *ctx;
	bool good = true;

	if (X509_check_private_key(cert, key) != 1)
		return err_openssl(e, ERR_INTEGRITY,
		    "<key>: expected the key of the certificate in <cert>, found another one");
	if (!whole)
		return 0;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	good = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return good ? 0
	            : err_openssl(e, ERR_INTEGRITY,
			  "<key>: expected a key that can sign, found its private half broken");
}

static int
key_check(const char *label, const char *header, const unsigned char *der, long len, const X509 *cert, bool whole,
    struct err *e)
{
	const unsigned char *at = der;
	EVP_PKEY *key;
	int rc;

	if (strstr(header, "ENCRYPTED") != NULL || strcmp(label, PEM_STRING_PKCS8) == 0)
		return err_set(e, ERR_INTEGRITY,
		    "<key>: expected a key without a password, which the phone has no means to enter, found an "
		    "encrypted one");
	if (!whole && rsa_key_matches(label, der, len, cert))
		return 0;
	ERR_clear_error();
	key = d2i_AutoPrivateKey(NULL, &at, len);
	if (key == NULL)
		return err_openssl(e, ERR_INTEGRITY, "<key>: expected a private key, found what is none");
	rc = pair_check(key, cert, whole, e);
	EVP_PKEY_free(key);
	return rc;
}

static bool
is_key(const char *label)
{
	size_t len = strlen(label);

	return len >= strlen(KEY_LABEL) && strcmp(label + len - strlen(KEY_LABEL), KEY_LABEL) == 0;
}

/* An RSA key in plain PEM; see rsa_key_matches(). */
static bool
plain_key_matches(const char *pem, size_t len, const X509 *cert)
{
	static const char *const labels[] = { PEM_STRING_PKCS8INF, PEM_STRING_RSA };
	unsigned char der[CERTIFICATE_DER_MAX];
	size_t der_len = 0;
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(labels) / sizeof(labels[0]); i++) {
		found = certificate_pem_plain(pem, len, labels[i], der, &der_len) &&
		        rsa_key_matches(labels[i], der, (long)der_len, cert);
	}
	OPENSSL_cleanse(der, sizeof(der));
	ERR_clear_error();
	return found;
}

int
certificate_key_check(const void *pem, size_t len, const X509 *cert, bool whole, struct err *e)
{
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	bool found = false;
	int rc = -1;
	BIO *bio;
	long der_len = 0;

	if (!whole && plain_key_matches(pem, len, cert))
		return 0;
	bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	/* Blocks of another kind are passed over, as the parameters before an EC key. */
	while (bio != NULL && !found &&
	       PEM_read_bio_ex(bio, &label, &header, &der, &der_len, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
		found = is_key(label);
		if (found)
			rc = key_check(label, header, der, der_len, cert, whole, e);
		OPENSSL_secure_free(label);
		OPENSSL_secure_free(header);
		OPENSSL_secure_clear_free(der, (size_t)der_len);
	}
	if (!found)
		err_openssl(e, ERR_INTEGRITY, "<key>: expected PEM of a private key, found none that can be read");
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}
