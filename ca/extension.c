/* SPDX-License-Identifier: ISC */
#include "ca/extension.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One row a kind; facts behind it: ca/cert.h. */
static const struct rule {
	bool ca;
	unsigned char key_usage;
	int purpose;            /* extendedKeyUsage's only member, or NID_undef */
	uint32_t purpose_flag;  /* the same as X509_get_extended_key_usage() says it */
	unsigned char netscape; /* nsCertType, or 0 */
} rules[] = {
	[CA_KIND_ROOT] = { true, KU_KEY_CERT_SIGN | KU_CRL_SIGN, NID_undef, UINT32_MAX, 0 },
	[CA_KIND_SERVER] = { false, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, NID_server_auth, XKU_SSL_SERVER,
	    NS_SSL_SERVER },
	[CA_KIND_PHONE] = { false, KU_DIGITAL_SIGNATURE, NID_client_auth, XKU_SSL_CLIENT, 0 },
};

/* ---- writing ---- */

/* value NULL: there was no memory for it. It stays the caller's. */
static int
add(X509 *cert, int nid, void *value, bool critical, struct err *e)
{
	if (value == NULL || X509_add1_ext_i2d(cert, nid, value, critical, X509V3_ADD_APPEND) != 1)
		return err_openssl(e, ERR_FAILED, "extension %s", OBJ_nid2sn(nid));
	return 0;
}

static int
add_constraints(X509 *cert, bool ca, struct err *e)
{
	BASIC_CONSTRAINTS *value = BASIC_CONSTRAINTS_new();
	int rc;

	if (ca && value != NULL) {
		value->ca = 0xff; /* the octet itself: X.690 section 11.1 */
		value->pathlen = ASN1_INTEGER_new();
		if (value->pathlen == NULL || ASN1_INTEGER_set(value->pathlen, 0) != 1) {
			BASIC_CONSTRAINTS_free(value);
			value = NULL;
		}
	}
	rc = add(cert, NID_basic_constraints, value, ca, e);
	BASIC_CONSTRAINTS_free(value);
	return rc;
}

static int
add_bits(X509 *cert, int nid, unsigned char bits, bool critical, struct err *e)
{
	ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
	int rc;

	if (value != NULL && ASN1_BIT_STRING_set(value, &bits, sizeof(bits)) != 1) {
		ASN1_BIT_STRING_free(value);
		value = NULL;
	}
	rc = add(cert, nid, value, critical, e);
	ASN1_BIT_STRING_free(value);
	return rc;
}

static int
add_purpose(X509 *cert, int purpose, struct err *e)
{
	EXTENDED_KEY_USAGE *value = EXTENDED_KEY_USAGE_new();
	int rc;

	if (value != NULL && sk_ASN1_OBJECT_push(value, OBJ_nid2obj(purpose)) <= 0) {
		EXTENDED_KEY_USAGE_free(value);
		value = NULL;
	}
	rc = add(cert, NID_ext_key_usage, value, false, e);
	EXTENDED_KEY_USAGE_free(value);
	return rc;
}

/* RFC 5280 section 4.2.1.2, method 1: SHA-1 of the public key's bits. A name for it, no security rests on it. */
static int
add_subject_key(X509 *cert, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	unsigned int len;
	int rc;

	if (value != NULL && (X509_pubkey_digest(cert, EVP_sha1(), digest, &len) != 1 ||
				 ASN1_OCTET_STRING_set(value, digest, (int)len) != 1)) {
		ASN1_OCTET_STRING_free(value);
		value = NULL;
	}
	rc = add(cert, NID_subject_key_identifier, value, false, e);
	ASN1_OCTET_STRING_free(value);
	return rc;
}

static int
add_authority(X509 *cert, const X509 *issuer, struct err *e)
{
	AUTHORITY_KEYID *value = extension_authority(issuer, e);
	int rc;

	if (value == NULL)
		return -1;
	rc = add(cert, NID_authority_key_identifier, value, false, e);
	AUTHORITY_KEYID_free(value);
	return rc;
}

static GENERAL_NAME *
general_name(int type, const void *data, size_t len)
{
	ASN1_STRING *value = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (value == NULL || name == NULL || ASN1_STRING_set(value, data, (int)len) != 1) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

static int
add_host(X509 *cert, const char *host, struct err *e)
{
	unsigned char address[sizeof(struct in6_addr)];
	GENERAL_NAMES *value = NULL;
	GENERAL_NAME *name = NULL;
	char shown[64];
	int rc = -1;

	if (inet_pton(AF_INET, host, address) == 1)
		name = general_name(GEN_IPADD, address, sizeof(struct in_addr));
	else if (inet_pton(AF_INET6, host, address) == 1)
		name = general_name(GEN_IPADD, address, sizeof(struct in6_addr));
	else if (text_is_host_name(host))
		name = general_name(GEN_DNS, host, strlen(host));
	else
		return err_set(e, ERR_INPUT,
		    "subjectAltName (RFC 5280 section 4.2.1.6): expected a DNS name in ASCII or an IP address, "
		    "found \"%s\"",
		    text_printable(host, shown, sizeof(shown)));
	value = GENERAL_NAMES_new();
	if (name == NULL || value == NULL || sk_GENERAL_NAME_push(value, name) <= 0) {
		err_openssl(e, ERR_FAILED, "extension subjectAltName");
		GENERAL_NAME_free(name);
		goto out;
	}
	rc = add(cert, NID_subject_alt_name, value, false, e);
out:
	GENERAL_NAMES_free(value);
	return rc;
}

int
extension_add(X509 *cert, const struct ca_cert_params *params, const X509 *issuer, struct err *e)
{
	const struct rule *rule = &rules[params->kind];

	if (add_constraints(cert, rule->ca, e) != 0 || add_bits(cert, NID_key_usage, rule->key_usage, rule->ca, e) != 0)
		return -1;
	if (rule->purpose != NID_undef && add_purpose(cert, rule->purpose, e) != 0)
		return -1;
	if (rule->netscape != 0 && add_bits(cert, NID_netscape_cert_type, rule->netscape, false, e) != 0)
		return -1;
	if (add_subject_key(cert, e) != 0)
		return -1;
	if (issuer != NULL && add_authority(cert, issuer, e) != 0)
		return -1;
	if (params->kind == CA_KIND_SERVER && params->host != NULL && add_host(cert, params->host, e) != 0)
		return -1;
	return 0;
}

/* ---- reading ---- */

AUTHORITY_KEYID *
extension_authority(const X509 *issuer, struct err *e)
{
	AUTHORITY_KEYID *value = NULL;
	ASN1_OCTET_STRING *id;

	id = X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL, NULL);
	if (id == NULL) {
		err_openssl(e, ERR_INPUT,
		    "issuer (RFC 5280 section 4.2.1.2): expected a subjectKeyIdentifier, found none");
		return NULL;
	}
	value = AUTHORITY_KEYID_new();
	if (value == NULL) {
		err_openssl(e, ERR_FAILED, "extension authorityKeyIdentifier");
		ASN1_OCTET_STRING_free(id);
		return NULL;
	}
	value->keyid = id;
	return value;
}

/* The first octet of a BIT STRING extension; 0 when there is none, or none that can be read. */
static unsigned int
read_bits(const X509 *cert, int nid)
{
	ASN1_BIT_STRING *value = X509_get_ext_d2i(cert, nid, NULL, NULL);
	unsigned int bits = 0;

	if (value != NULL && ASN1_STRING_length(value) > 0)
		bits = ASN1_STRING_get0_data(value)[0];
	ASN1_BIT_STRING_free(value);
	return bits;
}

int
extension_check_issuer(const X509 *issuer, unsigned int usage, struct err *e)
{
	BASIC_CONSTRAINTS *value = X509_get_ext_d2i(issuer, NID_basic_constraints, NULL, NULL);
	bool ca = value != NULL && value->ca != 0;
	unsigned int found;

	BASIC_CONSTRAINTS_free(value);
	if (!ca)
		return err_openssl(e, ERR_INPUT,
		    "issuer (RFC 5280 section 4.2.1.9): expected a CA certificate, found one without CA:TRUE");
	/* Without the extension a key may do all: easy-rsa 2 and others wrote CAs like that. */
	if (X509_get_ext_by_NID(issuer, NID_key_usage, -1) < 0)
		return 0;
	found = read_bits(issuer, NID_key_usage);
	if ((found & usage) != usage)
		return err_openssl(e, ERR_INPUT,
		    "issuer (RFC 5280 section 4.2.1.3): expected a keyUsage with 0x%02x, found 0x%02x", usage, found);
	return 0;
}

static int
check_constraints(uint32_t flags, const struct rule *rule, struct err *e)
{
	if ((flags & EXFLAG_INVALID) != 0)
		return err_openssl(e, ERR_INTEGRITY, "extensions: expected those of RFC 5280, found broken ones");
	if (((flags & EXFLAG_CA) != 0) != rule->ca)
		return err_set(e, ERR_INTEGRITY, "basicConstraints (RFC 5280 section 4.2.1.9): expected %s, found %s",
		    rule->ca ? "a CA" : "no CA", rule->ca ? "no CA" : "a CA");
	return 0;
}

static int
wrong_usage(const struct rule *rule, uint32_t usage, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "keyUsage (RFC 5280 section 4.2.1.3): expected 0x%02x, found 0x%02x",
	    rule->key_usage, usage);
}

int
extension_check(X509 *cert, enum ca_kind kind, struct err *e)
{
	const struct rule *rule = &rules[kind];
	uint32_t flags = X509_get_extension_flags(cert), purpose = X509_get_extended_key_usage(cert);
	uint32_t usage = (flags & EXFLAG_KUSAGE) != 0 ? X509_get_key_usage(cert) : 0;

	if (check_constraints(flags, rule, e) != 0)
		return -1;
	if (usage != rule->key_usage)
		return wrong_usage(rule, usage, e);
	if (purpose != rule->purpose_flag)
		return err_set(e, ERR_INTEGRITY,
		    "extendedKeyUsage (RFC 5280 section 4.2.1.12): expected %s alone, found another",
		    rule->purpose == NID_undef ? "none" : OBJ_nid2sn(rule->purpose));
	if (rule->netscape != 0 && read_bits(cert, NID_netscape_cert_type) != rule->netscape)
		return err_set(e, ERR_INTEGRITY,
		    "nsCertType: expected server, which ns-cert-type asks for, found none or another");
	return 0;
}

/*
 * OpenVPN's remote-cert-tls wants both extensions, of a server in 2.1 to 2.3 with exactly these usages (measured); a
 * root needs none.
 */
int
extension_check_foreign(X509 *cert, enum ca_kind kind, struct err *e)
{
	const struct rule *rule = &rules[kind];
	uint32_t flags = X509_get_extension_flags(cert), purpose = X509_get_extended_key_usage(cert);
	uint32_t usage = (flags & EXFLAG_KUSAGE) != 0 ? X509_get_key_usage(cert) : 0;
	uint32_t counted = kind == CA_KIND_SERVER ? usage : usage & rule->key_usage;

	if (check_constraints(flags, rule, e) != 0)
		return -1;
	if (counted != rule->key_usage && !(kind == CA_KIND_ROOT && (flags & EXFLAG_KUSAGE) == 0))
		return wrong_usage(rule, usage, e);
	if (kind != CA_KIND_ROOT && ((flags & EXFLAG_XKUSAGE) == 0 || (purpose & rule->purpose_flag) == 0))
		return err_set(e, ERR_INTEGRITY,
		    "extendedKeyUsage (RFC 5280 section 4.2.1.12): expected %s among them, found %s",
		    OBJ_nid2sn(rule->purpose), (flags & EXFLAG_XKUSAGE) == 0 ? "none" : "others");
	return 0;
}
