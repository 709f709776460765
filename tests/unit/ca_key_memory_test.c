/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "ca/key.h"

#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What is left of a key in the process's memory after everything that held it was freed: a core dump, a page swapped out
 * or a later overread would tell it. All memory that can be written is searched for any 8 bytes of the key in a row, from
 * any place, as DER has them and as libcrypto's words do. Lest it be chance what is written over, libcrypto frees nothing.
 *
 * What is searched for must not be found itself, so it is kept masked.
 */
#define MASK 0x5ac3915d7e2b4f88u /* any */
#define WINDOW sizeof(uint64_t)
#define DER_MAX 8192

#if defined(__SANITIZE_ADDRESS__)
#define IS_BLIND true
#elif defined(__has_feature)
#define IS_BLIND __has_feature(address_sanitizer)
#else
#define IS_BLIND false
#endif

struct traces {
	uint64_t window[2 * DER_MAX];
	size_t count;
	bool may[1 << 20]; /* by hash: whether to look any closer */
	char maps[1 << 16];
};

static void *
take(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return calloc(1, size);
}

static void
keep(void *block, const char *file, int line)
{
	(void)block, (void)file, (void)line;
}

static void *
take_more(void *block, size_t size, const char *file, int line)
{
	const size_t before = block != NULL ? malloc_usable_size(block) : 0;
	void *more = take(size, file, line);

	if (more != NULL && before > 0)
		memcpy(more, block, before < size ? before : size);
	return more;
}

static size_t
hash(uint64_t masked)
{
	return masked * 0x9e3779b97f4a7c15u >> 44; /* 20 bits (Knuth, volume 3, section 6.4) */
}

static void
window_add(struct traces *t, uint64_t masked)
{
	t->window[t->count++] = masked;
	t->may[hash(masked)] = true;
}

/* Of an RSA key's PKCS#8 the end, private exponent to coefficient: seven halves of the modulus' length, and headers. */
static void
traces_take(struct traces *t, const struct buf *der, unsigned int bits)
{
	const size_t secret = 7 * (size_t)bits / 2 / 8;
	uint64_t window;

	for (const unsigned char *at = der->data + der->len - secret; at + WINDOW <= der->data + der->len; at++) {
		memcpy(&window, at, WINDOW);
		window_add(t, window ^ MASK);
		window_add(t, __builtin_bswap64(window) ^ MASK);
	}
	OPENSSL_cleanse(&window, sizeof(window));
}

static size_t
range_count(const struct traces *t, const unsigned char *from, const unsigned char *to)
{
	size_t found = 0;
	uint64_t masked;

	for (; from + WINDOW <= to; from++) {
		memcpy(&masked, from, WINDOW);
		masked ^= MASK;
		for (size_t i = 0; t->may[hash(masked)] && i < t->count; i++)
			found += t->window[i] == masked;
	}
	return found;
}

/* proc(5). It allocates nothing, which would cover what it looks for. */
static size_t
traces_count(struct traces *t)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t found = 0, len = 0;
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, t->maps + len, sizeof(t->maps) - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	assert_in_range(len, 1, sizeof(t->maps) - 2);
	t->maps[len] = '\0';
	for (const char *line = t->maps; *line != '\0'; line = strchr(line, '\n') + 1) {
		void *from, *to;
		char access[5];

		assert_int_equal(sscanf(line, "%p-%p %4s", &from, &to, access), 3);
		if (strncmp(access, "rw", 2) == 0)
			found += range_count(t, from, to);
	}
	return found;
}

static struct traces *
traces_new(void)
{
	struct traces *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	return t;
}

/* A new key as PKCS#8. */
static void
make(unsigned int bits, enum ca_keygen_how how, struct buf *out)
{
	struct err e = ERR_INIT;
	EVP_PKEY *key = ca_key_generate(bits, how, &e);

	assert_ok(key == NULL, e);
	assert_ok(ca_key_encode(key, out, &e), e);
	EVP_PKEY_free(key);
}

/* All that is done with a key that is stored. */
static void
use(const struct buf *der)
{
	struct buf again = BUF_INIT(DER_MAX);
	unsigned char signature[512];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct err e = ERR_INIT;
	EVP_PKEY *key = ca_key_decode(der->data, der->len, &e);

	assert_ok(key == NULL, e);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, der->data, 1), 1);
	assert_ok(ca_key_encode(key, &again, &e), e);
	assert_int_equal(again.len, der->len);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	buf_release(&again);
}

static void
check_made(unsigned int bits, enum ca_keygen_how how)
{
	struct traces *t = traces_new();
	struct buf der = BUF_INIT(DER_MAX);

	make(bits, how, &der);
	traces_take(t, &der, bits);
	buf_release(&der);
	assert_int_equal(traces_count(t), 0);
	free(t);
}

static void
check_used(unsigned int bits)
{
	struct traces *t = traces_new();
	struct buf der = BUF_INIT(DER_MAX);

	make(bits, CA_KEYGEN_NATIVE, &der);
	traces_take(t, &der, bits);
	use(&der);
	buf_release(&der);
	assert_int_equal(traces_count(t), 0);
	free(t);
}

/* A search that finds nothing anywhere would let everything pass. */
static void
test_the_search_finds_what_is_there(void **state)
{
	struct traces *t = traces_new();
	struct buf der = BUF_INIT(DER_MAX);
	unsigned char *word;

	(void)state;
	make(2048, CA_KEYGEN_NATIVE, &der);
	traces_take(t, &der, 2048);
	assert_int_equal(traces_count(t), t->count / 2);

	/* One word of the coefficient, turned round and in memory that is free again. */
	word = OPENSSL_malloc(256);
	assert_non_null(word);
	for (size_t i = 0; i < WINDOW; i++)
		word[129 + i] = der.data[der.len - 21 - i];
	buf_release(&der);
	OPENSSL_free(word);
	assert_int_equal(traces_count(t), 1);
	free(t);
}

static void
test_a_new_key_leaves_no_trace(void **state)
{
	(void)state;
	check_made(2048, CA_KEYGEN_NATIVE);
	check_made(2048, CA_KEYGEN_LIBRARY);
	check_made(3072, CA_KEYGEN_NATIVE);
}

static void
test_a_stored_key_leaves_no_trace(void **state)
{
	(void)state;
	check_used(2048);
	check_used(3072);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_search_finds_what_is_there),
		cmocka_unit_test(test_a_new_key_leaves_no_trace),
		cmocka_unit_test(test_a_stored_key_leaves_no_trace),
	};

	if (IS_BLIND) {
		(void)puts("1..0 # SKIP AddressSanitizer: its own memory lies between, and may not be read");
		return 0;
	}
	if (CRYPTO_set_mem_functions(take, take_more, keep) != 1)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
