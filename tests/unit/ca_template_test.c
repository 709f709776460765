/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "ca/template.h"

#include <openssl/ec.h>

/* A fleet's certificates are copies of one with four places filled in: each has to be what OpenSSL makes of its own. */

#define DER_MAX 8192

static struct ca_template *
template_new(const struct ca_support *s, const struct ca_cert_params *params)
{
	struct err e = ERR_INIT;
	struct ca_template *t = ca_template_new(params, 2048, s->root, s->root_key, &e);

	assert_ok(t == NULL, e);
	assert_int_equal(ERR_peek_error(), 0);
	return t;
}

static void
issue(struct ca_template *t, const struct ca_cert_params *params, EVP_PKEY *key, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_ok(ca_template_issue(t, params->common_name, params->serial, key, out, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

/* PKCS #1 v1.5 signatures are the same each time, so the whole certificates are. */
static void
same_as_openssl(const struct ca_support *s, struct ca_template *t, const struct ca_cert_params *params, EVP_PKEY *key)
{
	struct buf found = BUF_INIT(DER_MAX), expected = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	X509 *cert = ca_cert_issue(params, key, s->root, s->root_key, &e);

	assert_ok(cert == NULL, e);
	assert_ok(ca_cert_encode(cert, &expected, &e), e);
	issue(t, params, key, &found);
	assert_int_equal(found.len, expected.len);
	assert_memory_equal(found.data, expected.data, expected.len);
	X509_free(cert);
	buf_release(&found);
	buf_release(&expected);
}

/* One phone's certificate must not have the name, the number or the key of the one before it. */
static void
test_each_is_what_openssl_makes(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, "ignored");
	struct ca_template *t = template_new(s, &params);

	for (unsigned int i = 0; i < 20; i++) {
		char name[13];
		struct ca_cert_params one;

		(void)snprintf(name, sizeof(name), "000fd3%06x", i * 7919);
		one = ca_support_params(CA_KIND_PHONE, name);
		same_as_openssl(s, t, &one, i % 2 == 0 ? s->key : s->other_key);
	}
	ca_template_free(t);
}

/* The organization may look like anything that stands elsewhere in a certificate. */
static void
test_organizations(void **state)
{
	static const char *const names[] = { NULL, "000fd3a1b2c3", "Z\xc3\xbcrich", "O" };
	const struct ca_support *s = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
		struct ca_template *t;

		params.organization = names[i];
		t = template_new(s, &params);
		same_as_openssl(s, t, &params, s->key);
		ca_template_free(t);
	}
}

/* A phone with an imported key of another size, or another exponent, or with another name than a MAC. */
static void
test_what_does_not_fit_is_made_the_long_way(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct ca_template *t = template_new(s, &params);
	struct err e = ERR_INIT;
	EVP_PKEY *large = ca_key_generate(3072, CA_KEYGEN_NATIVE, &e);

	assert_ok(large == NULL, e);
	same_as_openssl(s, t, &params, large);
	params.common_name = "kitchen";
	same_as_openssl(s, t, &params, s->key);
	params.common_name = "not hex, 12.";
	same_as_openssl(s, t, &params, s->key);
	EVP_PKEY_free(large);
	ca_template_free(t);
}

static void
test_validity_is_told_as_it_stands(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct buf der = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	time_t from, to, told_from, told_to;
	struct ca_template *t;
	X509 *cert;

	/* Longer than the CA's life, and so cut to it. */
	params.not_after += (time_t)10000 * CA_SUPPORT_DAY;
	t = template_new(s, &params);
	issue(t, &params, s->key, &der);
	cert = ca_cert_decode(der.data, der.len, &e);
	assert_ok(cert == NULL, e);
	assert_ok(ca_cert_validity(cert, &from, &to, &e), e);
	ca_template_validity(t, &told_from, &told_to);
	assert_int_equal(told_from, from);
	assert_int_equal(told_to, to);
	assert_int_equal(to, CA_SUPPORT_NOW + (time_t)3650 * CA_SUPPORT_DAY);
	X509_free(cert);
	ca_template_free(t);
	buf_release(&der);
}

/* An imported CA may have an EC key, whose signatures differ each time and in length. */
static void
test_ec_issuer(void **state)
{
	const struct ca_support *s = *state;
	struct ca_support ec = *s;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct err e = ERR_INIT;
	struct ca_template *t;
	char *path;

	ec.root_key = EVP_EC_gen("P-256");
	assert_non_null(ec.root_key);
	/* No root of ours has one, so it is made with the library alone. */
	ec.root = X509_dup(s->root);
	assert_non_null(ec.root);
	assert_int_equal(X509_set_pubkey(ec.root, ec.root_key), 1);
	assert_true(X509_sign(ec.root, ec.root_key, EVP_sha256()) > 0);
	path = ca_support_pem(s, "ec.pem", ec.root);
	t = template_new(&ec, &params);
	for (int i = 0; i < 20; i++) {
		struct buf der = BUF_INIT(DER_MAX);
		X509 *cert;
		char *mine;

		assert_ok(ca_serial_new(params.serial, &e), e);
		issue(t, &params, s->key, &der);
		cert = ca_cert_decode(der.data, der.len, &e);
		assert_ok(cert == NULL, e);
		mine = ca_support_pem(s, "mine.pem", cert);
		assert_says("mine.pem: OK", "openssl verify -attime %d -CAfile '%s' '%s'", CA_SUPPORT_NOW, path, mine);
		free(mine);
		X509_free(cert);
		buf_release(&der);
	}
	ca_template_free(t);
	free(path);
	X509_free(ec.root);
	EVP_PKEY_free(ec.root_key);
}

/* The first phone of a run would have been the one that says so; now it is the template. */
static void
test_refused(void **state)
{
	const struct ca_support *s = *state;
	struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
	struct err e = ERR_INIT;

	assert_null(ca_template_new(&params, 2048, s->root, s->other_key, &e));
	assert_fails(-1, e, ERR_INTEGRITY, "issuer's key: expected that of its certificate");
	params.not_before = params.not_after + 1;
	params.not_after += 2;
	e = (struct err)ERR_INIT;
	assert_null(ca_template_new(&params, 2048, s->root, s->root_key, &e));
	assert_fails(-1, e, ERR_INPUT, "a new CA is needed");
	assert_int_equal(ERR_peek_error(), 0);
	ca_template_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_what_openssl_makes),
		cmocka_unit_test(test_organizations),
		cmocka_unit_test(test_what_does_not_fit_is_made_the_long_way),
		cmocka_unit_test(test_validity_is_told_as_it_stands),
		cmocka_unit_test(test_ec_issuer),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
