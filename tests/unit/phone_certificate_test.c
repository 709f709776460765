/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "common/text.h"
#include "phone/certificate.h"
#include "phone/certificate_issuer.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 1577836800  /* 2020-01-01T00:00:00Z: date -d ... +%s */
#define END 1893456000    /* 2030-01-01T00:00:00Z */
#define BEFORE 1735689600 /* 2025-01-01T00:00:00Z, where "expired" ends */
#define AFTER 1767225600  /* 2026-01-01T00:00:00Z, where "later" begins */
#define NOW 1764000000    /* 2025-11-24T16:00:00Z */

/* The three texts that were read last. */
struct bundle {
	struct buf ca, cert, key;
	struct certificate_pem pem;
};

static void
load(const char *folder, const char *name, const char *ending, struct buf *out)
{
	struct err e = ERR_INIT;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s.%s", folder, name, ending);
	*out = (struct buf)BUF_INIT(1 << 16);
	assert_ok(file_read(path, out, &e), e);
}

static void
bundle_load(const char *folder, const char *ca, const char *cert, const char *key, struct bundle *b)
{
	load(folder, ca, "crt", &b->ca);
	load(folder, cert, "crt", &b->cert);
	load(folder, key, "key", &b->key);
	b->pem = (struct certificate_pem){
		.ca = b->ca.data,
		.ca_len = b->ca.len,
		.cert = b->cert.data,
		.cert_len = b->cert.len,
		.key = b->key.data,
		.key_len = b->key.len,
	};
}

static void
bundle_release(struct bundle *b)
{
	buf_release(&b->ca);
	buf_release(&b->cert);
	buf_release(&b->key);
}

static int
check(const char *folder, const char *ca, const char *cert, const char *key, time_t clock, struct certificate_info *ret,
    struct err *e)
{
	struct bundle b;
	int rc;

	bundle_load(folder, ca, cert, key, &b);
	rc = certificate_check(&b.pem, clock, NULL, ret, e);
	assert_int_equal(ERR_peek_error(), 0);
	/* No line of a key, nor a piece of one, is in a message. */
	for (size_t i = 0; rc != 0 && i + 12 <= b.key.len; i += 6) {
		char piece[13];

		(void)snprintf(piece, sizeof(piece), "%.12s", buf_string(&b.key) + i);
		assert_null(strchr(piece, '-') == NULL && strchr(piece, ' ') == NULL ? strstr(e->text, piece) : NULL);
	}
	bundle_release(&b);
	return rc;
}

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

/* A bundle that works on the phone must not be reported as bad. */
static void
test_good(void **state)
{
	static const char *const good[][3] = {
		{ "root", "leaf", "leaf" },
		{ "root", "leaf", "leaf-traditional" },
		{ "root", "leaf-ec", "ec" }, /* its parameters stand before it */
		{ "root", "leaf-with-text", "leaf" },
		{ "root", "leaf-with-comments", "leaf" },
		{ "root-and-rubbish", "leaf", "leaf" },
		{ "two-roots", "leaf", "leaf" },
		{ "two-roots", "leaf-other", "leaf" },
		{ "both-cas", "leaf-middle", "leaf" },
		{ "root", "root", "root" },
	};
	struct certificate_info info;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(*state, good[i][0], good[i][1], good[i][2], NOW, &info, &e) != 0)
			fail_msg("%s, %s: %s", good[i][0], good[i][1], e.text);
		assert_int_equal(info.note_count, 0);
	}
}

/* A bundle that cannot work, and what the admin learns. */
static void
test_bad(void **state)
{
	static const struct {
		const char *ca, *cert, *key, *says;
	} bad[] = {
		{ "empty", "leaf", "leaf", "<ca>: expected PEM" },
		{ "damaged", "leaf", "leaf", "<ca>: expected PEM" },
		{ "root-and-damaged", "leaf", "leaf", "<ca>: expected PEM" },
		{ "root", "empty", "leaf", "<cert>: expected PEM" },
		{ "root", "damaged", "leaf", "<cert>: expected PEM" },
		{ "root", "encrypted", "leaf", "<cert>: expected PEM" },
		{ "root", "leaf", "empty", "<key>: expected PEM of a private key" },
		{ "root", "leaf", "public", "<key>: expected PEM of a private key" },
		{ "root", "leaf", "cut", "<key>: expected a private key" },
		{ "root", "leaf", "leaf-password", "without a password" },
		{ "root", "leaf", "leaf-password-rsa", "without a password" },
		{ "root", "leaf", "other", "<key>: expected the key of the certificate in <cert>, found another" },
		{ "root", "leaf", "ec", "<key>: expected the key of the certificate in <cert>, found another" },
		{ "root", "leaf-ec", "leaf", "<key>: expected the key of the certificate in <cert>, found another" },
		{ "other", "leaf", "leaf", "certificate CN=000fd3054848,O=Lab: expected to be signed by a CA in <ca>" },
		{ "root", "leaf-middle", "leaf", "expected to be signed by a CA in <ca>" },
		/* 2.3.2 wants the chain to end in a root, as OpenSSL does where it is not told otherwise. */
		{ "middle", "leaf-middle", "leaf", "expected to be signed by a CA in <ca>" },
	};
	struct certificate_info info = { .serial = "untouched" };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(*state, bad[i].ca, bad[i].cert, bad[i].key, NOW, &info, &e) == 0)
			fail_msg("%s, %s, %s: taken", bad[i].ca, bad[i].cert, bad[i].key);
		if (e.code != ERR_INTEGRITY || strstr(e.text, bad[i].says) == NULL)
			fail_msg("%s, %s, %s: expected \"%s\", found %s", bad[i].ca, bad[i].cert, bad[i].key,
			    bad[i].says, e.text);
		assert_string_equal(info.serial, "untouched");
	}
}

/* A phone whose clock is wrong, or a certificate that ran out: which of the two, and by how much. */
static void
test_clock(void **state)
{
	static const struct {
		const char *ca, *cert;
		time_t clock;
		const char *says; /* NULL: good */
	} times[] = {
		{ "root", "leaf", START, NULL },
		{ "root", "leaf", END - 1, NULL },
		{ "root", "leaf", 0,
		    "CA certificate CN=Lab CA,O=Lab: expected to be valid at 1970-01-01T00:00:00Z, which the phone's "
		    "clock shows, found not yet valid, only from 2020-01-01T00:00:00Z" },
		{ "root", "leaf", START - 1, "not yet valid, only from 2020-01-01T00:00:00Z" },
		{ "root", "leaf", END + 1, "expired at 2030-01-01T00:00:00Z" },
		{ "root", "leaf-later", AFTER, NULL },
		{ "root", "leaf-later", AFTER - 1,
		    "certificate CN=000fd3054848,O=Lab: expected to be valid at 2025-12-31T23:59:59Z, which the phone's "
		    "clock shows, found not yet valid, only from 2026-01-01T00:00:00Z" },
		{ "root", "leaf-expired", BEFORE - 1, NULL },
		{ "root", "leaf-expired", BEFORE + 1,
		    "certificate CN=000fd3054848,O=Lab: expected to be valid at 2025-01-01T00:00:01Z, which the phone's "
		    "clock shows, found expired at 2025-01-01T00:00:00Z" },
		{ "root-expired", "leaf", BEFORE - 1, NULL },
		{ "root-expired", "leaf", NOW, "CA certificate CN=Lab CA,O=Lab: expected to be valid at" },
		{ "expired-and-other", "leaf-other", NOW, NULL },
	};
	struct certificate_info info;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct buf out = BUF_INIT(4096);
		const char *folder = *state;
		bool good;

		if (times[i].says == NULL)
			assert_ok(check(folder, times[i].ca, times[i].cert, "leaf", times[i].clock, &info, &e), e);
		else
			assert_fails(check(folder, times[i].ca, times[i].cert, "leaf", times[i].clock, &info, &e), e,
			    ERR_INTEGRITY, times[i].says);
		support_shell(&out, NULL,
		    "sh -c 'cd %s && openssl verify -attime %lld -no-CApath -no-CAstore -CAfile %s.crt %s.crt 2>&1; :'",
		    folder, (long long)times[i].clock, times[i].ca, times[i].cert);
		good = strstr(buf_string(&out), ".crt: OK") != NULL;
		if (good != (times[i].says == NULL))
			fail_msg("%s at %lld: openssl says %s", times[i].cert, (long long)times[i].clock,
			    buf_string(&out));
		buf_release(&out);
	}
}

/* What the reports show is what openssl shows. */
static void
test_info(void **state)
{
	struct certificate_info info = { .note_count = 0 };
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;

	assert_ok(check(*state, "root", "leaf", "leaf", NOW, &info, &e), e);
	support_shell(&out, NULL,
	    "{ openssl x509 -in '%s/leaf.crt' -noout -serial | sed 's/^serial=//' | tr -d '\\n' | tr A-F a-f; }",
	    (char *)*state);
	assert_string_equal(info.serial, buf_string(&out));
	buf_clear(&out);
	support_shell(&out, NULL, "{ openssl x509 -in '%s/leaf.crt' -noout -subject -nameopt RFC2253 | tr -d '\\n'; }",
	    (char *)*state);
	assert_string_equal(buf_string(&out), "subject=CN=000fd3054848,O=Lab");
	assert_string_equal(info.subject, "CN=000fd3054848,O=Lab");
	assert_string_equal(info.ca_subject, "CN=Lab CA,O=Lab");
	assert_string_equal(info.key, "RSA 2048");
	assert_string_equal(info.signature, "sha256WithRSAEncryption");
	assert_int_equal(info.not_before, START);
	assert_int_equal(info.not_after, END);
	assert_int_equal(info.ca_not_before, START);
	assert_int_equal(info.ca_not_after, END);
	assert_ok(check(*state, "root", "leaf-ec", "ec", NOW, &info, &e), e);
	assert_string_equal(info.key, "EC 256");
	assert_ok(check(*state, "both-cas", "leaf-middle", "leaf", NOW, &info, &e), e);
	assert_string_equal(info.ca_subject, "CN=Middle CA,O=Lab");
	buf_release(&out);
}

/* Taken by the phone, and trouble all the same. */
static void
test_notes(void **state)
{
	static const struct {
		const char *ca, *cert, *says;
	} noted[] = {
		{ "root", "leaf-sha1", "signed with SHA-1" },
		{ "root", "leaf-md5", "signed with MD5" },
		{ "root", "chain", "<cert>: 2 certificates: OpenVPN 2.1 and 2.2 send only the first" },
		{ "root", "leaf-and-damaged", "cannot be read" },
	};
	struct certificate_info info;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++) {
		assert_ok(check(*state, noted[i].ca, noted[i].cert, "leaf", NOW, &info, &e), e);
		assert_int_equal(info.note_count, 1);
		if (strstr(info.notes[0], noted[i].says) == NULL)
			fail_msg("%s: expected \"%s\", found %s", noted[i].cert, noted[i].says, info.notes[0]);
		assert_in_range(strlen(info.notes[0]), 1, CERTIFICATE_NOTE_SIZE - 2);
	}
}

/* A thousand phones of one CA, and one of another between them: none gets the other's answer. */
static void
test_cache(void **state)
{
	struct certificate_cache cache = CERTIFICATE_CACHE_INIT;
	struct certificate_info info;
	struct err e = ERR_INIT;
	struct bundle mine, stranger;

	bundle_load(*state, "root", "leaf", "leaf", &mine);
	bundle_load(*state, "other", "leaf", "leaf", &stranger);
	for (int i = 0; i < 3; i++) {
		assert_ok(certificate_check(&mine.pem, NOW, &cache, &info, &e), e);
		assert_ok(certificate_check(&mine.pem, NOW, &cache, &info, &e), e);
		assert_fails(certificate_check(&mine.pem, 0, &cache, &info, &e), e, ERR_INTEGRITY, "not yet valid");
		assert_fails(certificate_check(&stranger.pem, NOW, &cache, &info, &e), e, ERR_INTEGRITY,
		    "signed by a CA in <ca>");
		stranger.pem.ca_len -= 30;
		assert_fails(certificate_check(&stranger.pem, NOW, &cache, &info, &e), e, ERR_INTEGRITY, "<ca>: ");
		stranger.pem.ca_len += 30;
		certificate_cache_release(&cache);
	}
	bundle_release(&mine);
	bundle_release(&stranger);
}

/* Verdict, text and description are the same for the first bundle and for one behind good, of the same CA. */
static void
assert_agrees(const struct certificate_pem *good, const struct certificate_pem *pem, time_t clock, const char *what)
{
	struct certificate_cache first = CERTIFICATE_CACHE_INIT, second = CERTIFICATE_CACHE_INIT;
	struct certificate_info info, whole = { .note_count = 0 }, brief = { .note_count = 0 };
	struct err e = ERR_INIT, why = ERR_INIT;
	int rc = certificate_check(pem, clock, &first, &whole, &e);

	(void)certificate_check(good, clock, &second, &info, NULL);
	if (certificate_check(pem, clock, &second, &brief, &why) != rc || e.code != why.code ||
	    strcmp(e.text, why.text) != 0 || memcmp(&whole, &brief, sizeof(whole)) != 0)
		fail_msg("%s at %lld: first: %s, %s; second: %s, %s", what, (long long)clock, e.text, whole.subject,
		    why.text, brief.subject);
	assert_int_equal(ERR_peek_error(), 0);
	certificate_cache_release(&first);
	certificate_cache_release(&second);
}

/* The second phone of a CA is checked with less work than the first: a bad one must not slip through. */
static void
test_cache_agrees(void **state)
{
	static const char *const cas[] = { "root", "two-roots", "both-cas", "other", "expired-and-other" };
	static const char *const certs[] = { "leaf", "leaf-ec", "leaf-later", "leaf-expired", "leaf-sha1",
		"leaf-sha512", "leaf-middle", "leaf-other", "leaf-odd", "leaf-critical", "leaf-forged",
		"leaf-with-text", "leaf-and-damaged", "chain", "damaged", "empty", "root" };
	static const char *const keys[] = { "leaf", "leaf-traditional", "other", "ec", "root", "cut", "leaf-password" };
	static const time_t times[] = { NOW, BEFORE + 1, END + 1 };

	for (size_t c = 0; c < sizeof(cas) / sizeof(cas[0]); c++) {
		for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]) * sizeof(keys) / sizeof(keys[0]); i++) {
			const char *cert = certs[i / (sizeof(keys) / sizeof(keys[0]))];
			struct bundle good, b;

			bundle_load(*state, cas[c], "leaf", "leaf", &good);
			bundle_load(*state, cas[c], cert, keys[i % (sizeof(keys) / sizeof(keys[0]))], &b);
			for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++)
				assert_agrees(&good.pem, &b.pem, times[t], cert);
			bundle_release(&b);
			bundle_release(&good);
		}
	}
}

/* ... nor one that names another CA's key, or another certificate of the CA's, as that of its issuer (RFC 5280, 4.2.1.1). */
static void
test_cache_authority_key(void **state)
{
	static const struct {
		const char *cert;
		bool taken;
	} rows[] = {
		{ "leaf-root-id", true },
		{ "leaf-root-id-issuer", true },
		{ "leaf-root-id-other", false },
		{ "leaf-root-id-other-issuer", false },
		{ "leaf-root-id-again-issuer", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct certificate_cache cache = CERTIFICATE_CACHE_INIT;
		struct certificate_info info;
		struct bundle good, b;
		struct err e = ERR_INIT;

		bundle_load(*state, "root-id", "leaf", "leaf", &good);
		bundle_load(*state, "root-id", rows[i].cert, "leaf", &b);
		assert_agrees(&good.pem, &b.pem, NOW, rows[i].cert);
		assert_ok(certificate_check(&good.pem, NOW, &cache, &info, &e), e);
		assert_non_null(cache.issuer);
		if ((certificate_check(&b.pem, NOW, &cache, &info, &e) == 0) != rows[i].taken)
			fail_msg("%s: %s", rows[i].cert, e.text);
		certificate_cache_release(&cache);
		bundle_release(&b);
		bundle_release(&good);
	}
}

/* ... nor must a signature that was tampered with. */
static void
test_cache_tampered(void **state)
{
	struct certificate_cache cache = CERTIFICATE_CACHE_INIT;
	struct certificate_info info;
	struct err e = ERR_INIT;
	struct bundle b;
	char *line;

	bundle_load(*state, "root", "leaf", "leaf", &b);
	assert_ok(certificate_check(&b.pem, NOW, &cache, &info, &e), e);
	assert_non_null(cache.issuer);
	/* A character of base64 in the last whole line, of the signature. */
	line = (char *)b.cert.data + b.cert.len - strlen("-----END CERTIFICATE-----\n") - 65;
	*line = *line == 'A' ? 'B' : 'A';
	assert_fails(certificate_check(&b.pem, NOW, &cache, &info, &e), e, ERR_INTEGRITY,
	    "certificate signature failure");
	certificate_cache_release(&cache);
	bundle_release(&b);
}

/* Without it all would be right, and a fleet cost twice as much: which no other test would tell. */
static void
test_cache_is_of_use(void **state)
{
	static const time_t times[] = { NOW, NOW + 1, 0, END + 1 };
	struct certificate_cache cache = CERTIFICATE_CACHE_INIT;
	struct certificate_info info;
	struct err e = ERR_INIT;
	struct bundle b;

	bundle_load(*state, "root", "leaf", "leaf", &b);
	assert_ok(certificate_check(&b.pem, NOW, &cache, &info, &e), e);
	assert_non_null(cache.issuer);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(certificate_issuer_vouches(cache.issuer, &b.pem, times[i], &info),
		    times[i] == NOW || times[i] == NOW + 1);
	certificate_cache_release(&cache);
	bundle_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_cache_agrees),
		cmocka_unit_test(test_cache_authority_key),
		cmocka_unit_test(test_cache_tampered),
		cmocka_unit_test(test_cache_is_of_use),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
