/* SPDX-License-Identifier: ISC */
#include "ca/bulk.h"

#include "ca/cert.h"
#include "ca/facts.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- without the public key ---- */

/* With the provider that provides nothing, and so no decoder of keys. */
struct ca_reader {
	OSSL_LIB_CTX *library;
	OSSL_PROVIDER *nothing;
};

struct ca_reader *
ca_reader_new(struct err *e)
{
	struct ca_reader *r = calloc(1, sizeof(*r));

	if (r != NULL && (r->library = OSSL_LIB_CTX_new()) != NULL &&
	    (r->nothing = OSSL_PROVIDER_load(r->library, "null")) != NULL)
		return r;
	err_openssl(e, ERR_FAILED, "libcrypto: cannot be set up");
	ca_reader_free(r);
	return NULL;
}

void
ca_reader_free(struct ca_reader *r)
{
	if (r == NULL)
		return;
	if (r->nothing != NULL)
		(void)OSSL_PROVIDER_unload(r->nothing);
	OSSL_LIB_CTX_free(r->library);
	free(r);
}

static bool
has_rsa_key(const X509 *cert)
{
	ASN1_OBJECT *algorithm = NULL;

	(void)X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
	return OBJ_obj2nid(algorithm) == NID_rsaEncryption;
}

X509 *
ca_reader_decode(const struct ca_reader *r, const void *der, size_t len, struct err *e)
{
	const unsigned char *at = der;
	X509 *cert = X509_new_ex(r->library, NULL);

	if (cert != NULL && len <= LONG_MAX && d2i_X509(&cert, &at, (long)len) != NULL &&
	    at == (const unsigned char *)der + len && has_rsa_key(cert)) {
		ERR_clear_error();
		return cert;
	}
	X509_free(cert);
	ERR_clear_error();
	/* It says what is wrong, or takes it. */
	return ca_cert_decode(der, len, e);
}

X509 *
ca_cert_whole(X509 *cert)
{
	unsigned char *der = NULL;
	const unsigned char *at;
	X509 *whole = NULL;
	int len;

	if (X509_get0_pubkey(cert) != NULL)
		return X509_up_ref(cert) == 1 ? cert : NULL;
	len = i2d_X509(cert, &der);
	at = der;
	if (len > 0)
		whole = d2i_X509(NULL, &at, len);
	OPENSSL_free(der);
	ERR_clear_error();
	return whole;
}

/* ---- without the chain ---- */

#define ROOTS_MAX 8

struct root {
	X509 *cert;
	time_t when;   /* it was verified for */
	int signature; /* NID, of sha256WithRSAEncryption, say */
	int bits;      /* of the key that was let pass */
	EVP_MD *digest;
	EVP_PKEY_CTX *verify; /* with its key, begun */
};

struct ca_voucher {
	struct root root[ROOTS_MAX];
	size_t count;
};

struct ca_voucher *
ca_voucher_new(void)
{
	return calloc(1, sizeof(struct ca_voucher));
}

static void
root_release(struct root *root)
{
	EVP_PKEY_CTX_free(root->verify);
	EVP_MD_free(root->digest);
	X509_free(root->cert);
}

void
ca_voucher_free(struct ca_voucher *v)
{
	for (size_t i = 0; v != NULL && i < v->count; i++)
		root_release(&v->root[i]);
	free(v);
}

/* It says nothing of what it signs but that it may, and there is no other one to choose. */
static bool
root_is_plain(X509 *root, const STACK_OF(X509) * cas)
{
	int same = 0;

	for (int i = 0; i < sk_X509_num(cas); i++)
		if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(cas, i)), X509_get_subject_name(root)) == 0)
			same += X509_cmp(sk_X509_value(cas, i), root) == 0 ? 1 : 2;
	return same == 1 && X509_get_ext_by_NID(root, NID_name_constraints, -1) < 0;
}

static bool
root_open(struct root *root, X509_STORE_CTX *ctx)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, 1));
	struct ca_cert_facts f;
	int digest, algorithm;

	root->signature = X509_get_signature_nid(sk_X509_value(chain, 0));
	if (key == NULL || OBJ_find_sigid_algs(root->signature, &digest, &algorithm) != 1 ||
	    algorithm != NID_rsaEncryption)
		return false;
	ca_cert_facts(sk_X509_value(chain, 0), &f);
	root->bits = f.bits;
	root->cert = X509_dup(sk_X509_value(chain, 1));
	root->digest = EVP_MD_fetch(NULL, OBJ_nid2sn(digest), NULL);
	root->verify = EVP_PKEY_CTX_new(key, NULL);
	return f.rsa && root->cert != NULL && root->digest != NULL && root->verify != NULL &&
	       EVP_PKEY_verify_init(root->verify) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(root->verify, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(root->verify, root->digest) == 1;
}

void
ca_voucher_learn(struct ca_voucher *v, X509_STORE_CTX *ctx, const STACK_OF(X509) * cas)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	struct root root = { .when = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx)) };

	if (v == NULL || v->count == ROOTS_MAX || sk_X509_num(chain) != 2 ||
	    !root_is_plain(sk_X509_value(chain, 1), cas))
		return;
	if (root_open(&root, ctx))
		v->root[v->count++] = root;
	else
		root_release(&root);
	ERR_clear_error();
}

/* Of names that OpenSSL checks by what stands in the certificate alone. */
static bool
is_ordinary(X509 *cert)
{
	const uint32_t odd = EXFLAG_INVALID | EXFLAG_INVALID_POLICY | EXFLAG_CRITICAL | EXFLAG_PROXY | EXFLAG_SI;

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
	return (X509_get_extension_flags(cert) & odd) == 0;
}

/* What OpenSSL takes for a TLS client's, and no more than that. */
static bool
is_client(const struct root *root, X509 *cert)
{
	struct ca_cert_facts f;

	ca_cert_facts(cert, &f);
	return f.rsa && f.bits >= root->bits && f.has_purpose && f.purpose_client && f.has_key_usage &&
	       (f.key_usage & KU_DIGITAL_SIGNATURE) != 0 && (!f.has_netscape || f.netscape_client);
}

/* RFC 5280 sections 4.1.2.4 and 4.2.1.1, where the latter names the key alone. */
static bool
names_root(X509 *cert, X509 *root)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(root);
	AUTHORITY_KEYID *authority = X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);
	bool ok = X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(root)) == 0;

	if (authority != NULL)
		ok = ok && authority->issuer == NULL && authority->serial == NULL && authority->keyid != NULL &&
		     own != NULL && ASN1_OCTET_STRING_cmp(authority->keyid, own) == 0;
	AUTHORITY_KEYID_free(authority);
	return ok;
}

/* 0 of X509_cmp_time() is neither: a time that cannot be read. */
static bool
is_valid_at(const X509 *cert, time_t when)
{
	return X509_cmp_time(X509_get0_notBefore(cert), &when) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &when) > 0;
}

/* The first value in the certificate's, as it stands. */
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
signature_verifies(const struct root *root, const X509 *cert, const unsigned char *der, int len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const ASN1_BIT_STRING *signature;
	const X509_ALGOR *algorithm;
	const unsigned char *part;
	unsigned int digest_len;
	size_t part_len;

	X509_get0_signature(&signature, &algorithm, cert);
	part = signed_part(der, len, &part_len);
	/* The low bits of flags: bits of the last byte that do not count. */
	return part != NULL && X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(cert)) == 0 &&
	       (signature->flags & 7) == 0 &&
	       EVP_Digest(part, part_len, digest, &digest_len, root->digest, NULL) == 1 &&
	       EVP_PKEY_verify(root->verify, ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature),
		   digest, digest_len) == 1;
}

static bool
root_vouches(const struct root *root, X509 *cert, time_t when)
{
	unsigned char *der = NULL;
	bool ok = false;
	int len;

	if (when != root->when || X509_get_signature_nid(cert) != root->signature || !names_root(cert, root->cert) ||
	    !is_ordinary(cert) || !is_valid_at(cert, when) || !is_client(root, cert))
		return false;
	/* What was decoded keeps the bytes that were signed. */
	len = i2d_X509(cert, &der);
	ok = len > 0 && signature_verifies(root, cert, der, len);
	OPENSSL_free(der);
	return ok;
}

X509 *
ca_voucher_root(const struct ca_voucher *v, X509 *cert, time_t when)
{
	X509 *root = NULL;

	for (size_t i = 0; v != NULL && i < v->count && root == NULL; i++)
		if (root_vouches(&v->root[i], cert, when))
			root = v->root[i].cert;
	ERR_clear_error();
	return root;
}
