/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "db/seal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char key[SEAL_KEY_SIZE] = { 1, 2, 3 };
static const struct seal_place here = {
	.table = "phones", .column = "sealed_secret", .row = "0004f2000001", .row_len = 12
};

/* D. McGrew, J. Viega, "The Galois/Counter Mode of Operation", appendix B: AES-256. */
static const struct {
	const char *key, *nonce, *aad, *plain, *sealed, *tag;
} vectors[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
	    "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
	    "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
	    "d0d1c8a799996bf0265b98b5d48ab919" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d"
	    "e657ba637b39",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba"
	    "7a0abcc9f662",
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

/* Keys sealed with anything but AES-256-GCM could not be read by anybody else. */
static void
gcm_agrees_with_published_vectors(void **state)
{
	unsigned char k[32], nonce[12], aad[20], plain[60], out[60], tag[16];
	char hex[121];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t len = strlen(vectors[i].plain) / 2, aad_len = strlen(vectors[i].aad) / 2;

		assert_true(text_unhex(vectors[i].key, k, sizeof(k)));
		assert_true(text_unhex(vectors[i].nonce, nonce, sizeof(nonce)));
		assert_true(text_unhex(vectors[i].aad, aad, aad_len));
		assert_true(text_unhex(vectors[i].plain, plain, len));
		assert_ok(seal_gcm(k, nonce, aad, aad_len, plain, len, out, tag, &e), e);
		text_hex(out, len, hex);
		assert_string_equal(hex, vectors[i].sealed);
		text_hex(tag, sizeof(tag), hex);
		assert_string_equal(hex, vectors[i].tag);
	}
}

/* What is stored is version, nonce, ciphertext and tag, with the place as associated data, as seal.h says. */
static void
format_is_as_documented(void **state)
{
	static const unsigned char aad[] = "\1phones\0sealed_secret\0"
					   "0004f2000001";
	struct buf sealed = BUF_INIT(1000);
	unsigned char out[5], tag[16];
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(seal_encrypt(key, &here, "hello", 5, &sealed, &e), e);
	assert_int_equal(sealed.len, 1 + 12 + 5 + 16);
	assert_int_equal(sealed.data[0], 1);
	assert_ok(seal_gcm(key, sealed.data + 1, aad, sizeof(aad) - 1, "hello", 5, out, tag, &e), e);
	assert_memory_equal(sealed.data + 13, out, 5);
	assert_memory_equal(sealed.data + 18, tag, 16);
	buf_release(&sealed);
}

/* A key that does not come back is a phone that has to be minted anew. */
static void
round_trip_of_every_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 1218, 65536 };
	unsigned char *plain = calloc(1, 65536);
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(plain);
	for (size_t i = 0; i < 65536; i++)
		plain[i] = (unsigned char)(i * 7);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buf sealed = BUF_INIT(1 << 20), opened = BUF_INIT(1 << 20);

		assert_ok(seal_encrypt(key, &here, plain, lengths[i], &sealed, &e), e);
		assert_int_equal(sealed.len, lengths[i] + SEAL_OVERHEAD);
		assert_ok(seal_decrypt(key, &here, sealed.data, sealed.len, &opened, &e), e);
		assert_int_equal(opened.len, lengths[i]);
		assert_memory_equal(buf_string(&opened), plain, lengths[i]);
		buf_release(&sealed);
		buf_release(&opened);
	}
	free(plain);
}

/* A flipped or missing bit must not reach a phone as a key. */
static void
every_flipped_bit_and_every_cut_shows(void **state)
{
	struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(1000);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(seal_encrypt(key, &here, "secret", 6, &sealed, &e), e);
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_fails(seal_decrypt(key, &here, sealed.data, sealed.len, &opened, &e), e, ERR_INTEGRITY,
		    "phones.sealed_secret: expected");
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_fails(seal_decrypt(key, &here, sealed.data, len, &opened, &e), e, ERR_INTEGRITY, "expected");
	assert_int_equal(opened.len, 0);
	buf_release(&sealed);
	buf_release(&opened);
}

/* A password moved to another phone's row would let that phone in. */
static void
another_place_or_key_does_not_open(void **state)
{
	static const struct seal_place others[] = {
		{ "phones", "sealed_secret", "0004f2000002", 12 },
		{ "phones", "sealed_secret", "0004f2000001", 11 },
		{ "phones", "sealed_http_password", "0004f2000001", 12 },
		{ "authorities", "sealed_secret", "0004f2000001", 12 },
		{ "phones", "sealed_secre", "t0004f2000001", 13 },
		{ "phones", "sealed_secret",
		    "\0"
		    "0004f2000001",
		    13 },
	};
	const unsigned char other_key[SEAL_KEY_SIZE] = { 1, 2, 4 };
	struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(1000);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(seal_encrypt(key, &here, "secret", 6, &sealed, &e), e);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_fails(seal_decrypt(key, &others[i], sealed.data, sealed.len, &opened, &e), e, ERR_INTEGRITY,
		    "sealed for this row");
	assert_fails(seal_decrypt(other_key, &here, sealed.data, sealed.len, &opened, &e), e, ERR_INTEGRITY,
	    "sealed for this row");
	assert_int_equal(opened.len, 0);
	buf_release(&sealed);
	buf_release(&opened);
}

/* A nonce used twice under one key gives both plain texts away. */
static void
nonces_differ(void **state)
{
	struct buf sealed[2] = { BUF_INIT(1000), BUF_INIT(1000) };
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_ok(seal_encrypt(key, &here, "secret", 6, &sealed[i], &e), e);
	assert_memory_not_equal(sealed[0].data + 1, sealed[1].data + 1, SEAL_NONCE_SIZE);
	buf_release(&sealed[0]);
	buf_release(&sealed[1]);
}

/* A value longer than its reader takes is an error, not a cut key. */
static void
too_long_for_the_reader(void **state)
{
	struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(5);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(seal_encrypt(key, &here, "secret", 6, &sealed, &e), e);
	assert_fails(seal_decrypt(key, &here, sealed.data, sealed.len, &opened, &e), e, ERR_FAILED, "at most 5 bytes");
	buf_release(&sealed);
	buf_release(&opened);
}

/* Where OpenSSL is told to use no such cipher, the admin must not be sent to look for another master key. */
static void
missing_cipher_is_not_a_wrong_key(void **state)
{
	struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(1000);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(seal_encrypt(key, &here, "secret", 6, &sealed, &e), e);
	assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
	assert_fails(seal_decrypt(key, &here, sealed.data, sealed.len, &opened, &e), e, ERR_FAILED,
	    "AES-256-GCM: unsupported");
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_ok(seal_decrypt(key, &here, sealed.data, sealed.len, &opened, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
	buf_release(&sealed);
	buf_release(&opened);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcm_agrees_with_published_vectors),
		cmocka_unit_test(format_is_as_documented),
		cmocka_unit_test(round_trip_of_every_length),
		cmocka_unit_test(every_flipped_bit_and_every_cut_shows),
		cmocka_unit_test(another_place_or_key_does_not_open),
		cmocka_unit_test(nonces_differ),
		cmocka_unit_test(too_long_for_the_reader),
		cmocka_unit_test(missing_cipher_is_not_a_wrong_key),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
