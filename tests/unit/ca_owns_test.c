/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/cert.h"
#include "ca/facts.h"

#include <string.h>

#define KEY_MAX 8192

struct pair {
	struct buf key, cert;
};

/* openssl's: a key of that kind as PKCS#8 DER, and a certificate for it. */
static void
make(struct pair *p, const char *kind)
{
	*p = (struct pair){ .key = BUF_INIT(KEY_MAX), .cert = BUF_INIT(KEY_MAX) };
	support_shell(&p->key, NULL, "{ openssl genpkey %s 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -outform DER; }",
	    kind);
	support_shell(&p->cert, &p->key,
	    "{ openssl pkey -inform DER | openssl req -x509 -key /dev/stdin -subj /CN=x -days 2 | "
	    "openssl x509 -outform DER; }");
}

static void
release(struct pair *p)
{
	buf_release(&p->key);
	buf_release(&p->cert);
}

static X509 *
decode(const struct pair *p)
{
	struct err e = ERR_INIT;
	X509 *cert = ca_cert_decode(p->cert.data, p->cert.len, &e);

	assert_non_null(cert);
	return cert;
}

/* A phone would get another key than its certificate's, and its OpenVPN not start; or a right one be turned down. */
static void
test_owns(void **state)
{
	struct pair a, b, ec;
	X509 *cert;

	(void)state;
	make(&a, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
	make(&b, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
	make(&ec, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
	cert = decode(&a);
	assert_true(ca_cert_owns_der(cert, a.key.data, a.key.len));
	assert_false(ca_cert_owns_der(cert, b.key.data, b.key.len));
	assert_false(ca_cert_owns_der(cert, ec.key.data, ec.key.len));
	/* Whatever is cut off or bent is no key of its own, and nothing is read behind it. */
	for (size_t len = 0; len < a.key.len; len++) {
		unsigned char *cut = malloc(len + 1);

		memcpy(cut, a.key.data, len);
		assert_false(ca_cert_owns_der(cert, cut, len));
		free(cut);
	}
	a.key.data[100] ^= 1;
	assert_false(ca_cert_owns_der(cert, a.key.data, a.key.len));
	X509_free(cert);
	cert = decode(&ec);
	assert_false(ca_cert_owns_der(cert, ec.key.data, ec.key.len));
	X509_free(cert);
	release(&a);
	release(&b);
	release(&ec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owns),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
