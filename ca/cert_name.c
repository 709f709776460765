/* SPDX-License-Identifier: ISC */
#include "ca/cert.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

/* The one common name of a subject is this one. */
static int
check_subject(const X509_NAME *subject, const char *common_name, struct err *e)
{
	int at = subject != NULL ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	const ASN1_STRING *value = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	size_t len = strlen(common_name);

	if (value != NULL && X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0 &&
	    (size_t)ASN1_STRING_length(value) == len && memcmp(ASN1_STRING_get0_data(value), common_name, len) == 0)
		return 0;
	return err_set(e, ERR_INTEGRITY, "certificate: expected the common name %s, found another", common_name);
}

int
ca_cert_check_name(const X509 *cert, const char *common_name, struct err *e)
{
	return check_subject(X509_get_subject_name(cert), common_name, e);
}

/* Step over the next value, which *p points at, or with enter into it; *end is where its content ends. */
static bool
der_next(const unsigned char **p, const unsigned char **end, int expected_tag, bool enter)
{
	const unsigned char *content = *p;
	int tag, class;
	long len;

	if ((ASN1_get_object(&content, &len, &tag, &class, *end - *p) & 0x80) != 0 || tag != expected_tag)
		return false;
	*p = enter ? content : content + len;
	if (enter)
		*end = content + len;
	return true;
}

/* RFC 5280 section 4.1: version, serialNumber, signature, issuer and validity stand before the subject. */
static X509_NAME *
subject_read(const unsigned char *p, const unsigned char *end)
{
	static const int before[] = { V_ASN1_INTEGER, V_ASN1_SEQUENCE, V_ASN1_SEQUENCE, V_ASN1_SEQUENCE };
	const unsigned char *whole = end;

	if (!der_next(&p, &end, V_ASN1_SEQUENCE, true) || end != whole || !der_next(&p, &end, V_ASN1_SEQUENCE, true))
		return NULL;
	if (p < end && *p == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED) && !der_next(&p, &end, 0, false))
		return NULL;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (!der_next(&p, &end, before[i], false))
			return NULL;
	}
	return d2i_X509_NAME(NULL, &p, end - p);
}

int
ca_cert_check_name_der(const void *der, size_t len, const char *common_name, struct err *e)
{
	X509_NAME *subject = subject_read(der, (const unsigned char *)der + len);
	int rc;

	ERR_clear_error();
	if (subject == NULL)
		return err_set(e, ERR_INTEGRITY,
		    "certificate of %s: expected an X.509 certificate in DER, found others", common_name);
	rc = check_subject(subject, common_name, e);
	X509_NAME_free(subject);
	return rc;
}
