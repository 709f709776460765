/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "dseries/cipher.h"

#include <string.h>

/* The lists of the vendor page, section "Ciphers", as they stand there. */
#define CONTROL                              \
	"RC4-SHA, RC4-MD5\n"                 \
	"DES-CBC-SHA, DES-CBC3-SHA\n"        \
	"AES128-SHA, AES256-SHA\n"           \
	"CAMELLIA128-SHA, CAMELLIA256-SHA\n" \
	"SEED-SHA\n"                         \
	"ECDHE-RSA-RC4-SHA, ECDHE-RSA-DES-CBC3-SHA, ECDHE-RSA-AES128-SHA, ECDHE-RSA-AES256-SHA"
#define CONTROL_BEFORE_2_3_9 "AECDH-RC4-SHA, AECDH-DES-CBC3-SHA, AECDH-AES128-SHA, AECDH-AES256-SHA"
#define DATA_AS_WRITTEN                                          \
	"RC2-CBC, RC2-40-CBC, RC2-64-CBC\n"                      \
	"DES-CBC, DES-EDE-CBC, DES-EDE3-CBC, DESX-CBC\n"         \
	"AES-128-CBC, AES-192-CBC, AES-256-CBC\n"                \
	"CAMILLIA-128-CBC, CAMELLIA-192-CBC, CAMELLIA-256-CBC\n" \
	"SEED-CBC\n"                                             \
	"BF-CBC\n"                                               \
	"CAST5-CBC"

static void
assert_list(const char *text, const char *(*at)(size_t))
{
	char copy[512], *rest = copy, *word;
	size_t index = 0;

	assert_in_range(strlen(text), 1, sizeof(copy) - 1);
	memcpy(copy, text, strlen(text) + 1);
	while ((word = strsep(&rest, ", \n")) != NULL) {
		if (*word == '\0')
			continue;
		/* The page's slip. */
		if (strcmp(word, "CAMILLIA-128-CBC") == 0)
			word[3] = 'E';
		assert_non_null(at(index));
		assert_string_equal(at(index++), word);
	}
	assert_null(at(index));
	assert_null(at((size_t)-1));
}

/* A phone would be offered a cipher that it lacks, or be denied one that it has. */
static void
lists_are_the_pages(void **state)
{
	(void)state;
	assert_list(CONTROL, cipher_control_at);
	assert_list(CONTROL_BEFORE_2_3_9, cipher_control_before_2_3_9_at);
	assert_list(DATA_AS_WRITTEN, cipher_data_at);
}

/* A misspelt cipher keeps a server from starting: OpenSSL must know each. */
static void
openssl_knows_the_data_ciphers(void **state)
{
	struct buf known = BUF_INIT(1 << 20);

	(void)state;
	support_shell(&known, NULL,
	    "{ openssl list -cipher-algorithms -provider default -provider legacy | sed '1,/^Provided:/d'; }");
	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		if (strstr(buf_string(&known), cipher_data_at(i)) == NULL)
			print_error("%s\n", cipher_data_at(i));
		assert_non_null(strstr(buf_string(&known), cipher_data_at(i)));
	}
	buf_release(&known);
}

/* D6x yes, D80 perhaps, a model without OpenVPN never. */
static void
support_by_model(void **state)
{
	const struct model *d65 = model_find("D65"), *d80 = model_find("D80"), *d70 = model_find("D70");

	(void)state;
	assert_int_equal(cipher_data_support(d65, "AES-256-CBC"), CIPHER_YES);
	assert_int_equal(cipher_data_support(d65, "aes-256-cbc"), CIPHER_YES);
	assert_int_equal(cipher_data_support(d65, "CAMELLIA-128-CBC"), CIPHER_YES);
	assert_int_equal(cipher_data_support(d65, "CAMILLIA-128-CBC"), CIPHER_NO);
	assert_int_equal(cipher_data_support(d65, "AES-256-GCM"), CIPHER_NO);
	assert_int_equal(cipher_data_support(d65, "CHACHA20-POLY1305"), CIPHER_NO);
	assert_int_equal(cipher_data_support(d65, ""), CIPHER_NO);
	assert_int_equal(cipher_data_support(d80, "AES-256-CBC"), CIPHER_MAY_DIFFER);
	assert_int_equal(cipher_data_support(d80, "AES-256-GCM"), CIPHER_NO);
	assert_int_equal(cipher_data_support(d70, "AES-256-CBC"), CIPHER_NO);
	assert_int_equal(cipher_control_support(d65, NULL, "ECDHE-RSA-AES256-SHA"), CIPHER_YES);
	assert_int_equal(cipher_control_support(d65, NULL, "ECDHE-RSA-AES256-GCM-SHA384"), CIPHER_NO);
	assert_int_equal(cipher_control_support(d80, NULL, "ECDHE-RSA-AES256-SHA"), CIPHER_MAY_DIFFER);
	assert_int_equal(cipher_control_support(d70, NULL, "ECDHE-RSA-AES256-SHA"), CIPHER_NO);
}

/* "Versions of firmware prior to 2.3.9 also supported ...": not 2.3.9 itself, and not the recommended one. */
static void
older_firmware_has_more(void **state)
{
	const struct firmware before = { { 2, 3, 8, 99 } }, at = { { 2, 3, 9 } }, d80 = { { 1, 9, 0 } };
	const struct model *d65 = model_find("D65");

	(void)state;
	assert_int_equal(cipher_control_support(d65, &before, "AECDH-AES256-SHA"), CIPHER_YES);
	assert_int_equal(cipher_control_support(d65, &before, "AES256-SHA"), CIPHER_YES);
	assert_int_equal(cipher_control_support(d65, &at, "AECDH-AES256-SHA"), CIPHER_NO);
	assert_int_equal(cipher_control_support(d65, &at, "AES256-SHA"), CIPHER_YES);
	assert_int_equal(cipher_control_support(d65, NULL, "AECDH-AES256-SHA"), CIPHER_NO);
	assert_int_equal(cipher_control_support(model_find("D80"), &d80, "AECDH-AES256-SHA"), CIPHER_NO);
	assert_int_equal(cipher_control_support(model_find("D40"), &before, "AECDH-AES256-SHA"), CIPHER_NO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_the_pages),
		cmocka_unit_test(openssl_knows_the_data_ciphers),
		cmocka_unit_test(support_by_model),
		cmocka_unit_test(older_firmware_has_more),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
