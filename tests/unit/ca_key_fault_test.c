/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/*
 * Every allocation of libcrypto's fails in turn: what is made of a key is the key or an error that says why, never another
 * key, which a phone would get and could not use.
 */
#define DER_MAX 8192
#define NEVER SIZE_MAX

/* One process, one thread: the n-th allocation from now on fails, and all behind it where lasting. */
static struct {
	size_t left;
	bool lasting, has_failed;
} fault = { .left = NEVER };

static bool
fault_hits(void)
{
	if (fault.left == NEVER)
		return false;
	if (fault.left > 0) {
		fault.left--;
		return false;
	}
	fault.has_failed = true;
	if (!fault.lasting)
		fault.left = NEVER;
	return true;
}

static void *
take(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return fault_hits() ? NULL : malloc(size);
}

static void *
take_more(void *block, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return fault_hits() ? NULL : realloc(block, size);
}

static void
give(void *block, const char *file, int line)
{
	(void)file, (void)line;
	free(block);
}

static void
fault_begin(size_t n, bool lasting)
{
	fault.left = n;
	fault.lasting = lasting;
	fault.has_failed = false;
}

/* Whether one failed. */
static bool
fault_end(void)
{
	fault.left = NEVER;
	return fault.has_failed;
}

static void
assert_reason(struct err *e)
{
	assert_int_equal(e->code, ERR_FAILED);
	assert_string_not_equal(e->text, "");
	ERR_clear_error();
}

/* Whether there was an n-th allocation that could fail. */
static bool
check_decoded(const struct buf *der, size_t n, bool lasting)
{
	struct err e = ERR_INIT;
	EVP_PKEY *key;
	bool failed;

	fault_begin(n, lasting);
	key = ca_key_decode(der->data, der->len, &e);
	failed = fault_end();
	/* libcrypto's ASN.1 does not always tell a structure without memory from a wrong one. */
	if (key == NULL)
		assert_true(failed && (e.code == ERR_FAILED || e.code == ERR_INTEGRITY));
	ERR_clear_error();
	EVP_PKEY_free(key);
	return failed;
}

static bool
check_encoded(EVP_PKEY *key, const struct buf *der, size_t n, bool lasting)
{
	struct buf again = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	bool failed;
	int rc;

	fault_begin(n, lasting);
	rc = ca_key_encode(key, &again, &e);
	failed = fault_end();
	if (rc != 0) {
		assert_true(failed);
		assert_reason(&e);
	} else {
		assert_int_equal(again.len, der->len);
		assert_memory_equal(again.data, der->data, der->len);
	}
	ERR_clear_error();
	buf_release(&again);
	return failed;
}

/* The n-th fails while a key is made: what comes is one whose halves belong together, or none. */
static bool
check_made(struct ca_keygen *g, size_t n, bool lasting)
{
	struct err e = ERR_INIT;
	EVP_PKEY *key;
	bool failed;

	fault_begin(n, lasting);
	key = ca_keygen_next(g, &e);
	failed = fault_end();
	if (key == NULL) {
		assert_true(failed);
		assert_reason(&e);
	} else {
		EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);

		assert_int_equal(EVP_PKEY_pairwise_check(check), 1);
		EVP_PKEY_CTX_free(check);
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	return failed;
}

static void
test_a_stored_key_is_never_another(void **state)
{
	struct buf der = BUF_INIT(DER_MAX);
	struct err e = ERR_INIT;
	EVP_PKEY *key;

	(void)state;
	support_shell(&der, NULL, "{ openssl genrsa 2048 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -outform DER; }");
	key = ca_key_decode(der.data, der.len, &e);
	assert_ok(key == NULL, e);
	for (int lasting = 0; lasting < 2; lasting++) {
		size_t decoding = 0, encoding = 0;

		while (check_decoded(&der, decoding, lasting))
			decoding++;
		while (check_encoded(key, &der, encoding, lasting))
			encoding++;
		assert_in_range(decoding, 20, 10000);
		assert_in_range(encoding, 20, 10000);
	}
	EVP_PKEY_free(key);
	buf_release(&der);
}

static void
test_a_new_key_is_whole_or_none(void **state)
{
	struct err e = ERR_INIT;
	struct ca_keygen *g = ca_keygen_new(2048, CA_KEYGEN_NATIVE, NULL, &e);

	(void)state;
	assert_ok(g == NULL, e);
	assert_false(check_made(g, NEVER - 1, false));
	/* How many there are differs from key to key, with the candidates. */
	for (size_t n = 0; n < 160; n++) {
		check_made(g, n, true);
		check_made(g, n, false);
	}
	ca_keygen_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stored_key_is_never_another),
		cmocka_unit_test(test_a_new_key_is_whole_or_none),
	};

	if (CRYPTO_set_mem_functions(take, take_more, give) != 1)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
