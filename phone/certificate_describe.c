/* SPDX-License-Identifier: ISC */
#include "phone/certificate_describe.h"

#include "common/text.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

void
certificate_describe_name(const X509 *cert, char out[CERTIFICATE_NAME_SIZE])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len = 0;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0 &&
	    BIO_write(bio, "", 1) == 1)
		len = BIO_get_mem_data(bio, &text);
	(void)text_printable(len > 0 ? text : "", out, CERTIFICATE_NAME_SIZE);
	BIO_free(bio);
}

time_t
certificate_describe_time(const ASN1_TIME *when)
{
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(when, &tm) == 1 ? timegm(&tm) : 0;
}

static void
describe_serial(const X509 *cert, char out[CERTIFICATE_SERIAL_SIZE])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t len = (size_t)ASN1_STRING_length(serial), sign = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;

	if (len > (CERTIFICATE_SERIAL_SIZE - 2) / 2)
		len = (CERTIFICATE_SERIAL_SIZE - 2) / 2;
	out[0] = '-';
	text_hex(ASN1_STRING_get0_data(serial), len, out + sign);
}

static void
describe_key(const X509 *cert, char *out, size_t size)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	const char *kind = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;

	(void)snprintf(out, size, "%s %d", kind != NULL ? kind : "unknown", key != NULL ? EVP_PKEY_get_bits(key) : 0);
}

void
certificate_describe(const X509 *cert, struct certificate_info *ret)
{
	certificate_describe_name(cert, ret->subject);
	describe_serial(cert, ret->serial);
	describe_key(cert, ret->key, sizeof(ret->key));
	(void)snprintf(ret->signature, sizeof(ret->signature), "%s", OBJ_nid2ln(X509_get_signature_nid(cert)));
	ret->not_before = certificate_describe_time(X509_get0_notBefore(cert));
	ret->not_after = certificate_describe_time(X509_get0_notAfter(cert));
}

void
certificate_describe_ca(const X509 *ca, struct certificate_info *ret)
{
	certificate_describe_name(ca, ret->ca_subject);
	ret->ca_not_before = certificate_describe_time(X509_get0_notBefore(ca));
	ret->ca_not_after = certificate_describe_time(X509_get0_notAfter(ca));
}
