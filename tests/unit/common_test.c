/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/pem.h"
#include "common/table.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Any text or key that is put together from pieces would come out wrong. */
static void
buf_collects(void **state)
{
	struct buf b = BUF_INIT(100000);
	struct err e = ERR_INIT;
	size_t len = 0;

	(void)state;
	assert_string_equal(buf_string(&b), "");
	assert_null(b.data);
	buf_add(&b, "", 0);
	buf_add(&b, "a\0b", 3);
	buf_add_string(&b, "c");
	buf_addf(&b, "%d%%", -7);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "a\0bc-7%", 8);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_string(&b), "");
	for (int i = 0; i < 5000; i++) {
		buf_addf(&b, "%d,", i);
		len += (size_t)snprintf(NULL, 0, "%d,", i);
	}
	assert_int_equal(b.len, len);
	assert_string_equal(buf_string(&b) + len - 10, "4998,4999,");
	assert_ok(buf_check(&b, "numbers", &e), e);
	buf_release(&b);
	assert_null(b.data);
	assert_string_equal(buf_string(&b), "");
}

/* What a peer sends would fill the memory, or be cut and taken for whole. */
static void
buf_stops_at_its_maximum(void **state)
{
	struct buf b = BUF_INIT(10);
	struct err e = ERR_INIT;

	(void)state;
	buf_add_string(&b, "0123456789");
	assert_ok(buf_check(&b, "answer", &e), e);
	buf_add(&b, "", 0);
	assert_ok(buf_check(&b, "answer", &e), e);
	buf_add_string(&b, "x");
	assert_fails(buf_check(&b, "answer", &e), e, ERR_FAILED, "answer: expected at most 10 bytes");
	/* It stays broken: a later, smaller piece does not make it whole. */
	buf_add(&b, "", 0);
	assert_fails(buf_check(&b, "answer", &e), e, ERR_FAILED, "answer");
	assert_memory_equal(b.data, "0123456789", 11);
	buf_clear(&b);
	buf_addf(&b, "%s", "01234567890");
	assert_fails(buf_check(&b, "answer", &e), e, ERR_FAILED, "answer");
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	buf_addf(&b, "%s", "0123456789");
	assert_ok(buf_check(&b, "answer", &e), e);
	buf_release(&b);
}

/* A key would stay in memory that is used again. */
static void
buf_forgets(void **state)
{
	static const unsigned char zeros[28];
	struct buf b = BUF_INIT(256);

	(void)state;
	buf_add_string(&b, "-----BEGIN PRIVATE KEY-----");
	buf_clear(&b);
	assert_memory_equal(b.data, zeros, 28);
	buf_add_string(&b, "before and a key");
	buf_cut(&b, 6);
	assert_string_equal(buf_string(&b), "before");
	assert_memory_equal(b.data + 6, zeros, 10);
	buf_release(&b);
}

/* Who moves a key would free it twice, or not at all. */
static void
buf_moves(void **state)
{
	struct buf from = BUF_INIT(10), to = BUF_INIT(20);

	(void)state;
	buf_add_string(&to, "old");
	buf_add_string(&from, "new");
	buf_move(&to, &from);
	assert_string_equal(buf_string(&to), "new");
	assert_int_equal(to.max, 10);
	assert_string_equal(buf_string(&from), "");
	assert_int_equal(from.max, 10);
	buf_add_string(&from, "again");
	assert_string_equal(buf_string(&to), "new");
	buf_release(&from);
	buf_release(&to);
}

/* A script that looks at the exit status, and a client at the HTTP status, would take one failure for another. */
static void
err_codes(void **state)
{
	static const struct {
		enum err_code code;
		int exit_status;
		unsigned int http_status;
		const char *name;
	} expected[] = {
		{ ERR_NONE, 0, 200, "none" },
		{ ERR_FAILED, 1, 500, "failed" },
		{ ERR_INPUT, 1, 400, "input" },
		{ ERR_USAGE, 2, 400, "usage" },
		{ ERR_NOT_FOUND, 3, 404, "not_found" },
		{ ERR_DENIED, 1, 403, "denied" },
		{ ERR_CONFLICT, 4, 409, "conflict" },
		{ ERR_INTEGRITY, 5, 500, "integrity" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(err_exit_status(expected[i].code), expected[i].exit_status);
		assert_int_equal(err_http_status(expected[i].code), expected[i].http_status);
		assert_string_equal(err_name(expected[i].code), expected[i].name);
	}
}

/* The reason of a failure would be lost on its way to the person who can act. */
static void
err_texts(void **state)
{
	char longer[2 * ERR_TEXT_MAX];
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "%s: expected %d", "verb", 3), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, "verb: expected 3");
	assert_int_equal(err_prefix(&e, "setting %s", "vpn-verb"), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, "setting vpn-verb: verb: expected 3");
	assert_int_equal(err_errno(&e, ERR_NOT_FOUND, ENOENT, "%s", "/x"), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "/x: No such file or directory");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(err_set(&e, ERR_FAILED, "%s", longer), -1);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_int_equal(err_prefix(&e, "%s", "before"), -1);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(e.text, "before: aaa", 11);
	/* Who does not want to know passes no error. */
	assert_int_equal(err_set(NULL, ERR_FAILED, "x"), -1);
	assert_int_equal(err_errno(NULL, ERR_FAILED, EIO, "x"), -1);
	assert_int_equal(err_openssl(NULL, ERR_FAILED, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

/* A stale reason in OpenSSL's queue would be told of the next failure, which has another. */
static void
err_empties_openssls_queue(void **state)
{
	static const unsigned char garbage[] = "garbage";
	const unsigned char *p = garbage;
	struct err e = ERR_INIT;

	(void)state;
	assert_null(d2i_AutoPrivateKey(NULL, &p, sizeof(garbage)));
	assert_int_not_equal(ERR_peek_error(), 0);
	assert_int_equal(err_openssl(&e, ERR_INTEGRITY, "key of %s", "000fd3054848"), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_memory_equal(e.text, "key of 000fd3054848: ", 21);
	assert_int_equal(ERR_peek_error(), 0);
	assert_null(d2i_AutoPrivateKey(NULL, &p, sizeof(garbage)));
	assert_int_equal(err_openssl(NULL, ERR_FAILED, "x"), -1);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A phone would not read its certificate. openssl writes the same base64, of 64 columns (RFC 7468 section 2). */
static void
pem_is_openssls(void **state)
{
	static const size_t lengths[] = { 1, 2, 3, 47, 48, 49, 96, 1000, 2500 };
	unsigned char bytes[2500];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 167 + i / 251);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buf der = BUF_INIT(4096), out = BUF_INIT(8192), expected = BUF_INIT(8192);
		struct err e = ERR_INIT;

		buf_add(&der, bytes, lengths[i]);
		assert_ok(pem_encode(PEM_LABEL_CRL, bytes, lengths[i], &out, &e), e);
		support_shell(&expected, &der,
		    "{ echo '-----BEGIN X509 CRL-----'; openssl base64; echo '-----END X509 CRL-----'; }");
		assert_string_equal(buf_string(&out), buf_string(&expected));
		buf_release(&der);
		buf_release(&out);
		buf_release(&expected);
	}
}

/* Half a certificate would be written. */
static void
pem_that_does_not_fit(void **state)
{
	struct buf out = BUF_INIT(40);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(pem_encode(PEM_LABEL_CERTIFICATE, "x", 1, &out, &e), e, ERR_FAILED, "PEM text");
	buf_release(&out);
}

static void
assert_printed(const struct table *t, const char *expected)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(table_print(t, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	free(text);
}

/* A listing would not be readable: columns under their headings, also behind names with umlauts. */
static void
table_is_aligned(void **state)
{
	static const char *const headings[] = { "MAC", "LABEL", "STATE" };
	struct table *t = table_new(3, headings);

	(void)state;
	assert_non_null(t);
	assert_printed(t, "MAC  LABEL  STATE\n");
	table_row(t, (const char *const[]){ "000fd3054848", "K\xc3\xbc\x63he", "offered" });
	table_row(t, (const char *const[]){ "000fd3054849", NULL, "turned down" });
	table_row(t, (const char *const[]){ "x", "", "" });
	assert_printed(t, "MAC           LABEL  STATE\n"
			  "000fd3054848  K\xc3\xbc\x63he  offered\n"
			  "000fd3054849  -      turned down\n"
			  "x                    \n");
	table_free(t);
	table_free(NULL);
}

/* A large fleet would be listed in part. */
static void
table_of_many_rows(void **state)
{
	static const char *const headings[] = { "N" };
	struct table *t = table_new(1, headings);
	struct buf expected = BUF_INIT(65536);

	(void)state;
	assert_non_null(t);
	buf_add_string(&expected, "N\n");
	for (int i = 0; i < 1000; i++) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%d", i);
		table_row(t, (const char *const[]){ number });
		buf_addf(&expected, "%d\n", i);
	}
	assert_printed(t, buf_string(&expected));
	buf_release(&expected);
	table_free(t);
}

/* A listing into a full disk would look complete. */
static void
table_into_a_full_disk(void **state)
{
	static const char *const headings[] = { "N" };
	struct table *t = table_new(1, headings);
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(t);
	assert_non_null(out);
	(void)setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(table_print(t, out), -1);
	(void)fclose(out);
	table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_collects),
		cmocka_unit_test(buf_stops_at_its_maximum),
		cmocka_unit_test(buf_forgets),
		cmocka_unit_test(buf_moves),
		cmocka_unit_test(err_codes),
		cmocka_unit_test(err_texts),
		cmocka_unit_test(err_empties_openssls_queue),
		cmocka_unit_test(pem_is_openssls),
		cmocka_unit_test(pem_that_does_not_fit),
		cmocka_unit_test(table_is_aligned),
		cmocka_unit_test(table_of_many_rows),
		cmocka_unit_test(table_into_a_full_disk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
