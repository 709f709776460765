/* SPDX-License-Identifier: ISC */
#include "tests/unit/ca_support.h"

#include "ca/crl.h"
#include "ca/facts.h"
#include "ca/pem.h"

/* Certificates and CRLs that openssl makes, as easy-rsa does, in the eyes of ca/. */

#define DER_MAX 65536

/* A certificate and its key that a shell command writes one behind the other as PEM. */
struct made {
	X509 *cert;
	EVP_PKEY *key;
};

static struct made
make(const struct ca_support *s, const char *command)
{
	struct buf text = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	STACK_OF(X509) * certs;
	struct made m;

	support_shell(&text, NULL, "{ cd '%s' && %s; }", s->folder, command);
	certs = ca_pem_certs(text.data, text.len, "made", &e);
	assert_ok(certs == NULL, e);
	assert_int_equal(sk_X509_num(certs), 1);
	m.cert = sk_X509_shift(certs);
	m.key = ca_pem_key(text.data, text.len, NULL, "made", &e);
	assert_ok(m.key == NULL, e);
	sk_X509_pop_free(certs, X509_free);
	buf_release(&text);
	return m;
}

static void
made_free(struct made *m)
{
	X509_free(m->cert);
	EVP_PKEY_free(m->key);
}

#define ROOT(algorithm, more)                                                       \
	"openssl req -x509 -newkey " algorithm                                      \
	" -nodes -keyout ca.key -out ca.crt -subj '/CN=Easy-RSA CA' -days 30 " more \
	" 2>/dev/null && cat ca.crt ca.key"
#define LEAF(more)                                                                                            \
	"printf '%s\\n' " more " >leaf.ext && "                                                               \
	"openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf 2>/dev/null | "             \
	"openssl x509 -req -CA ca.crt -CAkey ca.key -days 20 -extfile leaf.ext -out leaf.crt 2>/dev/null && " \
	"cat leaf.crt leaf.key"

/* Roots as easy-rsa 2, easy-rsa 3 and with an EC key make them sign what openssl accepts. */
static void
test_other_roots_issue(void **state)
{
	static const char *const roots[] = {
		ROOT("rsa:2048", "-addext basicConstraints=CA:TRUE"),
		ROOT("rsa:2048", "-addext basicConstraints=CA:TRUE -addext keyUsage=cRLSign,keyCertSign"),
		ROOT("ec -pkeyopt ec_paramgen_curve:P-384", "-addext keyUsage=cRLSign,keyCertSign"),
	};
	const struct ca_support *s = *state;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		struct ca_cert_params params = ca_support_params(CA_KIND_PHONE, CA_SUPPORT_MAC);
		struct made root = make(s, roots[i]);
		time_t now = time(NULL);
		struct err e = ERR_INIT;
		char *path;
		X509 *cert;

		params.not_after = now + (time_t)10 * CA_SUPPORT_DAY;
		assert_ok(ca_key_check(root.key, true, "key", &e), e);
		assert_ok(ca_cert_check_foreign(root.cert, root.key, NULL, CA_KIND_ROOT, now, &e), e);
		cert = ca_cert_issue(&params, s->key, root.cert, root.key, &e);
		assert_ok(cert == NULL, e);
		assert_ok(ca_cert_check(cert, s->key, root.cert, CA_KIND_PHONE, now, &e), e);
		path = ca_support_pem(s, "issued.pem", cert);
		assert_says(": OK", "openssl verify -purpose sslclient -CAfile '%s/ca.crt' '%s' 2>&1 || true",
		    s->folder, path);
		free(path);
		X509_free(cert);
		made_free(&root);
	}
}

/* Which certificates of others may go on, by what OpenVPN asks of them (keyUsage and extendedKeyUsage). */
static void
test_other_leaves(void **state)
{
	static const struct {
		const char *command;
		enum ca_kind kind;
		const char *part; /* NULL: good */
	} cases[] = {
		{ LEAF("extendedKeyUsage=clientAuth keyUsage=digitalSignature"), CA_KIND_PHONE, NULL },
		{ LEAF("extendedKeyUsage=serverAuth,clientAuth keyUsage=digitalSignature,keyEncipherment"),
		    CA_KIND_PHONE, NULL },
		{ LEAF("basicConstraints=CA:FALSE"), CA_KIND_PHONE, "keyUsage" },
		{ LEAF("keyUsage=digitalSignature"), CA_KIND_PHONE, "expected clientAuth among them, found none" },
		{ LEAF("extendedKeyUsage=serverAuth keyUsage=digitalSignature"), CA_KIND_PHONE,
		    "expected clientAuth among them, found others" },
		{ LEAF("extendedKeyUsage=clientAuth keyUsage=keyEncipherment"), CA_KIND_PHONE,
		    "expected 0x80, found 0x20" },
		{ LEAF("basicConstraints=CA:TRUE extendedKeyUsage=clientAuth keyUsage=digitalSignature"), CA_KIND_PHONE,
		    "expected no CA, found a CA" },
		/* easy-rsa's server, and what OpenVPN 2.1 to 2.3 refuse with remote-cert-tls (measured). */
		{ LEAF("extendedKeyUsage=serverAuth keyUsage=digitalSignature,keyEncipherment"), CA_KIND_SERVER, NULL },
		{ LEAF("extendedKeyUsage=serverAuth keyUsage=digitalSignature"), CA_KIND_SERVER,
		    "expected 0xa0, found 0x80" },
		{ LEAF("extendedKeyUsage=serverAuth"), CA_KIND_SERVER, "expected 0xa0, found 0x00" },
		{ LEAF("extendedKeyUsage=clientAuth keyUsage=digitalSignature,keyEncipherment"), CA_KIND_SERVER,
		    "expected serverAuth among them, found others" },
	};
	const struct ca_support *s = *state;
	struct made root = make(s, ROOT("rsa:2048", "-addext keyUsage=cRLSign,keyCertSign"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made leaf = make(s, cases[i].command);
		struct err e = ERR_INIT;
		int rc = ca_cert_check_foreign(leaf.cert, leaf.key, root.cert, cases[i].kind, time(NULL), &e);

		if (cases[i].part == NULL)
			assert_ok(rc, e);
		else
			assert_fails(rc, e, ERR_INTEGRITY, cases[i].part);
		assert_int_equal(ERR_peek_error(), 0);
		made_free(&leaf);
	}
	made_free(&root);
}

/* A number with zeros in front would match no certificate: the revoked phone would come in. */
static void
test_short_serials_are_revoked(void **state)
{
	const struct ca_support *s = *state;
	struct made root = make(s, ROOT("rsa:2048", "-addext keyUsage=cRLSign,keyCertSign"));
	struct made leaf = make(s,
	    "openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf 2>/dev/null | "
	    "openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial 0x80 -days 20 -out leaf.crt "
	    "2>/dev/null && cat leaf.crt leaf.key");
	struct ca_crl_entry entry = { .revoked = time(NULL) - 5, .reason = CA_REASON_HOLD };
	const struct ca_crl_params params = {
		.number = 3,
		.this_update = time(NULL) - 5,
		.next_update = time(NULL) + CA_SUPPORT_DAY,
		.entries = &entry,
		.count = 1,
	};
	struct buf der = BUF_INIT(DER_MAX), pem = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	char *path;

	assert_ok(ca_cert_serial(leaf.cert, entry.serial, &e), e);
	assert_ok(ca_crl_issue(&params, root.cert, root.key, &der, &e), e);
	assert_ok(pem_encode(PEM_LABEL_CRL, der.data, der.len, &pem, &e), e);
	path = support_file(s->folder, "crl.pem", pem.data, pem.len);
	assert_says("certificate revoked",
	    "openssl verify -crl_check -CRLfile '%s' -CAfile '%s/ca.crt' '%s/leaf.crt' 2>&1 || true", path, s->folder,
	    s->folder);
	assert_says("Serial Number: 80\n", "openssl crl -noout -text -in '%s'", path);
	assert_says("Certificate Hold", "openssl crl -noout -text -in '%s'", path);
	free(path);
	buf_release(&der);
	buf_release(&pem);
	made_free(&leaf);
	made_free(&root);
}

/* What the present server's CRL says is read as openssl wrote it. */
static void
test_crl_of_openssl_is_read(void **state)
{
	static const char index[] =
	    "R\t300101000000Z\t240101000000Z,keyCompromise\t0B\tunknown\t/CN=a\n"
	    "R\t300101000000Z\t250101000000Z\t9EE1B46D9208489AA805F43706DB390E\tunknown\t/CN=b\n"
	    "R\t300101000000Z\t250101000000Z,removeFromCRL\t0C\tunknown\t/CN=c\n";
	static const char config[] =
	    "[ca]\ndefault_ca=it\n[it]\ndatabase=index\ncertificate=ca.crt\nprivate_key=ca.key\n"
	    "default_md=sha256\ncrlnumber=number\ncrl_extensions=ext\n[ext]\n"
	    "authorityKeyIdentifier=keyid\n";
	const struct ca_support *s = *state;
	struct made root = make(s, ROOT("rsa:2048", "-addext keyUsage=cRLSign,keyCertSign"));
	char *paths[] = { support_file(s->folder, "index", index, strlen(index)),
		support_file(s->folder, "config", config, strlen(config)),
		support_file(s->folder, "number", "1F\n", 3) };
	struct ca_crl_entry *entries = NULL;
	struct buf text = BUF_INIT(DER_MAX);
	STACK_OF(X509_CRL) * crls;
	struct err e = ERR_INIT;
	uint64_t number = 0;
	size_t count = 0;

	support_shell(&text, NULL, "{ cd '%s' && openssl ca -config config -gencrl -crldays 5 2>/dev/null; }",
	    s->folder);
	crls = ca_pem_crls(text.data, text.len, "crl", &e);
	assert_ok(crls == NULL, e);
	assert_true(ca_crl_signed_by(sk_X509_CRL_value(crls, 0), root.cert));
	assert_ok(ca_crl_read(sk_X509_CRL_value(crls, 0), &entries, &count, &number, &e), e);
	assert_int_equal(number, 0x1f);
	assert_int_equal(count, 2);
	assert_int_equal(entries[0].serial[CA_SERIAL_SIZE - 1], 0x0b);
	assert_int_equal(entries[0].revoked, 1704067200);
	assert_int_equal(entries[0].reason, CA_REASON_KEY_COMPROMISE);
	assert_int_equal(entries[1].serial[4], 0x9e);
	assert_int_equal(entries[1].revoked, 1735689600);
	assert_int_equal(entries[1].reason, CA_REASON_UNSPECIFIED);
	free(entries);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	buf_release(&text);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		free(paths[i]);
	made_free(&root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_roots_issue),
		cmocka_unit_test(test_other_leaves),
		cmocka_unit_test(test_short_serials_are_revoked),
		cmocka_unit_test(test_crl_of_openssl_is_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, ca_support_setup, ca_support_teardown);
}
