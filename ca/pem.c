/* SPDX-License-Identifier: ISC */
#include "ca/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

static BIO *
text_open(const void *text, size_t len, const char *what, struct err *e)
{
	BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(len > 0 ? text : "", (int)len);

	ERR_clear_error();
	if (bio == NULL)
		err_openssl(e, ERR_FAILED, "%s: %zu bytes cannot be read", what, len);
	return bio;
}

/* After a reader found nothing: no further block of its kind follows, which is no error. */
static bool
is_end(void)
{
	unsigned long last = ERR_peek_last_error();

	return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

/* The last block was no kind's, or one too many: says so unless it is the end. */
static int
end_check(const char *what, const char *kind, int count, struct err *e)
{
	int rc = 0;

	if (count > CA_PEM_MAX)
		rc = err_set(e, ERR_INPUT, "%s: expected at most %d of %s, found more", what, CA_PEM_MAX, kind);
	else if (!is_end())
		rc = err_openssl(e, ERR_INTEGRITY,
		    "%s: expected a PEM block of %s (RFC 7468), found as number %d a broken one", what, kind,
		    count + 1);
	ERR_clear_error();
	return rc;
}

STACK_OF(X509) * ca_pem_certs(const void *text, size_t len, const char *what, struct err *e)
{
	BIO *bio = text_open(text, len, what, e);
	STACK_OF(X509) *list = sk_X509_new_null(), *ret = NULL;
	X509 *cert;

	if (bio == NULL)
		goto out;
	while (sk_X509_num(list) <= CA_PEM_MAX && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(list, cert) <= 0) {
			X509_free(cert);
			err_set(e, ERR_FAILED, "%s: no memory", what);
			goto out;
		}
	}
	if (end_check(what, PEM_STRING_X509, sk_X509_num(list), e) != 0)
		goto out;
	ret = list;
	list = NULL;
out:
	sk_X509_pop_free(list, X509_free);
	BIO_free(bio);
	return ret;
}

X509 *
ca_pem_cert(const void *text, size_t len, const char *what, struct err *e)
{
	BIO *bio = text_open(text, len, what, e);
	X509 *cert;

	if (bio == NULL)
		return NULL;
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (cert == NULL && is_end())
		err_set(e, ERR_NOT_FOUND, "%s: expected a PEM block with a certificate (RFC 7468), found none", what);
	else if (cert == NULL)
		err_openssl(e, ERR_INTEGRITY, "%s: expected a certificate in PEM (RFC 7468), found a broken one", what);
	ERR_clear_error();
	BIO_free(bio);
	return cert;
}

STACK_OF(X509_CRL) * ca_pem_crls(const void *text, size_t len, const char *what, struct err *e)
{
	BIO *bio = text_open(text, len, what, e);
	STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null(), *ret = NULL;
	X509_CRL *crl;

	if (bio == NULL)
		goto out;
	while (sk_X509_CRL_num(list) <= CA_PEM_MAX && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_CRL_push(list, crl) <= 0) {
			X509_CRL_free(crl);
			err_set(e, ERR_FAILED, "%s: no memory", what);
			goto out;
		}
	}
	if (end_check(what, PEM_STRING_X509_CRL, sk_X509_CRL_num(list), e) != 0)
		goto out;
	ret = list;
	list = NULL;
out:
	sk_X509_CRL_pop_free(list, X509_CRL_free);
	BIO_free(bio);
	return ret;
}

struct secret {
	const char *passphrase;
	bool asked;
};

/* libcrypto asks for the passphrase only when the key is encrypted. */
static int
passphrase_give(char *out, int size, int writing, void *arg)
{
	struct secret *secret = arg;
	size_t len = secret->passphrase == NULL ? 0 : strlen(secret->passphrase);

	(void)writing;
	secret->asked = true;
	if (len == 0 || len > (size_t)size)
		return -1;
	memcpy(out, secret->passphrase, len);
	return (int)len;
}

EVP_PKEY *
ca_pem_key(const void *text, size_t len, const char *passphrase, const char *what, struct err *e)
{
	struct secret secret = { .passphrase = passphrase };
	BIO *bio = text_open(text, len, what, e);
	EVP_PKEY *key;

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, &secret);
	if (key == NULL && secret.asked)
		err_set(e, ERR_DENIED, "%s: expected %s, found an encrypted one%s", what,
		    passphrase == NULL ? "a private key without passphrase" : "a private key that the passphrase opens",
		    passphrase == NULL ? "" : " that it does not open");
	else if (key == NULL && is_end())
		err_set(e, ERR_NOT_FOUND, "%s: expected a PEM block with a private key (RFC 7468), found none", what);
	else if (key == NULL)
		err_openssl(e, ERR_INTEGRITY, "%s: expected a private key in PEM (RFC 7468), found a broken one", what);
	ERR_clear_error();
	BIO_free(bio);
	return key;
}
