/* SPDX-License-Identifier: ISC */
#include "tests/unit/digest_support.h"

#include "common/text.h"
#include "provisioner/digest_header.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
assert_vector(const char *authorization, const char *method, const char *password, const char *expected)
{
	enum digest_algorithm algorithm;
	char response[DIGEST_HEX_SIZE];
	struct digest_header h;
	struct err e = ERR_INIT;

	assert_int_equal(digest_header_parse(authorization, &h), DIGEST_OK);
	assert_true(digest_header_algorithm(&h, &algorithm));
	assert_ok(digest_response(&h, algorithm, method, password, response, &e), e);
	assert_string_equal(response, expected);
	assert_string_equal(h.response, expected);
}

/* No phone could log in: the examples of RFC 2617 section 3.5 and RFC 7616 section 3.9.1. */
static void
test_rfc_vectors(void **state)
{
	(void)state;
	assert_vector("Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, "
		      "cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
		      "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	    "GET", "Circle Of Life", "6629fae49393a05397450978507c4ef1");
	assert_vector(
	    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=MD5, "
	    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
	    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
	    "response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	    "GET", "Circle of Life", "8ca523f5e9506fed4657c9700eebdbec");
	assert_vector("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
		      "algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
		      "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
		      "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", "
		      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	    "GET", "Circle of Life", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

static enum digest_result
check(const struct login *l, const struct digest_request *asked)
{
	struct buf header = BUF_INIT(4096);
	struct digest_request r = *asked;
	enum digest_result result;

	authorization(l, &header);
	r.authorization = buf_string(&header);
	result = login_check(&server, &r, PASSWORD);
	buf_release(&header);
	return result;
}

/* A phone with the right password would be kept out; one with a wrong one would be let in. */
static void
test_check(void **state)
{
	struct digest_request r = request(NULL), other = request(NULL);
	struct login good = { "GET", TARGET, "phones", PASSWORD, NULL, "md5sum", ", algorithm=MD5", false }, l;
	char nonce[65], forged[65];

	(void)state;
	nonce_now(&r, nonce);
	good.nonce = nonce;
	assert_int_equal(check(&good, &r), DIGEST_OK);
	l = good;
	l.algorithm = "";
	assert_int_equal(check(&l, &r), DIGEST_OK);
	l.old = true;
	assert_int_equal(check(&l, &r), DIGEST_OK);
	l = good;
	l.program = "sha256sum";
	l.algorithm = ", algorithm=SHA-256";
	assert_int_equal(check(&l, &r), DIGEST_OK);
	l.algorithm = ", algorithm=MD5"; /* another hash than it says */
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l = good;
	l.password = "S3cret";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l = good;
	l.realm = "Phones";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l = good;
	l.uri = TARGET "?x";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.uri = "http://h" TARGET;
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l = good;
	l.method = "HEAD";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l = good;
	l.algorithm = ", algorithm=MD5-sess";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.algorithm = ", algorithm=MD5, userhash=true";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.algorithm = ", algorithm=MD5, userhash=false";
	assert_int_equal(check(&l, &r), DIGEST_OK);
	/* Another client's nonce, and forged ones. */
	other.client = "\xc0\x00\x02\x08";
	assert_int_equal(check(&good, &other), DIGEST_WRONG);
	other = request(NULL);
	other.client_len = 3;
	assert_int_equal(check(&good, &other), DIGEST_WRONG);
	l = good;
	memcpy(forged, nonce, sizeof(forged));
	forged[63] = forged[63] == '0' ? '1' : '0';
	l.nonce = forged;
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	memcpy(forged, nonce, sizeof(forged));
	forged[15] = forged[15] == '0' ? '1' : '0'; /* the time */
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.nonce = "";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
}

/* A phone would be asked for its password again and again, or a nonce overheard would hold for ever. */
static void
test_nonce_age(void **state)
{
	struct digest_request r = request(NULL);
	struct login l = { "GET", TARGET, "phones", PASSWORD, NULL, "md5sum", "", false };
	struct digest_server restarted = server;
	struct buf header = BUF_INIT(4096);
	char nonce[65];

	(void)state;
	nonce_now(&r, nonce);
	l.nonce = nonce;
	r.now = NOW + DIGEST_NONCE_SECONDS;
	assert_int_equal(check(&l, &r), DIGEST_OK);
	r.now++;
	assert_int_equal(check(&l, &r), DIGEST_STALE);
	l.password = "wrong"; /* stale=true would tell that all else was right */
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	l.password = PASSWORD;
	r.now = NOW - 5; /* the clock was set back */
	assert_int_equal(check(&l, &r), DIGEST_OK);
	r.now = NOW - 6;
	assert_int_equal(check(&l, &r), DIGEST_WRONG);
	r.now = NOW;
	authorization(&l, &header);
	r.authorization = buf_string(&header);
	restarted.key[0] ^= 1;
	assert_int_equal(login_check(&restarted, &r, PASSWORD), DIGEST_WRONG);
	buf_release(&header);
}

/* A cURL could not read the challenge. */
static void
test_challenge(void **state)
{
	struct digest_request r = request(NULL);
	struct digest_server bad = server;
	struct buf out = BUF_INIT(1024), mac = BUF_INIT(256);
	struct err e = ERR_INIT;
	const char *nonce;
	char expected[200];

	(void)state;
	assert_ok(digest_challenge(&server, &r, DIGEST_MD5, false, &out, &e), e);
	/* Time and number are public; their keyed hash, together with the client's address, is asked of openssl. */
	(void)snprintf(expected, sizeof(expected),
	    "Digest realm=\"phones\", qop=\"auth\", algorithm=MD5, nonce=\"%016x", NOW);
	assert_memory_equal(buf_string(&out), expected, strlen(expected));
	assert_int_equal(out.len, strlen(expected) + 16 + 32 + 1);
	nonce = buf_string(&out) + strlen(expected) - 16;
	support_shell(&mac, NULL,
	    "{ perl -e 'print pack(\"H32C4\", \"%.32s\", 192, 0, 2, 7)' | openssl dgst -sha256 -mac HMAC "
	    "-macopt hexkey:3031323334353637383961626364656630313233343536373839616263646500 -r | cut -c1-32; }",
	    nonce);
	assert_int_equal(mac.len, 33);
	assert_memory_equal(nonce + 32, buf_string(&mac), 32);
	assert_null(strstr(buf_string(&out), "stale"));
	buf_clear(&out);
	assert_ok(digest_challenge(&server, &r, DIGEST_SHA256, true, &out, &e), e);
	assert_non_null(strstr(buf_string(&out), "algorithm=SHA-256, nonce="));
	assert_non_null(strstr(buf_string(&out), "\", stale=true"));
	bad.realm = "a\"b";
	assert_fails(digest_challenge(&bad, &r, DIGEST_MD5, false, &out, &e), e, ERR_INPUT, "realm");
	bad.realm = "a\r\nX: y";
	assert_fails(digest_challenge(&bad, &r, DIGEST_MD5, false, &out, &e), e, ERR_INPUT, "realm");
	buf_release(&mac);
	buf_release(&out);
}

#define FIELDS "username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"0\""
#define QOP ", qop=auth, nc=00000001, cnonce=\"c\""

/* A broken or hostile header would be taken for a login, or read beyond its end. */
static void
test_malformed(void **state)
{
	static const char *const headers[] = { "Digest", "Digest ", "Digest ,", "Digest username",
		"Digest username=", "Digest =\"u\"", "Digest username=\"u", "Digest username=\"u\\",
		"Digest username=\"u\\\"", "Digest \"u\"", "Digest username=\"u\" realm=\"r\"",
		"Digest realm=\"r\", nonce=\"n\", uri=\"/\", response=\"0\"",
		"Digest username=\"u\", nonce=\"n\", uri=\"/\", response=\"0\"",
		"Digest username=\"u\", realm=\"r\", nonce=\"n\"", "Digest " FIELDS ", username=\"u\"",
		"Digest " FIELDS ", USERNAME=x", "Digest " FIELDS QOP ", nc=00000001",
		"Digest " FIELDS ", algorithm=MD5, algorithm=MD5", "Digest " FIELDS ", qop=auth",
		"Digest " FIELDS ", qop=auth-int, "
		"nc=00000001, cnonce=c",
		"Digest " FIELDS ", qop=\"auth,auth-int\", nc=00000001, cnonce=c",
		"Digest " FIELDS ", qop=auth, nc=1, cnonce=c", "Digest " FIELDS ", qop=auth, nc=0000000g, cnonce=c",
		"Digest " FIELDS ", qop=auth, nc=000000001, cnonce=c", "Digest " FIELDS ", qop=auth, nc=00000001",
		"Digest " FIELDS ", qop=auth, nc=00000001, cnonce=\"\"",
		"Digest " FIELDS ", qop=, nc=00000001, cnonce=c", "Digest " FIELDS "; x=y", "Digest " FIELDS ", x",
		"Digest " FIELDS ", x=\"\x01\"", "Digest " FIELDS ", x=\"\x7f\"",
		"Digest username*=UTF-8''u, realm=\"r\", nonce=\"n\", uri=\"/\", response=\"0\"" };
	struct buf longest = BUF_INIT(8192);
	struct digest_request r;
	struct digest_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		r = request(headers[i]);
		if (digest_take(&r, &h) != DIGEST_MALFORMED)
			print_error("%s\n", headers[i]);
		assert_int_equal(digest_take(&r, &h), DIGEST_MALFORMED);
		assert_int_equal(login_check(&server, &r, PASSWORD), DIGEST_MALFORMED);
	}
	buf_add_string(&longest, "Digest " FIELDS ", x=");
	while (longest.len < DIGEST_HEADER_MAX + strlen("Digest"))
		buf_add_string(&longest, "y");
	r = request(buf_string(&longest));
	assert_int_equal(digest_take(&r, &h), DIGEST_OK);
	buf_add_string(&longest, "y");
	r = request(buf_string(&longest));
	assert_int_equal(digest_take(&r, &h), DIGEST_MALFORMED);
	buf_clear(&longest);
	buf_add_string(&longest, "Digest ");
	for (int i = 0; i < 500; i++)
		buf_add_string(&longest, "a=b,");
	r = request(buf_string(&longest));
	assert_int_equal(digest_take(&r, &h), DIGEST_MALFORMED);
	buf_release(&longest);
}

static void
assert_user(const char *authorization_value, enum digest_result expected, const char *user)
{
	struct digest_request r = request(authorization_value);
	struct digest_header h;

	assert_int_equal(digest_take(&r, &h), expected);
	if (expected == DIGEST_OK)
		assert_string_equal(h.username, user);
}

/* A phone's cURL of another age writes the header in another form, which would be refused. */
static void
test_forms(void **state)
{
	(void)state;
	assert_user("Digest " FIELDS, DIGEST_OK, "u");
	assert_user("Digest " FIELDS QOP, DIGEST_OK, "u");
	assert_user("digest\t" FIELDS QOP ", opaque=\"\", auth-param=x, charset=UTF-8", DIGEST_OK, "u");
	assert_user("Digest ,, USERNAME = \"a\\\"b\\\\c\\d,\xc3\xbc\" ,ReAlM=r,nonce=n,uri=\"/\",response=0,,",
	    DIGEST_OK, "a\"b\\cd,\xc3\xbc");
	assert_user("Digest " FIELDS ", qop=\"auth\", nc=\"00000001\", cnonce=\"c\", algorithm=\"md5\"", DIGEST_OK,
	    "u");
	assert_user("Digest " FIELDS ", algorithm=SHA-512-256", DIGEST_WRONG, NULL);
	assert_user("Digest " FIELDS ", algorithm=SHA-256-sess", DIGEST_WRONG, NULL);
	assert_user("Digest " FIELDS ", userhash=true", DIGEST_WRONG, NULL);
	assert_user(NULL, DIGEST_ABSENT, NULL);
	assert_user("", DIGEST_ABSENT, NULL);
	assert_user("Basic dTpw", DIGEST_ABSENT, NULL);
	assert_user("Digestive biscuits", DIGEST_ABSENT, NULL);
	assert_user("Digest\"" FIELDS, DIGEST_ABSENT, NULL);
}

static void
assert_basic(const char *header, enum digest_result expected, const char *user, const char *password)
{
	struct buf u = BUF_INIT(256), p = BUF_INIT(256);

	if (basic_parse(header, &u, &p) != expected)
		print_error("%s\n", header != NULL ? header : "(none)");
	buf_clear(&u);
	buf_clear(&p);
	assert_int_equal(basic_parse(header, &u, &p), expected);
	if (expected == DIGEST_OK) {
		assert_string_equal(buf_string(&u), user);
		assert_string_equal(buf_string(&p), password);
	}
	buf_release(&u);
	buf_release(&p);
}

/* A phone on Basic could not log in, or a broken header would be read beyond its end. Encoded by base64(1). */
static void
test_basic(void **state)
{
	char long_header[1500];

	(void)state;
	assert_basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", DIGEST_OK, "Aladdin", "open sesame");
	assert_basic("basic  dGVzdDoxMjPCow== ", DIGEST_OK, "test", "123\xc2\xa3");
	assert_basic("Basic dTphOmI=", DIGEST_OK, "u", "a:b");
	assert_basic("Basic dTo=", DIGEST_OK, "u", "");
	assert_basic("Basic OnA=", DIGEST_OK, "", "p");
	assert_basic("Basic dTpw", DIGEST_OK, "u", "p");
	assert_basic(NULL, DIGEST_ABSENT, "", "");
	assert_basic("Digest dTpw", DIGEST_ABSENT, "", "");
	assert_basic("BasicdTpw", DIGEST_ABSENT, "", "");
	assert_basic("Basic", DIGEST_MALFORMED, "", "");
	assert_basic("Basic ", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dTp", DIGEST_MALFORMED, "", "");
	assert_basic("Basic ====", DIGEST_MALFORMED, "", "");
	assert_basic("Basic d===", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dT=w", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dTpw dTpw", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dTpw,dTpw", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dX Bw", DIGEST_MALFORMED, "", "");
	assert_basic("Basic dXA=", DIGEST_MALFORMED, "", "");     /* no colon */
	assert_basic("Basic dTpwAA==", DIGEST_MALFORMED, "", ""); /* a NUL */
	assert_basic("Basic dTpwCg==", DIGEST_MALFORMED, "", ""); /* a line feed */
	assert_basic("Basic dTp_", DIGEST_MALFORMED, "", "");
	memset(long_header, 'A', sizeof(long_header));
	memcpy(long_header, "Basic ", 6);
	long_header[6 + 1400] = '\0';
	assert_basic(long_header, DIGEST_MALFORMED, "", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_vectors),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_nonce_age),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_basic),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
