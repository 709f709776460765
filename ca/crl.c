/* SPDX-License-Identifier: ISC */
#include "ca/crl.h"

#include "ca/extension.h"
#include "ca/serial.h"
#include "ca/time.h"
#include "common/text.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REASON_REMOVED 8 /* removeFromCRL */

/* RFC 5280 section 5.3.1 */
static const struct {
	enum ca_reason reason;
	const char *name;
	bool given; /* by people, for a phone's certificate; the others come with an imported CA */
} reasons[] = {
	{ CA_REASON_UNSPECIFIED, "unspecified", true },
	{ CA_REASON_KEY_COMPROMISE, "keyCompromise", true },
	{ CA_REASON_CA_COMPROMISE, "cACompromise", false },
	{ CA_REASON_AFFILIATION_CHANGED, "affiliationChanged", false },
	{ CA_REASON_SUPERSEDED, "superseded", true },
	{ CA_REASON_CESSATION, "cessationOfOperation", true },
	{ CA_REASON_HOLD, "certificateHold", false },
	{ CA_REASON_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn", false },
	{ CA_REASON_AA_COMPROMISE, "aACompromise", false },
};

#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

static const char *
reason_find(enum ca_reason reason)
{
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (reasons[i].reason == reason)
			return reasons[i].name;
	}
	return NULL;
}

const char *
ca_reason_name(enum ca_reason reason)
{
	const char *name = reason_find(reason);

	return name != NULL ? name : "unknown";
}

int
ca_reason_parse(const char *s, enum ca_reason *ret, struct err *e)
{
	char shown[64];

	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (reasons[i].given && strcmp(reasons[i].name, s) == 0) {
			*ret = reasons[i].reason;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT,
	    "reason (RFC 5280 section 5.3.1): expected unspecified, keyCompromise, superseded or "
	    "cessationOfOperation, found \"%s\"",
	    text_printable(s, shown, sizeof(shown)));
}

int
ca_serial_decimal(const unsigned char serial[CA_SERIAL_SIZE], char out[CA_SERIAL_DECIMAL_SIZE], struct err *e)
{
	BIGNUM *number = BN_bin2bn(serial, CA_SERIAL_SIZE, NULL);
	char *decimal = number != NULL ? BN_bn2dec(number) : NULL;
	int rc = -1;

	if (decimal == NULL)
		err_openssl(e, ERR_FAILED, "serial in decimal");
	else
		rc = text_copy(out, CA_SERIAL_DECIMAL_SIZE, decimal, "serial in decimal", e);
	OPENSSL_free(decimal);
	BN_free(number);
	return rc;
}

/* ---- entries ---- */

static int
set_reason(X509_REVOKED *to, enum ca_reason reason, struct err *e)
{
	ASN1_ENUMERATED *value;
	int rc = 0;

	if (reason_find(reason) == NULL)
		return err_set(e, ERR_INPUT,
		    "reason (RFC 5280 section 5.3.1): expected 0 to 10 without 7 and 8, found %d", (int)reason);
	if (reason == CA_REASON_UNSPECIFIED)
		return 0;
	value = ASN1_ENUMERATED_new();
	if (value == NULL || ASN1_ENUMERATED_set(value, reason) != 1 ||
	    X509_REVOKED_add1_ext_i2d(to, NID_crl_reason, value, 0, X509V3_ADD_APPEND) != 1)
		rc = err_openssl(e, ERR_FAILED, "extension reasonCode");
	ASN1_ENUMERATED_free(value);
	return rc;
}

/* number and when are filled for each entry anew and copied: 100,000 entries need no new ones. */
static int
set_entry(X509_REVOKED *to, const struct ca_crl_entry *from, ASN1_INTEGER *number, ASN1_TIME *when, struct err *e)
{
	size_t skip = 0;

	/* 20 octets in DER too, as ca_cert_serial() takes them. */
	if (from->serial[0] > 0x7f)
		return err_set(e, ERR_INPUT, "serial number: expected a first octet from 0x00 to 0x7f, found 0x%02x",
		    from->serial[0]);
	/* A number has no zeros in front (X.690 section 8.3.2): with them it would match no certificate. */
	while (skip + 1 < CA_SERIAL_SIZE && from->serial[skip] == 0)
		skip++;
	if (time_to_asn1(from->revoked, "revocationDate", when, e) != 0)
		return -1;
	if (ASN1_STRING_set(number, from->serial + skip, (int)(CA_SERIAL_SIZE - skip)) != 1 ||
	    X509_REVOKED_set_serialNumber(to, number) != 1 || X509_REVOKED_set_revocationDate(to, when) != 1)
		return err_openssl(e, ERR_FAILED, "no memory");
	return set_reason(to, from->reason, e);
}

static int
add_entries(X509_CRL *crl, const struct ca_crl_params *params, struct err *e)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *when = ASN1_TIME_new();
	X509_REVOKED *entry = NULL;
	size_t i;
	int rc = -1;

	if (number == NULL || when == NULL) {
		err_openssl(e, ERR_FAILED, "no memory");
		goto out;
	}
	for (i = 0; i < params->count; i++) {
		entry = X509_REVOKED_new();
		if (entry == NULL) {
			err_openssl(e, ERR_FAILED, "no memory");
			goto out;
		}
		if (set_entry(entry, &params->entries[i], number, when, e) != 0) {
			err_prefix(e, "entry %zu", i);
			goto out;
		}
		if (X509_CRL_add0_revoked(crl, entry) != 1) {
			err_openssl(e, ERR_FAILED, "no memory");
			goto out;
		}
		entry = NULL;
	}
	rc = 0;
out:
	X509_REVOKED_free(entry);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(when);
	return rc;
}

/* The same serials make the same bytes in any order; and none stands twice. */
static int
sort_entries(X509_CRL *crl, struct err *e)
{
	STACK_OF(X509_REVOKED) * all;
	char hex[2 * CA_SERIAL_SIZE + 1];

	(void)X509_CRL_sort(crl);
	all = X509_CRL_get_REVOKED(crl);
	for (int i = 1; i < sk_X509_REVOKED_num(all); i++) {
		const ASN1_INTEGER *one = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i));

		if (ASN1_INTEGER_cmp(one, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i - 1))) != 0)
			continue;
		text_hex(ASN1_STRING_get0_data(one), (size_t)ASN1_STRING_length(one), hex);
		return err_set(e, ERR_INPUT, "serial number %s: expected one entry, found two", hex);
	}
	return 0;
}

/* ---- the list ---- */

static int
set_times(X509_CRL *crl, const struct ca_crl_params *params, struct err *e)
{
	char shown_this[TEXT_TIME_SIZE], shown_next[TEXT_TIME_SIZE];
	ASN1_TIME *this_update, *next_update;
	int rc = -1;

	if (params->next_update <= params->this_update) {
		text_time(params->this_update, shown_this);
		text_time(params->next_update, shown_next);
		return err_set(e, ERR_INPUT, "nextUpdate: expected a time after thisUpdate %s, found %s", shown_this,
		    shown_next);
	}
	this_update = ASN1_TIME_new();
	next_update = ASN1_TIME_new();
	if (this_update == NULL || next_update == NULL) {
		err_openssl(e, ERR_FAILED, "no memory");
		goto out;
	}
	if (time_to_asn1(params->this_update, "thisUpdate", this_update, e) != 0 ||
	    time_to_asn1(params->next_update, "nextUpdate", next_update, e) != 0)
		goto out;
	if (X509_CRL_set1_lastUpdate(crl, this_update) != 1 || X509_CRL_set1_nextUpdate(crl, next_update) != 1) {
		err_openssl(e, ERR_FAILED, "no memory");
		goto out;
	}
	rc = 0;
out:
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	return rc;
}

static int
set_extensions(X509_CRL *crl, uint64_t crl_number, const X509 *issuer, struct err *e)
{
	AUTHORITY_KEYID *authority = extension_authority(issuer, e);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	int rc = -1;

	if (authority == NULL)
		goto out;
	if (X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0, X509V3_ADD_APPEND) != 1 ||
	    number == NULL || ASN1_INTEGER_set_uint64(number, crl_number) != 1 ||
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_APPEND) != 1) {
		err_openssl(e, ERR_FAILED, "extensions");
		goto out;
	}
	rc = 0;
out:
	AUTHORITY_KEYID_free(authority);
	ASN1_INTEGER_free(number);
	return rc;
}

static int
check_issuer(const X509 *issuer, EVP_PKEY *issuer_key, struct err *e)
{
	if (extension_check_issuer(issuer, KU_CRL_SIGN, e) != 0)
		return -1;
	if (X509_check_private_key(issuer, issuer_key) != 1)
		return err_openssl(e, ERR_INTEGRITY, "issuer's key: expected that of its certificate, found another");
	return 0;
}

static int
fill(X509_CRL *crl, const struct ca_crl_params *params, const X509 *issuer, struct err *e)
{
	if (X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) != 1)
		return err_openssl(e, ERR_FAILED, "no memory");
	if (set_times(crl, params, e) != 0 || set_extensions(crl, params->number, issuer, e) != 0 ||
	    add_entries(crl, params, e) != 0)
		return -1;
	return sort_entries(crl, e);
}

int
ca_crl_issue(const struct ca_crl_params *params, const X509 *issuer, EVP_PKEY *issuer_key, struct buf *out,
    struct err *e)
{
	X509_CRL *crl = X509_CRL_new();
	unsigned char *der = NULL;
	int len, rc = -1;

	if (crl == NULL) {
		err_openssl(e, ERR_FAILED, "no memory");
		goto out;
	}
	if (check_issuer(issuer, issuer_key, e) != 0 || fill(crl, params, issuer, e) != 0)
		goto out;
	if (X509_CRL_sign(crl, issuer_key, EVP_sha256()) <= 0 || (len = i2d_X509_CRL(crl, &der)) <= 0) {
		err_openssl(e, ERR_FAILED, "signature");
		goto out;
	}
	buf_add(out, der, (size_t)len);
	rc = buf_check(out, "its DER", e);
out:
	OPENSSL_free(der);
	X509_CRL_free(crl);
	return rc == 0 ? 0 : err_prefix(e, "CRL %llu", (unsigned long long)params->number);
}

/* ---- those of other programs ---- */

static int
entry_read(X509_REVOKED *from, struct ca_crl_entry *to, struct err *e)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(from, NID_crl_reason, NULL, NULL);
	long value = reason != NULL ? ASN1_ENUMERATED_get(reason) : CA_REASON_UNSPECIFIED;

	ASN1_ENUMERATED_free(reason);
	to->reason = value == REASON_REMOVED || reason_find((enum ca_reason)value) != NULL ? (enum ca_reason)value
	                                                                                   : CA_REASON_UNSPECIFIED;
	if (serial_from_asn1(X509_REVOKED_get0_serialNumber(from), to->serial, e) != 0)
		return -1;
	return time_from_asn1(X509_REVOKED_get0_revocationDate(from), "revocationDate", &to->revoked, e);
}

static int
number_read(const X509_CRL *crl, uint64_t *ret, struct err *e)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	uint64_t value = 0;
	int rc = 0;

	if (number != NULL && ASN1_INTEGER_get_uint64(&value, number) != 1)
		rc = err_openssl(e, ERR_INTEGRITY,
		    "CRL number (RFC 5280 section 5.2.3): expected one below 2^64, found a greater or a negative one");
	ASN1_INTEGER_free(number);
	if (rc == 0)
		*ret = value;
	return rc;
}

int
ca_crl_read(X509_CRL *crl, struct ca_crl_entry **ret, size_t *ret_count, uint64_t *ret_number, struct err *e)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	int total = all == NULL ? 0 : sk_X509_REVOKED_num(all);
	struct ca_crl_entry *list = calloc((size_t)total + 1, sizeof(*list));
	uint64_t number;
	size_t count = 0;

	if (list == NULL)
		return err_set(e, ERR_FAILED, "CRL of %d entries: no memory", total);
	for (int i = 0; i < total; i++) {
		if (entry_read(sk_X509_REVOKED_value(all, i), &list[count], e) != 0) {
			err_prefix(e, "entry %d", i);
			goto fail;
		}
		count += list[count].reason != REASON_REMOVED;
	}
	if (number_read(crl, &number, e) != 0)
		goto fail;
	ERR_clear_error();
	*ret = list;
	*ret_count = count;
	*ret_number = number;
	return 0;
fail:
	free(list);
	return -1;
}
