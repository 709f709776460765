/* SPDX-License-Identifier: ISC */
#ifndef TESTS_CA_SUPPORT_H
#define TESTS_CA_SUPPORT_H

#include "tests/unit/support.h"

#include "ca/cert.h"
#include "ca/key.h"
#include "common/pem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the tests of ca/ share: a CA, two more keys, and a folder where the openssl command finds the certificates. */

#define CA_SUPPORT_NOW 1764000000 /* 2025-11-24T16:00:00Z: the tests' clock, also for -attime */
#define CA_SUPPORT_DAY 86400
#define CA_SUPPORT_MAC "000fd3a1b2c3"

struct ca_support {
	EVP_PKEY *root_key, *key, *other_key;
	X509 *root;
	char *folder;
	char *root_path; /* PEM */
};

/* 1970-01-01 to ten years after the tests' clock. */
static inline struct ca_cert_params
ca_support_params(enum ca_kind kind, const char *common_name)
{
	struct ca_cert_params params = {
		.kind = kind,
		.organization = "Lab",
		.common_name = common_name,
		.host = kind == CA_KIND_SERVER ? "vpn.example.com" : NULL,
		.not_before = 0,
		.not_after = CA_SUPPORT_NOW + (time_t)3650 * CA_SUPPORT_DAY,
	};
	struct err e = ERR_INIT;

	assert_ok(ca_serial_new(params.serial, &e), e);
	return params;
}

/* It is issued, and the caller frees it. */
static inline X509 *
ca_support_issue(const struct ca_support *s, const struct ca_cert_params *params)
{
	struct err e = ERR_INIT;
	bool root = params->kind == CA_KIND_ROOT;
	X509 *cert;

	cert = ca_cert_issue(params, root ? s->root_key : s->key, root ? NULL : s->root, root ? NULL : s->root_key, &e);
	assert_ok(cert == NULL, e);
	assert_int_equal(ERR_peek_error(), 0);
	return cert;
}

/* Nothing is issued, for that reason, and OpenSSL's error queue is empty. */
static inline void
ca_support_refused(const struct ca_cert_params *params, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *issuer_key,
    enum err_code code, const char *part)
{
	struct err e = ERR_INIT;
	X509 *cert = ca_cert_issue(params, key, issuer, issuer_key, &e);
	bool failed = cert == NULL;

	X509_free(cert);
	assert_fails(failed ? -1 : 0, e, code, part);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The certificate as PEM in folder/name; the caller frees the path. */
static inline char *
ca_support_pem(const struct ca_support *s, const char *name, const X509 *cert)
{
	struct buf der = BUF_INIT(8192), pem = BUF_INIT(16384);
	struct err e = ERR_INIT;
	char *path;

	assert_ok(ca_cert_encode(cert, &der, &e), e);
	assert_ok(pem_encode(PEM_LABEL_CERTIFICATE, der.data, der.len, &pem, &e), e);
	path = support_file(s->folder, name, pem.data, pem.len);
	buf_release(&der);
	buf_release(&pem);
	return path;
}

/* The output, standard error too, of an openssl command that may fail, holds part. */
#define assert_says(part, ...) \
	do { \
		struct buf says_ = BUF_INIT(1 << 20); \
		support_shell(&says_, NULL, __VA_ARGS__); \
		if (strstr(buf_string(&says_), (part)) == NULL) \
			fail_msg("expected \"%s\", found: %s", (part), buf_string(&says_)); \
		buf_release(&says_); \
	} while (0)

/* "openssl x509 -noout" with further arguments, of one certificate. */
static inline void
ca_support_show(const struct ca_support *s, const X509 *cert, const char *arguments, struct buf *out)
{
	char *path = ca_support_pem(s, "shown.pem", cert);

	support_shell(out, NULL, "openssl x509 -noout %s -in '%s'", arguments, path);
	free(path);
}

static inline void
ca_support_shows(const struct ca_support *s, const X509 *cert, const char *arguments, const char *expected)
{
	struct buf out = BUF_INIT(65536);

	ca_support_show(s, cert, arguments, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* The whole of one extension by its name in -ext, heading included. */
static inline void
ca_support_extension(const struct ca_support *s, const X509 *cert, const char *name, const char *expected)
{
	char arguments[64];

	(void)snprintf(arguments, sizeof(arguments), "-ext %s", name);
	ca_support_shows(s, cert, arguments, expected);
}

/* How many extensions -text lists. */
static inline void
ca_support_extension_count(const struct ca_support *s, const X509 *cert, int expected)
{
	struct buf out = BUF_INIT(64);
	char *path = ca_support_pem(s, "count.pem", cert);

	support_shell(&out, NULL,
	    "{ openssl x509 -noout -text -in '%s' | grep -cE '^            (X509v3|Netscape) '; }", path);
	assert_int_equal(strtol(buf_string(&out), NULL, 10), expected);
	buf_release(&out);
	free(path);
}

static inline int
ca_support_setup(void **state)
{
	struct ca_support *s = calloc(1, sizeof(*s));
	struct ca_cert_params params = ca_support_params(CA_KIND_ROOT, "Lab CA 0123456789abcdef");
	struct err e = ERR_INIT;

	assert_non_null(s);
	/* The shortest that is allowed: the tests look at certificates, not at keys. */
	s->root_key = ca_key_generate(2048, CA_KEYGEN_NATIVE, &e);
	s->key = ca_key_generate(2048, CA_KEYGEN_NATIVE, &e);
	s->other_key = ca_key_generate(2048, CA_KEYGEN_NATIVE, &e);
	assert_ok(s->root_key == NULL || s->key == NULL || s->other_key == NULL, e);
	s->root = ca_support_issue(s, &params);
	s->folder = support_folder();
	s->root_path = ca_support_pem(s, "root.pem", s->root);
	*state = s;
	return 0;
}

static inline int
ca_support_teardown(void **state)
{
	struct ca_support *s = *state;

	EVP_PKEY_free(s->root_key);
	EVP_PKEY_free(s->key);
	EVP_PKEY_free(s->other_key);
	X509_free(s->root);
	free(s->root_path);
	support_remove(s->folder);
	free(s);
	return 0;
}

#endif
