/* SPDX-License-Identifier: ISC */
#include "ca/cert.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

static int
name_differs(const char *common_name, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "certificate: expected the common name %s, found another", common_name);
}

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
	return name_differs(common_name, e);
}

int
ca_cert_check_name(const X509 *cert, const char *common_name, struct err *e)
{
	return check_subject(X509_get_subject_name(cert), common_name, e);
}

bool
ca_cert_same_subject(const X509 *a, const X509 *b)
{
	return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0;
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
static bool
subject_find(const unsigned char **p, const unsigned char **end)
{
	static const int before[] = { V_ASN1_INTEGER, V_ASN1_SEQUENCE, V_ASN1_SEQUENCE, V_ASN1_SEQUENCE };
	const unsigned char *whole = *end;

	if (!der_next(p, end, V_ASN1_SEQUENCE, true) || *end != whole || !der_next(p, end, V_ASN1_SEQUENCE, true))
		return false;
	if (*p < *end && **p == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED) && !der_next(p, end, 0, false))
		return false;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (!der_next(p, end, before[i], false))
			return false;
	}
	return der_next(p, end, V_ASN1_SEQUENCE, true);
}

/* One AttributeTypeAndValue at *p; a common name is counted, and is *same when its text is common_name. */
static bool
attribute_read(const unsigned char **p, const unsigned char *end, const char *common_name, unsigned int *count,
    bool *same)
{
	static const unsigned char oid[] = { 0x06, 0x03, 0x55, 0x04,
		0x03 }; /* id-at-commonName: RFC 5280 appendix A.1 */
	const unsigned char *at = *p, *value_end = end, *value;
	int tag, class;
	long len;

	if (!der_next(&at, &value_end, V_ASN1_SEQUENCE, true))
		return false;
	*p = value_end;
	value = at;
	if (!der_next(&value, &value_end, V_ASN1_OBJECT, false))
		return false;
	if ((size_t)(value - at) != sizeof(oid) || memcmp(at, oid, sizeof(oid)) != 0)
		return true;
	if ((ASN1_get_object(&value, &len, &tag, &class, value_end - value) & 0xa0) != 0 || value + len != value_end)
		return false;
	++*count;
	*same = (size_t)len == strlen(common_name) && memcmp(value, common_name, (size_t)len) == 0;
	return true;
}

/* RelativeDistinguishedNames from p to end. */
static bool
names_read(const unsigned char *p, const unsigned char *end, const char *common_name, unsigned int *count, bool *same)
{
	while (p < end) {
		const unsigned char *set_end = end;

		if (!der_next(&p, &set_end, V_ASN1_SET, true))
			return false;
		while (p < set_end) {
			if (!attribute_read(&p, set_end, common_name, count, same))
				return false;
		}
	}
	return true;
}

int
ca_cert_check_name_der(const void *der, size_t len, const char *common_name, struct err *e)
{
	const unsigned char *p = der, *end = p + len;
	unsigned int count = 0;
	bool same = false, read = subject_find(&p, &end) && names_read(p, end, common_name, &count, &same);

	ERR_clear_error();
	if (!read)
		return err_set(e, ERR_INTEGRITY,
		    "certificate of %s: expected an X.509 certificate in DER, found others", common_name);
	return count == 1 && same ? 0 : name_differs(common_name, e);
}
