/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/bundle.h"
#include "common/file.h"
#include "dseries/client.h"

#include <stdlib.h>
#include <string.h>

#define PROFILE "client\ndev tun\nremote vpn.example.com 1194\n"
#define BLOCK(tag) "awk '/^<\\/" tag ">$/ { exit } p { print } /^<" tag ">$/ { p = 1 }'"

/* A phone's certificate and key, made by openssl. */
struct parts {
	char *folder;
	struct buf cert, key;
};

static void
read_file(const char *folder, const char *name, struct buf *out)
{
	struct err e = ERR_INIT;
	char *path = file_path(folder, name, &e);

	assert_non_null(path);
	assert_ok(file_read(path, out, &e), e);
	free(path);
}

static int
setup(void **state)
{
	static struct parts p = { .cert = BUF_INIT(8192), .key = BUF_INIT(8192) };
	struct buf out = BUF_INIT(4096);

	p.folder = support_folder();
	support_shell(&out, NULL,
	    "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=000fd3054848 -days 2 "
	    "-outform DER -out cert.der 2>&1 && openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der",
	    p.folder);
	read_file(p.folder, "cert.der", &p.cert);
	read_file(p.folder, "key.der", &p.key);
	buf_release(&out);
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	struct parts *p = *state;

	buf_release(&p->cert);
	buf_release(&p->key);
	support_remove(p->folder);
	return 0;
}

static void
render(const struct parts *p, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_ok(bundle_render(PROFILE, strlen(PROFILE), p->cert.data, p->cert.len, p->key.data, p->key.len, out, &e),
	    e);
}

static void
assert_shell(const struct buf *input, const char *command, const char *expected)
{
	struct buf seen = BUF_INIT(65536);

	support_shell(&seen, input, "{ %s; }", command);
	assert_string_equal(buf_string(&seen), expected);
	buf_release(&seen);
}

/* A phone would get another phone's certificate, a key that does not belong to it, or PEM that it cannot read. */
static void
openssl_reads_the_blocks(void **state)
{
	const struct parts *p = *state;
	struct buf out = BUF_INIT(65536), from_cert = BUF_INIT(4096), from_key = BUF_INIT(4096);
	struct buf der = BUF_INIT(8192);

	render(p, &out);
	assert_memory_equal(buf_string(&out), PROFILE "<cert>\n-----BEGIN CERTIFICATE-----\n",
	    strlen(PROFILE "<cert>\n-----BEGIN CERTIFICATE-----\n"));
	assert_shell(&out, BLOCK("cert") " | openssl x509 -noout -subject", "subject=CN = 000fd3054848\n");
	support_shell(&from_cert, &out, "{ " BLOCK("cert") " | openssl x509 -noout -pubkey; }");
	support_shell(&from_key, &out, "{ " BLOCK("key") " | openssl pkey -pubout; }");
	assert_string_equal(buf_string(&from_cert), buf_string(&from_key));
	assert_true(from_key.len > 0);
	support_shell(&der, &out, "{ " BLOCK("cert") " | openssl x509 -outform DER; }");
	assert_int_equal(der.len, p->cert.len);
	assert_memory_equal(der.data, p->cert.data, der.len);
	buf_clear(&der);
	support_shell(&der, &out, "{ " BLOCK("key") " | openssl pkcs8 -topk8 -nocrypt -outform DER; }");
	assert_int_equal(der.len, p->key.len);
	assert_memory_equal(der.data, p->key.data, der.len);
	assert_memory_equal(buf_string(&out) + out.len - 7, "</key>\n", 7);
	buf_release(&out);
	buf_release(&from_cert);
	buf_release(&from_key);
	buf_release(&der);
}

/* OpenVPN 2.1 to 2.3.2 read tags and PEM at column 0 only, and lines of PEM no longer than OpenSSL's old reader takes. */
static void
lines_are_plain(void **state)
{
	struct buf out = BUF_INIT(65536);

	render(*state, &out);
	assert_shell(&out,
	    "sed '1,/remote/d' | grep -vE '^(</?(cert|key)>|-----(BEGIN|END) (CERTIFICATE|PRIVATE "
	    "KEY)-----|[A-Za-z0-9+/]{1,64}={0,2})$' | wc -l",
	    "0\n");
	assert_shell(&out, "grep -c '^<'", "4\n");
	assert_shell(&out, "tr -d '\\n -~' | wc -c", "0\n");
	assert_true(64 <= CLIENT_PEM_COLUMNS);
	buf_release(&out);
}

/* The phone throws a bundle away whose md5sum is not the announced one: the same parts, the same bytes, the same md5. */
static void
md5sum_agrees(void **state)
{
	struct buf out = BUF_INIT(65536), again = BUF_INIT(65536);
	char md5[BUNDLE_MD5_SIZE];
	struct err e = ERR_INIT;

	render(*state, &out);
	render(*state, &again);
	assert_int_equal(out.len, again.len);
	assert_memory_equal(out.data, again.data, out.len);
	assert_ok(bundle_md5(out.data, out.len, md5, &e), e);
	assert_shell(&out, "md5sum | cut -c1-32 | tr -d '\\n'", md5);
	/* RFC 1321 appendix A.5. */
	assert_ok(bundle_md5("", 0, md5, &e), e);
	assert_string_equal(md5, "d41d8cd98f00b204e9800998ecf8427e");
	assert_ok(bundle_md5("message digest", 14, md5, &e), e);
	assert_string_equal(md5, "f96b697d7cb7938d525a2f31aaf161d0");
	buf_release(&out);
	buf_release(&again);
}

/* A server's shortcut would serve other bytes, or announce another md5, than a bundle made from scratch. */
static void
base_gives_the_same(void **state)
{
	const struct parts *p = *state;
	struct buf out = BUF_INIT(65536), whole = BUF_INIT(65536);
	char md5[BUNDLE_MD5_SIZE], expected[BUNDLE_MD5_SIZE];
	struct err e = ERR_INIT;
	struct bundle_base *base = bundle_base_new(PROFILE, strlen(PROFILE), &e);

	assert_non_null(base);
	render(*state, &whole);
	assert_ok(bundle_md5(whole.data, whole.len, expected, &e), e);
	for (int i = 0; i < 2; i++) {
		buf_clear(&out);
		buf_add_string(&out, "before\n");
		assert_ok(bundle_base_render(base, p->cert.data, p->cert.len, p->key.data, p->key.len, &out, md5, &e),
		    e);
		assert_int_equal(out.len, whole.len + 7);
		assert_memory_equal(out.data + 7, whole.data, whole.len);
		assert_string_equal(md5, expected);
	}
	bundle_base_free(base);
	assert_null(bundle_base_new("client", 6, &e));
	buf_release(&out);
	buf_release(&whole);
}

/* Whatever else is in the buffer stays: the bundle is appended. */
static void
appended(void **state)
{
	struct buf out = BUF_INIT(65536), alone = BUF_INIT(65536);

	render(*state, &alone);
	buf_add_string(&out, "before\n");
	render(*state, &out);
	assert_int_equal(out.len, alone.len + 7);
	assert_memory_equal(out.data, "before\n", 7);
	assert_memory_equal(out.data + 7, alone.data, alone.len);
	buf_release(&out);
	buf_release(&alone);
}

/* Half a bundle, one that the phone would cut, or one with a tag behind other text would leave a phone without VPN. */
static void
bad_parts(void **state)
{
	static const unsigned char big[9000];
	const struct parts *p = *state;
	struct buf out = BUF_INIT(65536), small = BUF_INIT(1000), huge = BUF_INIT(2 * BUNDLE_MAX);
	struct err e = ERR_INIT;

	assert_fails(bundle_render("", 0, p->cert.data, p->cert.len, p->key.data, p->key.len, &out, &e), e, ERR_INPUT,
	    "profile: expected lines of text");
	assert_fails(bundle_render("client", 6, p->cert.data, p->cert.len, p->key.data, p->key.len, &out, &e), e,
	    ERR_INPUT, "profile: expected lines of text");
	assert_fails(bundle_render("client\n", 7, big, sizeof(big), p->key.data, p->key.len, &out, &e), e, ERR_INPUT,
	    "<cert>: expected at most 10000 bytes");
	assert_fails(bundle_render("client\n", 7, p->cert.data, p->cert.len, big, sizeof(big), &out, &e), e, ERR_INPUT,
	    "<key>: expected at most 10000 bytes");
	assert_int_equal(out.len, 0);
	assert_fails(bundle_render("client\n", 7, p->cert.data, p->cert.len, p->key.data, p->key.len, &small, &e), e,
	    ERR_FAILED, "bundle: expected at most 1000 bytes");
	while (huge.len < BUNDLE_MAX)
		buf_add_string(&huge, "# a comment of 32 bytes to spare\n");
	assert_fails(bundle_render(huge.data, huge.len, p->cert.data, p->cert.len, p->key.data, p->key.len, &out, &e),
	    e, ERR_FAILED, "expected at most 1048576 bytes");
	assert_int_equal(out.len, 0);
	buf_release(&out);
	buf_release(&small);
	buf_release(&huge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads_the_blocks),
		cmocka_unit_test(base_gives_the_same),
		cmocka_unit_test(lines_are_plain),
		cmocka_unit_test(md5sum_agrees),
		cmocka_unit_test(appended),
		cmocka_unit_test(bad_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
