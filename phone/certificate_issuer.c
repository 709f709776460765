/* SPDX-License-Identifier: ISC */
#include "phone/certificate_issuer.h"

#include "phone/certificate_describe.h"
#include "phone/certificate_key.h"
#include "phone/certificate_pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN "

struct certificate_issuer {
	X509 *ca;
	struct certificate_info info; /* of the first certificate: what it says of the CA holds for all */
	int signature;                /* NID, of sha256WithRSAEncryption, say */
	EVP_MD *digest;
	EVP_PKEY_CTX *verify; /* with the CA's key, begun */
	/* With the provider that provides nothing, which leaves a certificate's key as it stands. */
	OSSL_LIB_CTX *bare;
	OSSL_PROVIDER *nothing;
};

/* Nothing in the CA speaks of what it signs but that it may, and there is no other one to choose. */
static bool
ca_is_plain(X509_STORE_CTX *ctx, X509 *ca)
{
	STACK_OF(X509) *same = X509_STORE_CTX_get1_certs(ctx, X509_get_subject_name(ca));
	bool only = sk_X509_num(same) == 1;

	sk_X509_pop_free(same, X509_free);
	return only && X509_get_ext_by_NID(ca, NID_name_constraints, -1) < 0 &&
	       (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) != 0;
}

static bool
verify_begin(struct certificate_issuer *issuer, int digest)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer->ca);

	issuer->digest = EVP_MD_fetch(NULL, OBJ_nid2sn(digest), NULL);
	issuer->verify = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	return issuer->digest != NULL && issuer->verify != NULL && EVP_PKEY_verify_init(issuer->verify) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(issuer->verify, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(issuer->verify, issuer->digest) == 1;
}

static bool
bare_open(struct certificate_issuer *issuer)
{
	issuer->bare = OSSL_LIB_CTX_new();
	issuer->nothing = issuer->bare != NULL ? OSSL_PROVIDER_load(issuer->bare, "null") : NULL;
	return issuer->nothing != NULL;
}

struct certificate_issuer *
certificate_issuer_new(X509_STORE_CTX *ctx, const struct certificate_info *info)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	struct certificate_issuer *issuer;
	int digest, key, signature;

	if (sk_X509_num(chain) != 2 || !ca_is_plain(ctx, sk_X509_value(chain, 1)))
		return NULL;
	signature = X509_get_signature_nid(sk_X509_value(chain, 0));
	if (OBJ_find_sigid_algs(signature, &digest, &key) != 1 || key != NID_rsaEncryption)
		return NULL;
	issuer = calloc(1, sizeof(*issuer));
	if (issuer == NULL)
		return NULL;
	issuer->info = *info;
	issuer->signature = signature;
	issuer->ca = X509_dup(sk_X509_value(chain, 1));
	if (issuer->ca != NULL && verify_begin(issuer, digest) && bare_open(issuer))
		return issuer;
	certificate_issuer_free(issuer);
	ERR_clear_error();
	return NULL;
}

void
certificate_issuer_free(struct certificate_issuer *issuer)
{
	if (issuer == NULL)
		return;
	EVP_PKEY_CTX_free(issuer->verify);
	EVP_MD_free(issuer->digest);
	X509_free(issuer->ca);
	if (issuer->nothing != NULL)
		(void)OSSL_PROVIDER_unload(issuer->nothing);
	OSSL_LIB_CTX_free(issuer->bare);
	free(issuer);
}

/* Behind a second one, that the phone sends along, the short way does not look. */
static bool
is_alone(const char *text, size_t len)
{
	const char *first = len > 0 ? memmem(text, len, BEGIN, strlen(BEGIN)) : NULL;
	size_t behind = first != NULL ? (size_t)(first - text) + strlen(BEGIN) : len;

	return first != NULL && memmem(text + behind, len - behind, BEGIN, strlen(BEGIN)) == NULL;
}

/* Of names that OpenSSL checks by what stands in the certificate alone. */
static bool
has_ordinary_extensions(const X509 *cert)
{
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		switch (OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(cert, i)))) {
		case NID_basic_constraints:
		case NID_key_usage:
		case NID_ext_key_usage:
		case NID_subject_key_identifier:
		case NID_authority_key_identifier:
		case NID_subject_alt_name:
		case NID_netscape_cert_type:
		case NID_netscape_comment:
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool
is_ordinary(X509 *cert)
{
	const uint32_t odd = EXFLAG_INVALID | EXFLAG_INVALID_POLICY | EXFLAG_CRITICAL | EXFLAG_PROXY | EXFLAG_SI;

	/*
	 * Where libcrypto cannot take its extensions apart, it is invalid, and names no authority key either. What
	 * X509_check_purpose() returns is not asked: the first time it is 0 without a fingerprint, which takes a provider.
	 */
	return has_ordinary_extensions(cert) && (X509_get_extension_flags(cert) & (odd | EXFLAG_SET)) == EXFLAG_SET;
}

/* RFC 5280 sections 4.1.2.4 and 4.2.1.1, where the latter names the key alone. */
static bool
names_issuer(X509 *cert, X509 *ca)
{
	const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(cert), *found = X509_get0_subject_key_id(ca);

	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(ca)) != 0 ||
	    X509_get0_authority_issuer(cert) != NULL || X509_get0_authority_serial(cert) != NULL)
		return false;
	return wanted == NULL || (found != NULL && ASN1_OCTET_STRING_cmp(wanted, found) == 0);
}

static bool
is_valid_at(const X509 *cert, time_t clock)
{
	/* 0 is neither: a time that cannot be read. */
	return X509_cmp_time(X509_get0_notBefore(cert), &clock) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &clock) > 0;
}

/* What is signed, as it stands: the first value in the certificate's. */
static const unsigned char *
signed_part(const unsigned char *der, long len, size_t *ret_len)
{
	const unsigned char *end = der + len, *inside, *at = der;
	int tag, class;

	if (ASN1_get_object(&at, &len, &tag, &class, len) != V_ASN1_CONSTRUCTED)
		return NULL;
	inside = at;
	if (ASN1_get_object(&at, &len, &tag, &class, end - at) != V_ASN1_CONSTRUCTED)
		return NULL;
	*ret_len = (size_t)(at + len - inside);
	return inside;
}

static bool
is_signed_by(const struct certificate_issuer *issuer, const X509 *cert, const unsigned char *der, long len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len;
	const ASN1_BIT_STRING *signature;
	const X509_ALGOR *algorithm;
	const unsigned char *part;
	size_t part_len;

	X509_get0_signature(&signature, &algorithm, cert);
	part = signed_part(der, len, &part_len);
	/* The low bits of flags: bits of the last byte that do not count. */
	return part != NULL && X509_get_signature_nid(cert) == issuer->signature &&
	       X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(cert)) == 0 && (signature->flags & 7) == 0 &&
	       EVP_Digest(part, part_len, digest, &digest_len, issuer->digest, NULL) == 1 &&
	       EVP_PKEY_verify(issuer->verify, ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature),
		   digest, digest_len) == 1;
}

/* The cheap ones first. */
static bool
vouches(const struct certificate_issuer *issuer, const struct certificate_pem *pem, X509 *cert,
    const unsigned char *der, long len, time_t clock, struct certificate_info *ret)
{
	unsigned int bits = certificate_key_rsa_bits(cert);

	if (bits == 0 || !is_ordinary(cert) || !names_issuer(cert, issuer->ca) || !is_valid_at(cert, clock) ||
	    certificate_key_check(pem->key, pem->key_len, cert, false, NULL) != 0 ||
	    !is_signed_by(issuer, cert, der, len))
		return false;
	*ret = issuer->info;
	certificate_describe(cert, ret);
	(void)snprintf(ret->key, sizeof(ret->key), "RSA %u", bits);
	return true;
}

bool
certificate_issuer_vouches(const struct certificate_issuer *issuer, const struct certificate_pem *pem, time_t clock,
    struct certificate_info *ret)
{
	unsigned char der[CERTIFICATE_DER_MAX];
	const unsigned char *at = der;
	X509 *cert = NULL;
	bool good = false;
	size_t len;

	/* A fleet's phones boot for longer than a second: the clock goes on, and all else is as it was. */
	if (!is_valid_at(issuer->ca, clock) || !is_alone(pem->cert, pem->cert_len) ||
	    !certificate_pem_plain(pem->cert, pem->cert_len, PEM_STRING_X509, der, &len))
		return false;
	cert = X509_new_ex(issuer->bare, NULL);
	if (cert != NULL && d2i_X509(&cert, &at, (long)len) != NULL && at == der + len)
		good = vouches(issuer, pem, cert, der, (long)len, clock, ret);
	X509_free(cert);
	ERR_clear_error();
	return good;
}
