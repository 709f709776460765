/* SPDX-License-Identifier: ISC */
#include "ca/rsa.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdint.h>

static const char *const names[CA_RSA_MEMBERS] = {
	[CA_RSA_MODULUS] = OSSL_PKEY_PARAM_RSA_N,
	[CA_RSA_PUBLIC] = OSSL_PKEY_PARAM_RSA_E,
	[CA_RSA_PRIVATE] = OSSL_PKEY_PARAM_RSA_D,
	[CA_RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[CA_RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[CA_RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[CA_RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
	[CA_RSA_QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* ---- from its members ---- */

/* a b = 1 mod (modulus - less)? */
static bool
is_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *modulus, BN_ULONG less, BN_CTX *ctx)
{
	BIGNUM *product, *m;
	bool is = false;

	BN_CTX_start(ctx);
	product = BN_CTX_get(ctx);
	m = BN_CTX_get(ctx);
	if (m != NULL && BN_copy(m, modulus) != NULL && BN_sub_word(m, less) == 1) {
		BN_set_flags(m, BN_FLG_CONSTTIME);
		is = BN_mod_mul(product, a, b, m, ctx) == 1 && BN_is_one(product);
	}
	BN_CTX_end(ctx);
	return is;
}

static bool
is_product(const BIGNUM *r, const BIGNUM *a, const BIGNUM *b, BN_CTX *ctx)
{
	BIGNUM *product;
	bool is;

	BN_CTX_start(ctx);
	product = BN_CTX_get(ctx);
	is = product != NULL && BN_mul(product, a, b, ctx) == 1 && BN_cmp(product, r) == 0;
	BN_CTX_end(ctx);
	return is;
}

/*
 * RFC 8017 section 3.2, by divisions that had no part in making the members: a key that is wrong would show on the phone
 * only, and checking it by a signature costs as much as a twentieth of finding it.
 */
static bool
members_hold(BIGNUM *const m[CA_RSA_MEMBERS], BN_CTX *ctx)
{
	static const enum ca_rsa_member above[CA_RSA_MEMBERS] = {
		[CA_RSA_DP] = CA_RSA_P, [CA_RSA_DQ] = CA_RSA_Q, [CA_RSA_QINV] = CA_RSA_P, /* all others: the modulus */
	};

	for (int i = CA_RSA_PUBLIC; i < CA_RSA_MEMBERS; i++) {
		if (BN_cmp(m[i], m[above[i]]) >= 0)
			return false;
	}
	return is_product(m[CA_RSA_MODULUS], m[CA_RSA_P], m[CA_RSA_Q], ctx) &&
	       is_inverse(m[CA_RSA_PRIVATE], m[CA_RSA_PUBLIC], m[CA_RSA_P], 1, ctx) &&
	       is_inverse(m[CA_RSA_PRIVATE], m[CA_RSA_PUBLIC], m[CA_RSA_Q], 1, ctx) &&
	       is_inverse(m[CA_RSA_DP], m[CA_RSA_PUBLIC], m[CA_RSA_P], 1, ctx) &&
	       is_inverse(m[CA_RSA_DQ], m[CA_RSA_PUBLIC], m[CA_RSA_Q], 1, ctx) &&
	       is_inverse(m[CA_RSA_QINV], m[CA_RSA_Q], m[CA_RSA_P], 0, ctx);
}

/* Each is less than the modulus, and so has room. */
static bool
params_fill(OSSL_PARAM *params, unsigned char *bytes, BIGNUM *const m[CA_RSA_MEMBERS], int size)
{
	for (int i = 0; i < CA_RSA_MEMBERS; i++, bytes += size) {
		if (BN_bn2nativepad(m[i], bytes, size) != size)
			return false;
		params[i] = OSSL_PARAM_construct_BN(names[i], bytes, (size_t)size);
	}
	params[CA_RSA_MEMBERS] = OSSL_PARAM_construct_end();
	return true;
}

EVP_PKEY *
ca_rsa_key(BIGNUM *const members[CA_RSA_MEMBERS], BN_CTX *ctx, struct err *e)
{
	const int size = BN_num_bytes(members[CA_RSA_MODULUS]), bits = BN_num_bits(members[CA_RSA_MODULUS]);
	OSSL_PARAM params[CA_RSA_MEMBERS + 1];
	EVP_PKEY_CTX *maker = NULL;
	unsigned char *bytes = NULL;
	EVP_PKEY *key = NULL;

	if (!members_hold(members, ctx)) {
		if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
			err_openssl(e, ERR_FAILED, "RSA key of %d bits", bits);
		else
			err_openssl(e, ERR_INTEGRITY,
			    "RSA key of %d bits (RFC 8017 section 3.2): expected members that belong together, found "
			    "others",
			    bits);
		return NULL;
	}
	/* libcrypto makes its own copies, in memory that it cleanses as we do ours. */
	bytes = OPENSSL_malloc((size_t)size * CA_RSA_MEMBERS);
	maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (bytes == NULL || maker == NULL || !params_fill(params, bytes, members, size) ||
	    EVP_PKEY_fromdata_init(maker) != 1 || EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, params) != 1)
		err_openssl(e, ERR_FAILED, "RSA key of %d bits", bits);
	OPENSSL_clear_free(bytes, (size_t)size * CA_RSA_MEMBERS);
	EVP_PKEY_CTX_free(maker);
	return key;
}

/* ---- from DER and back ---- */

struct private_key {
	int32_t version;
	BIGNUM *members[CA_RSA_MEMBERS];
};

/* CBIGNUM is an INTEGER that is cleansed when it is freed. */
/* clang-format off */
ASN1_SEQUENCE(private_key) = {
	ASN1_EMBED(struct private_key, version, INT32),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_MODULUS], BIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_PUBLIC], BIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_PRIVATE], CBIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_P], CBIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_Q], CBIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_DP], CBIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_DQ], CBIGNUM),
	ASN1_SIMPLE(struct private_key, members[CA_RSA_QINV], CBIGNUM),
} static_ASN1_SEQUENCE_END_name(struct private_key, private_key)
/* clang-format on */

int
ca_rsa_decode(const void *der, size_t len, EVP_PKEY **ret, struct err *e)
{
	const unsigned char *at = der;
	ASN1_VALUE *value = len <= LONG_MAX ? ASN1_item_d2i(NULL, &at, (long)len, ASN1_ITEM_rptr(private_key)) : NULL;
	const struct private_key *decoded = (const void *)value;
	BN_CTX *ctx = NULL;
	int rc = 0;

	*ret = NULL;
	ERR_clear_error();
	if (decoded == NULL || decoded->version != 0 || at != (const unsigned char *)der + len)
		goto out;
	ctx = BN_CTX_new();
	if (ctx != NULL)
		*ret = ca_rsa_key(decoded->members, ctx, e);
	else
		err_openssl(e, ERR_FAILED, "RSA key");
	rc = *ret != NULL ? 0 : -1;
out:
	BN_CTX_free(ctx);
	ASN1_item_free(value, ASN1_ITEM_rptr(private_key));
	return rc;
}

/* All members and no third prime? */
static bool
members_get(const EVP_PKEY *key, BIGNUM **m)
{
	BIGNUM *third = NULL;

	for (int i = 0; i < CA_RSA_MEMBERS; i++) {
		if (EVP_PKEY_get_bn_param(key, names[i], &m[i]) != 1)
			return false;
	}
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) != 1)
		return true;
	BN_clear_free(third);
	return false;
}

/* libcrypto's arithmetic leaves a word of what it works on here and there below its callers. */
__attribute__((noinline)) static void
stack_cleanse(void)
{
	unsigned char below[8192];

	OPENSSL_cleanse(below, sizeof(below));
}

int
ca_rsa_encode(const EVP_PKEY *key, unsigned char **ret)
{
	ASN1_VALUE *value = ASN1_item_new(ASN1_ITEM_rptr(private_key));
	struct private_key *encoded = (void *)value;
	BN_CTX *ctx = BN_CTX_new();
	int len = 0;

	/* Without memory for its list of them, libcrypto gives out one prime for the other, and says that all went well. */
	if (encoded != NULL && ctx != NULL && members_get(key, encoded->members) && members_hold(encoded->members, ctx))
		len = ASN1_item_i2d(value, ret, ASN1_ITEM_rptr(private_key));
	BN_CTX_free(ctx);
	ASN1_item_free(value, ASN1_ITEM_rptr(private_key));
	stack_cleanse();
	ERR_clear_error();
	return len;
}
