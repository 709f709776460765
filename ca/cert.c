/* SPDX-License-Identifier: ISC */
#include "ca/cert.h"

#include "ca/extension.h"
#include "ca/facts.h"
#include "ca/serial.h"
#include "ca/time.h"
#include "common/process.h"
#include "common/text.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROOT_RANDOM 8         /* octets of a root's name */
#define ROOT_INFIX " CA "     /* between the owner's name and them */
#define SERIAL_FIRST_MIN 0x40 /* never short, never negative: 20 octets in DER, always */
#define SERIAL_FIRST_MAX 0x7f
#define SECURITY_LEVEL 2 /* 112 bits: no SHA-1 and no RSA below 2048, which a server of today refuses */

int
ca_serial_new(unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	if (process_random(serial, CA_SERIAL_SIZE, e) != 0)
		return err_prefix(e, "serial number");
	serial[0] = (unsigned char)(SERIAL_FIRST_MIN | (serial[0] & (SERIAL_FIRST_MAX - SERIAL_FIRST_MIN)));
	return 0;
}

static int
check_name(const char *value, const char *what, struct err *e)
{
	char shown[64];

	if (value == NULL || value[0] == '\0')
		return err_set(e, ERR_INPUT, "%s: expected 1 to %d bytes, found none", what, CA_NAME_MAX);
	if (!text_is_clean(value, strlen(value)))
		return err_set(e, ERR_INPUT, "%s: expected UTF-8 without control characters, found \"%s\"", what,
		    text_printable(value, shown, sizeof(shown)));
	return 0;
}

int
ca_root_name(const char *name, char out[CA_NAME_MAX + 1], struct err *e)
{
	const size_t room = CA_NAME_MAX - strlen(ROOT_INFIX) - 2 * (size_t)ROOT_RANDOM;
	unsigned char random[ROOT_RANDOM];
	char hex[2 * sizeof(random) + 1];
	size_t len;

	if (check_name(name, "name of the CA", e) != 0 || process_random(random, sizeof(random), e) != 0)
		return -1;
	len = strlen(name);
	if (len > room) {
		/* Not in the middle of a UTF-8 sequence. */
		for (len = room; len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80; len--)
			;
	}
	text_hex(random, sizeof(random), hex);
	(void)snprintf(out, CA_NAME_MAX + 1, "%.*s" ROOT_INFIX "%s", (int)len, name, hex);
	return 0;
}

/* ---- issuing ---- */

static int
add_name(X509_NAME *name, int nid, const char *what, const char *value, struct err *e)
{
	size_t len;

	if (check_name(value, what, e) != 0)
		return -1;
	len = strlen(value);
	if (len > CA_NAME_MAX)
		return err_set(e, ERR_INPUT, "%s (RFC 5280 appendix A.1): expected 1 to %d bytes, found %zu", what,
		    CA_NAME_MAX, len);
	if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, (int)len, -1, 0) != 1)
		return err_openssl(e, ERR_FAILED, "%s", what);
	return 0;
}

static int
set_names(X509 *cert, const struct ca_cert_params *params, const X509 *issuer, struct err *e)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	if (params->organization != NULL &&
	    add_name(subject, NID_organizationName, "organization", params->organization, e) != 0)
		return -1;
	if (add_name(subject, NID_commonName, "common name", params->common_name, e) != 0)
		return -1;
	if (X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : subject) != 1)
		return err_openssl(e, ERR_FAILED, "issuer's name");
	return 0;
}

static int
set_validity(X509 *cert, const struct ca_cert_params *params, const X509 *issuer, struct err *e)
{
	time_t from = params->not_before, to = params->not_after, issuer_from, issuer_to;
	char shown_from[TEXT_TIME_SIZE], shown_to[TEXT_TIME_SIZE];

	text_time(from, shown_from);
	text_time(to, shown_to);
	if (to <= from)
		return err_set(e, ERR_INPUT, "validity: expected an end after %s, found %s", shown_from, shown_to);
	if (issuer != NULL) {
		if (ca_cert_validity(issuer, &issuer_from, &issuer_to, e) != 0)
			return err_prefix(e, "issuer");
		from = from > issuer_from ? from : issuer_from;
		to = to < issuer_to ? to : issuer_to;
	}
	if (to <= from) {
		char shown_issuer_from[TEXT_TIME_SIZE], shown_issuer_to[TEXT_TIME_SIZE];

		text_time(issuer_from, shown_issuer_from);
		text_time(issuer_to, shown_issuer_to);
		return err_set(e, ERR_INPUT,
		    "validity: expected a time within the issuer's, %s to %s, found %s to %s; a new CA is needed",
		    shown_issuer_from, shown_issuer_to, shown_from, shown_to);
	}
	if (time_to_asn1(from, "notBefore", X509_getm_notBefore(cert), e) != 0)
		return -1;
	return time_to_asn1(to, "notAfter", X509_getm_notAfter(cert), e);
}

static int
set_serial(X509 *cert, const unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	if (serial[0] < SERIAL_FIRST_MIN || serial[0] > SERIAL_FIRST_MAX)
		return err_set(e, ERR_INPUT,
		    "serial number: expected a first octet from 0x%02x to 0x%02x, found 0x%02x", SERIAL_FIRST_MIN,
		    SERIAL_FIRST_MAX, serial[0]);
	if (ASN1_STRING_set(X509_get_serialNumber(cert), serial, CA_SERIAL_SIZE) != 1)
		return err_openssl(e, ERR_FAILED, "serial number");
	return 0;
}

static int
set_key(X509 *cert, EVP_PKEY *key, struct err *e)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return err_set(e, ERR_INPUT, "key (all suites of the phone are RSA): expected RSA, found %s",
		    OBJ_nid2sn(EVP_PKEY_get_base_id(key)));
	if (X509_set_pubkey(cert, key) != 1)
		return err_openssl(e, ERR_FAILED, "public key");
	return 0;
}

static int
check_issuer(const struct ca_cert_params *params, const X509 *issuer, EVP_PKEY *issuer_key, struct err *e)
{
	if (params->kind == CA_KIND_ROOT) {
		if (issuer != NULL || issuer_key != NULL)
			return err_set(e, ERR_INPUT, "issuer: expected none for a root, found one");
		return 0;
	}
	if (issuer == NULL || issuer_key == NULL)
		return err_set(e, ERR_INPUT, "issuer: expected a CA certificate and its key, found none");
	if (extension_check_issuer(issuer, KU_KEY_CERT_SIGN, e) != 0)
		return -1;
	if (X509_check_private_key(issuer, issuer_key) != 1)
		return err_openssl(e, ERR_INTEGRITY, "issuer's key: expected that of its certificate, found another");
	return 0;
}

static int
fill(X509 *cert, const struct ca_cert_params *params, EVP_PKEY *key, const X509 *issuer, struct err *e)
{
	if (X509_set_version(cert, X509_VERSION_3) != 1)
		return err_openssl(e, ERR_FAILED, "version");
	if (set_names(cert, params, issuer, e) != 0 || set_serial(cert, params->serial, e) != 0 ||
	    set_validity(cert, params, issuer, e) != 0 || set_key(cert, key, e) != 0)
		return -1;
	return extension_add(cert, params, issuer, e);
}

X509 *
ca_cert_issue(const struct ca_cert_params *params, EVP_PKEY *subject_key, const X509 *issuer, EVP_PKEY *issuer_key,
    struct err *e)
{
	EVP_PKEY *signing_key = issuer_key != NULL ? issuer_key : subject_key;
	char shown[CA_NAME_MAX + 1];
	X509 *cert = NULL, *ret = NULL;

	if (check_issuer(params, issuer, issuer_key, e) != 0)
		goto out;
	cert = X509_new();
	if (cert == NULL) {
		err_openssl(e, ERR_FAILED, "no memory");
		goto out;
	}
	if (fill(cert, params, subject_key, issuer, e) != 0)
		goto out;
	if (X509_sign(cert, signing_key, EVP_sha256()) <= 0) {
		err_openssl(e, ERR_FAILED, "signature");
		goto out;
	}
	ret = cert;
	cert = NULL;
out:
	X509_free(cert);
	if (ret == NULL)
		err_prefix(e, "certificate for \"%s\"",
		    text_printable(params->common_name != NULL ? params->common_name : "", shown, sizeof(shown)));
	return ret;
}

/* ---- DER ---- */

int
ca_cert_encode(const X509 *cert, struct buf *out, struct err *e)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return err_openssl(e, ERR_FAILED, "certificate: encoding as DER");
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return buf_check(out, "certificate", e);
}

X509 *
ca_cert_decode(const void *der, size_t len, struct err *e)
{
	const unsigned char *end = der;
	X509 *cert = NULL;

	if (len > 0 && len <= LONG_MAX)
		cert = d2i_X509(NULL, &end, (long)len);
	if (cert == NULL) {
		err_openssl(e, ERR_INTEGRITY, "certificate (RFC 5280 section 4.1): expected DER, found %zu other bytes",
		    len);
		return NULL;
	}
	if (end != (const unsigned char *)der + len) {
		err_set(e, ERR_INTEGRITY, "certificate: expected nothing behind its DER, found %zu bytes",
		    len - (size_t)(end - (const unsigned char *)der));
		X509_free(cert);
		return NULL;
	}
	return cert;
}

int
ca_cert_validity(const X509 *cert, time_t *ret_not_before, time_t *ret_not_after, struct err *e)
{
	time_t from, to;

	if (time_from_asn1(X509_get0_notBefore(cert), "notBefore", &from, e) != 0 ||
	    time_from_asn1(X509_get0_notAfter(cert), "notAfter", &to, e) != 0)
		return -1;
	*ret_not_before = from;
	*ret_not_after = to;
	return 0;
}

int
ca_cert_serial(const X509 *cert, unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	return serial_from_asn1(X509_get0_serialNumber(cert), serial, e);
}

/* ---- checking ---- */

/* A NUL or a line feed inside a name: other programs would read another one. */
static int
check_subject(const X509 *cert, struct err *e)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	bool clean = X509_NAME_entry_count(name) > 0;

	for (int i = 0; clean && i < X509_NAME_entry_count(name); i++) {
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
		unsigned char *text = NULL;
		int len = ASN1_STRING_to_UTF8(&text, value);

		clean = len > 0 && text_is_clean((const char *)text, (size_t)len);
		OPENSSL_free(text);
	}
	if (!clean)
		return err_openssl(e, ERR_INTEGRITY, "subject: expected names without control characters, found some");
	return 0;
}

/* RFC 5280 section 6, with the issuer as the only trust anchor. */
static int
check_path(X509 *cert, X509 *anchor, enum ca_kind kind, time_t now, struct err *e)
{
	static const int purposes[] = {
		[CA_KIND_ROOT] = X509_PURPOSE_CRL_SIGN,
		[CA_KIND_SERVER] = X509_PURPOSE_SSL_SERVER,
		[CA_KIND_PHONE] = X509_PURPOSE_SSL_CLIENT,
	};
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *path = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	char shown[TEXT_TIME_SIZE];
	int rc = -1;

	if (store == NULL || path == NULL || X509_STORE_add_cert(store, anchor) != 1 ||
	    X509_STORE_CTX_init(path, store, cert, NULL) != 1) {
		err_openssl(e, ERR_FAILED, "path validation");
		goto out;
	}
	param = X509_STORE_CTX_get0_param(path);
	X509_VERIFY_PARAM_set_time(param, now);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (X509_VERIFY_PARAM_set_purpose(param, purposes[kind]) != 1 ||
	    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CHECK_SS_SIGNATURE) != 1) {
		err_openssl(e, ERR_FAILED, "path validation");
		goto out;
	}
	if (X509_verify_cert(path) != 1) {
		text_time(now, shown);
		err_openssl(e, ERR_INTEGRITY,
		    "path (RFC 5280 section 6): expected it valid at %s, found at depth %d: %s", shown,
		    X509_STORE_CTX_get_error_depth(path),
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(path)));
		goto out;
	}
	rc = 0;
out:
	X509_STORE_CTX_free(path);
	X509_STORE_free(store);
	return rc;
}

static int
check(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now,
    int (*check_extensions)(X509 *cert, enum ca_kind kind, struct err *e), struct err *e)
{
	char subject[CA_FACTS_NAME_SIZE];
	int rc = -1;

	if ((kind == CA_KIND_ROOT) != (issuer == NULL)) {
		err_set(e, ERR_INTEGRITY, "issuer: expected one for all but a root, found %s",
		    issuer == NULL ? "none" : "one for a root");
		goto out;
	}
	if (X509_check_private_key(cert, key) != 1) {
		err_openssl(e, ERR_INTEGRITY, "private key: expected that of the certificate, found another");
		goto out;
	}
	if (check_subject(cert, e) != 0 || check_extensions(cert, kind, e) != 0 ||
	    check_path(cert, issuer != NULL ? issuer : cert, kind, now, e) != 0)
		goto out;
	rc = 0;
out:
	if (rc != 0) {
		ca_name_print(X509_get_subject_name(cert), subject);
		err_prefix(e, "certificate \"%s\"", subject);
	}
	ERR_clear_error();
	return rc;
}

int
ca_cert_check(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now, struct err *e)
{
	return check(cert, key, issuer, kind, now, extension_check, e);
}

int
ca_cert_check_foreign(X509 *cert, EVP_PKEY *key, X509 *issuer, enum ca_kind kind, time_t now, struct err *e)
{
	return check(cert, key, issuer, kind, now, extension_check_foreign, e);
}
