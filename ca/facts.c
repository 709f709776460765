/* SPDX-License-Identifier: ISC */
#include "ca/facts.h"

#include "ca/time.h"
#include "common/text.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define SIGNATURE_MAX 2048 /* bytes, of RSA with 16384 bits */

void
ca_name_print(const X509_NAME *name, char out[CA_FACTS_NAME_SIZE])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = -1;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_read(bio, out, CA_FACTS_NAME_SIZE - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
}

bool
ca_subject_openvpn(const X509 *cert, char *out, size_t size)
{
	/* x509_get_subject() in ssl_verify_openssl.c */
	const unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT |
	                            ASN1_STRFLGS_ESC_CTRL;
	BIO *bio = BIO_new(BIO_s_mem());
	int len = -1;

	if (bio != NULL && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, flags) >= 0 &&
	    BIO_ctrl_pending(bio) < size)
		len = BIO_read(bio, out, (int)size - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
	ERR_clear_error();
	return len > 0;
}

static void
common_name_copy(const X509_NAME *name, char *out, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;
	unsigned char *text = NULL;

	out[0] = '\0';
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && (size_t)len < size && text_is_clean((const char *)text, (size_t)len)) {
		memcpy(out, text, (size_t)len);
		out[len] = '\0';
	}
	OPENSSL_free(text);
}

static void
serial_print(const X509 *cert, char out[CA_FACTS_SERIAL_SIZE])
{
	const ASN1_INTEGER *value = X509_get0_serialNumber(cert);
	const unsigned char *data = ASN1_STRING_get0_data(value);
	size_t len = (size_t)ASN1_STRING_length(value), skip = 0;

	out[0] = '\0';
	while (skip + 1 < len && data[skip] == 0)
		skip++;
	if (ASN1_STRING_type(value) == V_ASN1_INTEGER && 2 * (len - skip) < CA_FACTS_SERIAL_SIZE)
		text_hex(data + skip, len - skip, out);
}

static time_t
time_of(const ASN1_TIME *from)
{
	struct err ignored = ERR_INIT;
	time_t when = 0;

	if (from != NULL && time_from_asn1(from, "time", &when, &ignored) != 0)
		when = 0;
	return when;
}

/* Step into the constructed value at *at, whose content has *ret_len bytes then. */
static bool
der_enter(const unsigned char **at, long len, long *ret_len)
{
	int tag, class;

	return ASN1_get_object(at, ret_len, &tag, &class, len) == V_ASN1_CONSTRUCTED && tag == V_ASN1_SEQUENCE &&
	       class == V_ASN1_UNIVERSAL;
}

/* RFC 8017 appendix A.1.1: the modulus is the first number; its bits, or 0. */
static int
rsa_bits(X509 *cert)
{
	const ASN1_BIT_STRING *public = X509_get0_pubkey_bitstr(cert);
	const unsigned char *at = public == NULL ? NULL : ASN1_STRING_get0_data(public), *end;
	long len = public == NULL ? 0 : ASN1_STRING_length(public);
	int tag, class, bits;

	if (at == NULL || !der_enter(&at, len, &len))
		return 0;
	end = at + len;
	if (ASN1_get_object(&at, &len, &tag, &class, len) != 0 || tag != V_ASN1_INTEGER || at + len >= end || len < 1)
		return 0;
	for (; len > 1 && *at == 0; len--)
		at++;
	bits = 8 * (int)len;
	for (unsigned int first = *at; bits > 0 && (first & 0x80) == 0; first = first << 1 | 1)
		bits--;
	return bits;
}

/* An RSA key is not decoded, which takes longer than all else. */
static void
key_describe(X509 *cert, struct ca_cert_facts *f)
{
	ASN1_OBJECT *algorithm = NULL;
	const EVP_PKEY *key;

	(void)X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
	if (algorithm != NULL)
		(void)OBJ_obj2txt(f->key_name, sizeof(f->key_name), algorithm, 0);
	if (OBJ_obj2nid(algorithm) == NID_rsaEncryption) {
		f->bits = rsa_bits(cert);
		f->rsa = f->bits > 0;
		return;
	}
	key = X509_get0_pubkey(cert);
	f->bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
	f->rsa = key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

static void
usage_describe(const X509 *cert, struct ca_cert_facts *f)
{
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(cert, NID_key_usage, NULL, NULL);
	ASN1_BIT_STRING *netscape = X509_get_ext_d2i(cert, NID_netscape_cert_type, NULL, NULL);
	int len = usage == NULL ? 0 : ASN1_STRING_length(usage);

	f->has_key_usage = usage != NULL;
	for (int i = 0; i < len && i < 2; i++)
		f->key_usage |= (uint32_t)ASN1_STRING_get0_data(usage)[i] << 8 * i;
	f->has_netscape = netscape != NULL && ASN1_STRING_length(netscape) > 0;
	if (f->has_netscape) {
		f->netscape_server = (ASN1_STRING_get0_data(netscape)[0] & NS_SSL_SERVER) != 0;
		f->netscape_client = (ASN1_STRING_get0_data(netscape)[0] & NS_SSL_CLIENT) != 0;
	}
	ASN1_BIT_STRING_free(usage);
	ASN1_BIT_STRING_free(netscape);
}

/* By the extensions themselves: what libcrypto keeps of them it does not give out for a certificate of ca/bulk.h. */
static void
extensions_describe(const X509 *cert, struct ca_cert_facts *f)
{
	BASIC_CONSTRAINTS *constraints = X509_get_ext_d2i(cert, NID_basic_constraints, NULL, NULL);
	EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	AUTHORITY_KEYID *authority = X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);

	f->v3 = X509_get_ext_count(cert) > 0;
	f->ca = constraints != NULL && constraints->ca != 0;
	f->has_purpose = purposes != NULL;
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
		int purpose = OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, i));

		f->purpose_server = f->purpose_server || purpose == NID_server_auth;
		f->purpose_client = f->purpose_client || purpose == NID_client_auth;
	}
	f->authority_by_serial = authority != NULL && authority->serial != NULL;
	usage_describe(cert, f);
	BASIC_CONSTRAINTS_free(constraints);
	EXTENDED_KEY_USAGE_free(purposes);
	AUTHORITY_KEYID_free(authority);
}

void
ca_cert_facts(X509 *cert, struct ca_cert_facts *ret)
{
	int digest = NID_undef;

	*ret = (struct ca_cert_facts){ 0 };
	ca_name_print(X509_get_subject_name(cert), ret->subject);
	ca_name_print(X509_get_issuer_name(cert), ret->issuer);
	common_name_copy(X509_get_subject_name(cert), ret->common_name, sizeof(ret->common_name));
	serial_print(cert, ret->serial);
	ret->not_before = time_of(X509_get0_notBefore(cert));
	ret->not_after = time_of(X509_get0_notAfter(cert));
	if (X509_get_signature_info(cert, &digest, NULL, NULL, NULL) == 1 && digest != NID_undef)
		(void)snprintf(ret->signature_digest, sizeof(ret->signature_digest), "%s", OBJ_nid2sn(digest));
	key_describe(cert, ret);
	extensions_describe(cert, ret);
	ERR_clear_error();
}

bool
ca_cert_signed_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool ok = key != NULL && X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
	          X509_verify(cert, key) == 1;

	ERR_clear_error();
	return ok;
}

bool
ca_cert_owns(const X509 *cert, const EVP_PKEY *key)
{
	bool ok = X509_check_private_key(cert, key) == 1;

	ERR_clear_error();
	return ok;
}

/* Step over a number. */
static bool
der_skip_integer(const unsigned char **at, long *len)
{
	const unsigned char *begin = *at;
	int tag, class;
	long content;

	if (ASN1_get_object(at, &content, &tag, &class, *len) != 0 || tag != V_ASN1_INTEGER)
		return false;
	*at += content;
	*len -= *at - begin;
	return true;
}

/* RFC 8017 appendix A.1: both begin with modulus and exponent, the private key behind its version. */
static bool
rsa_same(const unsigned char *private, long private_len, const unsigned char *public, long public_len)
{
	return der_enter(&private, private_len, &private_len) && der_skip_integer(&private, &private_len) &&
	       der_enter(&public, public_len, &public_len) && public_len > 0 && public_len < private_len &&
	       memcmp(private, public, (size_t)public_len) == 0;
}

bool
ca_cert_owns_der(const X509 *cert, const void *key, size_t len)
{
	const ASN1_BIT_STRING *public = X509_get0_pubkey_bitstr(cert);
	const unsigned char *at = key, *private;
	PKCS8_PRIV_KEY_INFO *info = len > INT_MAX ? NULL : d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)len);
	const ASN1_OBJECT *algorithm;
	int private_len;
	bool ok;

	ok = info != NULL && PKCS8_pkey_get0(&algorithm, &private, &private_len, NULL, info) == 1 &&
	     OBJ_obj2nid(algorithm) == NID_rsaEncryption && public != NULL &&
	     rsa_same(private, private_len, ASN1_STRING_get0_data(public), ASN1_STRING_length(public));
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return ok;
}

bool
ca_key_signs(EVP_PKEY *key)
{
	static const unsigned char data[] = "what a server asks to be signed";
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char digest[32] = "";
	const EVP_MD *md;
	bool ok;

	/* Ed25519 and Ed448 have their digest built in. */
	(void)EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest));
	md = strcmp(digest, "UNDEF") == 0 ? NULL : EVP_sha256();
	ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature, &len, data, sizeof(data)) == 1 && EVP_MD_CTX_reset(ctx) == 1 &&
	     EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
	     EVP_DigestVerify(ctx, signature, len, data, sizeof(data)) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

X509_CRL *
ca_crl_decode(const void *der, size_t len, struct err *e)
{
	const unsigned char *at = der;
	X509_CRL *crl = len > LONG_MAX ? NULL : d2i_X509_CRL(NULL, &at, (long)len);

	if (crl != NULL && at == (const unsigned char *)der + len)
		return crl;
	err_openssl(e, ERR_INTEGRITY, "CRL: expected DER (RFC 5280 section 5.1) and nothing behind it, found others");
	X509_CRL_free(crl);
	return NULL;
}

void
ca_crl_facts(X509_CRL *crl, struct ca_crl_facts *ret)
{
	*ret = (struct ca_crl_facts){ 0 };
	ca_name_print(X509_CRL_get_issuer(crl), ret->issuer);
	ret->this_update = time_of(X509_CRL_get0_lastUpdate(crl));
	ret->next_update = time_of(X509_CRL_get0_nextUpdate(crl));
	ret->count = X509_CRL_get_REVOKED(crl) == NULL ? 0 : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	ERR_clear_error();
}

bool
ca_crl_signed_by(X509_CRL *crl, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool ok = key != NULL && X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0 &&
	          X509_CRL_verify(crl, key) == 1;

	ERR_clear_error();
	return ok;
}

bool
ca_crl_lists(X509_CRL *crl, X509 *cert)
{
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_cert(crl, &entry, cert) == 1;
}

bool
ca_crl_lists_serial(X509_CRL *crl, const unsigned char *serial, size_t len)
{
	BIGNUM *number = len > INT_MAX ? NULL : BN_bin2bn(serial, (int)len, NULL);
	ASN1_INTEGER *value = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
	X509_REVOKED *entry = NULL;
	bool listed = value != NULL && X509_CRL_get0_by_serial(crl, &entry, value) == 1;

	ASN1_INTEGER_free(value);
	BN_free(number);
	return listed;
}
