/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "common/text.h"
#include "phone/certificate_pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
make(void **state)
{
	struct buf out = BUF_INIT(1 << 16);

	*state = support_folder();
	support_shell(&out, NULL, "tests/unit/phone_certificates.sh '%s'", (char *)*state);
	buf_release(&out);
	return 0;
}

static int
unmake(void **state)
{
	support_remove(*state);
	return 0;
}

/* As openssl decodes it, or not at all. */
static void
test_plain_pem(void **state)
{
	static const struct {
		const char *file, *label, *openssl;
	} rows[] = {
		{ "leaf.crt", "CERTIFICATE", "x509" },
		{ "root.crt", "CERTIFICATE", "x509" },
		{ "leaf-ec.crt", "CERTIFICATE", "x509" },
		{ "leaf-traditional.key", "RSA PRIVATE KEY", "rsa -traditional" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = BUF_INIT(1 << 16), der = BUF_INIT(1 << 16);
		unsigned char found[CERTIFICATE_DER_MAX];
		struct err e = ERR_INIT;
		size_t len = 0;
		char *path = text_format("%s/%s", (char *)*state, rows[i].file);

		assert_non_null(path);
		assert_ok(file_read(path, &text, &e), e);
		support_shell(&der, NULL, "openssl %s -in '%s' -outform DER", rows[i].openssl, path);
		assert_true(certificate_pem_plain((char *)text.data, text.len, rows[i].label, found, &len));
		assert_int_equal(len, der.len);
		assert_memory_equal(found, der.data, len);
		/* Cut, of another kind, behind something, on lines that are too long. */
		for (size_t cut = 0; cut < text.len; cut++)
			assert_false(certificate_pem_plain((char *)text.data, cut, rows[i].label, found, &len));
		assert_false(certificate_pem_plain((char *)text.data, text.len, "PUBLIC KEY", found, &len));
		assert_false(certificate_pem_plain((char *)text.data + 1, text.len - 1, rows[i].label, found, &len));
		free(path);
		buf_release(&text);
		buf_release(&der);
	}
}

static void
test_plain_pem_only(void **state)
{
	static const struct {
		const char *text;
		bool taken;
	} rows[] = {
		{ "-----BEGIN X-----\nTUlJ\n-----END X-----\n", true },
		{ "-----BEGIN X-----\r\nTUlJ\r\nTU==\r\n-----END X-----\r\n", true },
		{ "-----BEGIN X-----\nTU=J\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTU==\nTUlJ\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTUl\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTUl J\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTUlJ\n\nTUlJ\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTUlJ----\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTU*J\n-----END X-----\n", false },
		{ "-----BEGIN X-----\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nTUlJ\n-----END X-----\n", false },
		{ "-----BEGIN X-----\nTUlJ\n-----END Y-----\n", false },
		{ "", false },
	};
	unsigned char der[CERTIFICATE_DER_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (certificate_pem_plain(rows[i].text, strlen(rows[i].text), "X", der, &len) != rows[i].taken)
			fail_msg("%s: expected %s", rows[i].text, rows[i].taken ? "taken" : "not");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_pem),
		cmocka_unit_test(test_plain_pem_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
