/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/profile.h"
#include "common/file.h"
#include "dseries/cipher.h"
#include "dseries/client.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct profile_params usual = {
	.remotes = { { .host = "vpn.example.com", .port = 1194 } },
	.remote_count = 1,
	.cipher = "AES-256-CBC",
	.auth = "SHA1",
	.verb = 3,
};

static void
render(const struct profile_params *p, const struct profile_ca *cas, size_t count, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_ok(profile_render(p, cas, count, out, &e), e);
}

/* Phones would lose what the vendor's sample says, or what a client of 2.3.2 needs beside it. */
static void
usual_profile(void **state)
{
	static const char expected[] =
	    "# Made by phonevpn. The phone compares the md5 of this file: do not change it by hand.\n"
	    "client\n"
	    "dev tun\n"
	    "proto udp\n"
	    "remote vpn.example.com 1194\n"
	    "resolv-retry infinite\n"
	    "nobind\n"
	    "remote-cert-tls server\n"
	    "cipher AES-256-CBC\n"
	    "auth SHA1\n"
	    "auth-retry nointeract\n"
	    "verb 3\n";
	struct buf out = BUF_INIT(65536);

	(void)state;
	render(&usual, NULL, 0, &out);
	assert_string_equal(buf_string(&out), expected);
	/* Appended, and the same again. */
	render(&usual, NULL, 0, &out);
	assert_int_equal(out.len, 2 * strlen(expected));
	assert_string_equal(buf_string(&out) + strlen(expected), expected);
	buf_release(&out);
}

/* A phone would not reach a second server, or a server over TCP or IPv6, or not understand what it sends. */
static void
other_choices(void **state)
{
	const struct profile_params p = {
		.remotes = { { "b.example.com", 443 }, { "192.0.2.7", 1 }, { "2001:db8::7", 65535 } },
		.remote_count = 3,
		.proto = PROFILE_TCP,
		.server_check = PROFILE_NS_CERT_TYPE,
		.cipher = "camellia-128-cbc",
		.auth = "sha512",
		.comp_lzo = true,
		.verb = 11,
	};
	struct profile_params udp = p;
	struct buf out = BUF_INIT(65536);

	(void)state;
	render(&p, NULL, 0, &out);
	assert_non_null(strstr(buf_string(&out), "proto tcp-client\n"
						 "remote b.example.com 443\n"
						 "remote 192.0.2.7 1\n"
						 "remote 2001:db8::7 65535 tcp6-client\n"
						 "resolv-retry infinite\n"
						 "nobind\n"
						 "ns-cert-type server\n"
						 "cipher CAMELLIA-128-CBC\n"
						 "auth SHA512\n"
						 "auth-retry nointeract\n"
						 "comp-lzo\n"
						 "verb 11\n"));
	buf_clear(&out);
	udp.proto = PROFILE_UDP;
	render(&udp, NULL, 0, &out);
	assert_non_null(strstr(buf_string(&out), "remote 2001:db8::7 65535 udp6\n"));
	buf_release(&out);
}

/* One directive that the phone's OpenVPN does not know ends it; so does a byte order mark, or CR alone. */
static void
every_line_is_known_to_the_phone(void **state)
{
	struct profile_params p = usual;
	struct buf out = BUF_INIT(65536);
	char *rest, *line;

	(void)state;
	p.comp_lzo = true;
	render(&p, NULL, 0, &out);
	p.server_check = PROFILE_NS_CERT_TYPE;
	p.proto = PROFILE_TCP;
	render(&p, NULL, 0, &out);
	assert_int_equal(strspn(buf_string(&out),
			     "\n !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
			     "abcdefghijklmnopqrstuvwxyz{|}~"),
	    out.len);
	assert_int_equal(out.data[out.len - 1], '\n');
	rest = (char *)out.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		const struct client_directive *d;
		unsigned int arguments = 0;
		char *word = strsep(&line, " ");

		if (word[0] == '\0' || word[0] == '#')
			continue;
		while (strsep(&line, " ") != NULL)
			arguments++;
		d = client_directive_find(word);
		assert_non_null(d);
		assert_int_equal(d->kind, CLIENT_TAKES);
		assert_in_range(arguments, d->min_arguments, d->max_arguments);
	}
	buf_release(&out);
}

/* A CA certificate of its own subject, as DER. */
static void
ca_make(const char *folder, const char *subject, const char *key, struct buf *der)
{
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;
	char *path;

	support_shell(&out, NULL,
	    "openssl req -x509 -newkey %s -nodes -keyout /dev/null -subj '%s' -days 2 -outform DER -out %s/ca.der "
	    "2>&1",
	    key, subject, folder);
	path = file_path(folder, "ca.der", &e);
	assert_non_null(path);
	assert_ok(file_read(path, der, &e), e);
	free(path);
	buf_release(&out);
}

/* The second of two <ca> blocks replaces the first: a phone in the middle of a rotation would lose a CA. */
static void
all_cas_in_one_block(void **state)
{
	struct buf old = BUF_INIT(8192), new = BUF_INIT(8192), out = BUF_INIT(65536), seen = BUF_INIT(65536);
	char *folder = support_folder();
	struct profile_ca cas[2];

	(void)state;
	ca_make(folder, "/CN=Old CA", "ec -pkeyopt ec_paramgen_curve:P-256", &old);
	ca_make(folder, "/CN=New CA", "rsa:2048", &new);
	cas[0] = (struct profile_ca){ old.data, old.len };
	cas[1] = (struct profile_ca){ new.data, new.len };
	render(&usual, cas, 2, &out);
	support_shell(&seen, &out, "grep -cE '^</?ca>$'");
	assert_string_equal(buf_string(&seen), "2\n");
	buf_clear(&seen);
	support_shell(&seen, &out,
	    "{ awk '/^<\\/ca>$/ { exit } p { print } /^<ca>$/ { p = 1 }' | openssl crl2pkcs7 -nocrl -certfile /dev/stdin "
	    "| openssl pkcs7 -print_certs -noout | grep ^subject; }");
	assert_string_equal(buf_string(&seen), "subject=CN = Old CA\nsubject=CN = New CA\n");
	buf_clear(&seen);
	/* Bare PEM at column 0, nothing between. */
	support_shell(&seen, &out,
	    "{ awk '/^<\\/ca>$/ { exit } p { print } /^<ca>$/ { p = 1 }' | grep -cvE '^(-----(BEGIN|END) "
	    "CERTIFICATE-----|[A-Za-z0-9+/]{1,64}={0,2})$' || true; }");
	assert_string_equal(buf_string(&seen), "0\n");
	assert_memory_equal(buf_string(&out) + out.len - 6, "</ca>\n", 6);
	buf_release(&old);
	buf_release(&new);
	buf_release(&out);
	buf_release(&seen);
	support_remove(folder);
}

/* Eight plain certificates load in the old client; a ninth would be cut without a word, so that it must be refused. */
static void
eight_certificates_fit(void **state)
{
	struct buf der = BUF_INIT(8192), out = BUF_INIT(65536);
	char *folder = support_folder();
	struct profile_ca cas[10];
	struct err e = ERR_INIT;

	(void)state;
	ca_make(folder, "/O=Lab/CN=Lab CA", "rsa:2048", &der);
	for (size_t i = 0; i < COUNT(cas); i++)
		cas[i] = (struct profile_ca){ der.data, der.len };
	render(&usual, cas, 8, &out);
	buf_clear(&out);
	assert_fails(profile_render(&usual, cas, 10, &out, &e), e, ERR_INPUT, "<ca>: expected at most 10000 bytes");
	assert_int_equal(out.len, 0);
	buf_release(&der);
	buf_release(&out);
	support_remove(folder);
}

/*
 * The limit itself. A block of PEM has 54 bytes of frame, 65 a line of 48 bytes, and a last line of 4 a begun 3 bytes
 * and 1: three of 50 * 48 + 3, 50 * 48 + 3 and 51 * 48 + 9 bytes have 3309 + 3309 + 3382 = 10000.
 */
static void
block_limit(void **state)
{
	static const unsigned char bytes[51 * 48 + 12];
	struct profile_ca cas[] = { { bytes, 50 * 48 + 3 }, { bytes, 50 * 48 + 3 }, { bytes, 51 * 48 + 9 } };
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	render(&usual, cas, 3, &out);
	assert_int_equal(strstr(buf_string(&out), "</ca>") - strstr(buf_string(&out), "<ca>\n") - 5, 10000);
	buf_clear(&out);
	cas[2].len += 3;
	assert_fails(profile_render(&usual, cas, 3, &out, &e), e, ERR_INPUT, "found 10004");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static const char *
name_of(size_t len, char name[256])
{
	memset(name, 'a', len);
	for (size_t i = 50; i < len - 1; i += 50)
		name[i] = '.';
	name[len] = '\0';
	return name;
}

/* The old client cuts a line behind 255 bytes: a phone would call another server, or none. */
static void
line_limit(void **state)
{
	struct profile_params p = usual;
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	p.remotes[0].port = 65535;
	/* "remote " and " 65535" have 13 bytes. */
	(void)name_of(242, p.remotes[0].host);
	render(&p, NULL, 0, &out);
	assert_non_null(strstr(buf_string(&out), p.remotes[0].host));
	buf_clear(&out);
	(void)name_of(243, p.remotes[0].host);
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "expected at most 255 bytes, found 256");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* A profile that no phone can use would be minted for the whole fleet. */
static void
bad_parameters(void **state)
{
	struct profile_params p = usual;
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	p.cipher = "AES-256-GCM";
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "cipher: expected");
	p.cipher = "AES-256-CBC\nup /bin/sh";
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "cipher: expected");
	p.cipher = "";
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "cipher: expected");
	p = usual;
	p.auth = "SHA-1";
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "auth: expected");
	p.auth = "none";
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "auth: expected");
	p = usual;
	p.verb = 12;
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "verb: expected 0 to 11");
	p = usual;
	p.remotes[0].port = 0;
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "port of remote vpn.example.com");
	p.remotes[0].port = 65536;
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "port of remote vpn.example.com");
	p = usual;
	memcpy(p.remotes[0].host, "a b", 4);
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "remote: expected a host name");
	p.remote_count = 0;
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "remotes: expected 1 to 16");
	p.remote_count = 17;
	assert_fails(profile_render(&p, NULL, 0, &out, &e), e, ERR_INPUT, "remotes: expected 1 to 16");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* A host that a phone cannot resolve, or one that smuggles a directive in, would be written into every bundle. */
static void
hosts(void **state)
{
	static const char *const good[] = { "vpn.example.com", "localhost", "a", "A-1.b", "1a.example", "3com.com",
		"0a", "xn--bcher-kva.example", "192.0.2.1", "255.255.255.255", "::1", "2001:db8::1", "::ffff:192.0.2.1",
		"fe80::1" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a b", "a\tb",
		"a\nb", "a#b", "a;b", "\"a\"", "'a'", "a\\b", "a/b", "a:1194", "[::1]", "[::1]:1194", "192.0.2.1:1194",
		"::1%eth0", "192.0.2", "192.0.2.256", "192.0.2.1.5", "1", "0x7f000001.1", "b\xc3\xbc\x63her.example",
		"vpn.example.123", "2001:db8::g", "a\x7f" };
	char name[256];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_ok(profile_check_host(good[i], "vpn-host", &e), e);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_fails(profile_check_host(bad[i], "vpn-host", &e), e, ERR_INPUT,
		    "vpn-host: expected a host name");
	/* RFC 1035 section 2.3.4: labels of 63 bytes and names of 253 (255 with the lengths). */
	assert_ok(profile_check_host(name_of(253, name), "vpn-host", &e), e);
	assert_fails(profile_check_host(name_of(254, name), "vpn-host", &e), e, ERR_INPUT, "at most 253");
	memset(name, 'a', 64);
	name[64] = '\0';
	assert_fails(profile_check_host(name, "vpn-host", &e), e, ERR_INPUT, "vpn-host");
	assert_ok(profile_check_host(name + 1, "vpn-host", &e), e);
	assert_true(profile_host_is_ipv6("::1"));
	assert_false(profile_host_is_ipv6("192.0.2.1"));
	assert_false(profile_host_is_ipv6("vpn.example.com"));
}

/* "aes-256-cbc" on the command line is the phone's AES-256-CBC. */
static void
words(void **state)
{
	enum profile_server_check check;
	enum profile_proto proto;
	struct err e = ERR_INIT;
	const char *word;

	(void)state;
	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		assert_ok(profile_parse_cipher(cipher_data_at(i), &word, &e), e);
		assert_string_equal(word, cipher_data_at(i));
	}
	assert_ok(profile_parse_cipher("bf-cbc", &word, &e), e);
	assert_string_equal(word, "BF-CBC");
	assert_ok(profile_parse_auth("sHa256", &word, &e), e);
	assert_string_equal(word, "SHA256");
	assert_fails(profile_parse_auth("SHA9", &word, &e), e, ERR_INPUT, "found \"SHA9\"");
	assert_ok(profile_parse_proto("udp", &proto, &e), e);
	assert_int_equal(proto, PROFILE_UDP);
	assert_ok(profile_parse_proto("tcp", &proto, &e), e);
	assert_int_equal(proto, PROFILE_TCP);
	assert_fails(profile_parse_proto("tcp-client", &proto, &e), e, ERR_INPUT, "expected udp or tcp");
	assert_fails(profile_parse_proto("UDP", &proto, &e), e, ERR_INPUT, "expected udp or tcp");
	assert_ok(profile_parse_server_check("remote-cert-tls", &check, &e), e);
	assert_int_equal(check, PROFILE_REMOTE_CERT_TLS);
	assert_ok(profile_parse_server_check("ns-cert-type", &check, &e), e);
	assert_int_equal(check, PROFILE_NS_CERT_TYPE);
	assert_fails(profile_parse_server_check("", &check, &e), e, ERR_INPUT, "remote-cert-tls or ns-cert-type");
}

/* Two profiles of one name would be taken for one. */
static void
hash_is_sha256(void **state)
{
	struct buf text = BUF_INIT(65536), seen = BUF_INIT(256);
	char hash[PROFILE_HASH_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	render(&usual, NULL, 0, &text);
	assert_ok(profile_hash(text.data, text.len, hash, &e), e);
	support_shell(&seen, &text, "{ sha256sum | cut -c1-64 | tr -d '\\n'; }");
	assert_string_equal(hash, buf_string(&seen));
	/* FIPS 180-2, appendix B.1. */
	assert_ok(profile_hash("abc", 3, hash, &e), e);
	assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	buf_release(&text);
	buf_release(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_profile),
		cmocka_unit_test(other_choices),
		cmocka_unit_test(every_line_is_known_to_the_phone),
		cmocka_unit_test(all_cas_in_one_block),
		cmocka_unit_test(eight_certificates_fit),
		cmocka_unit_test(block_limit),
		cmocka_unit_test(line_limit),
		cmocka_unit_test(bad_parameters),
		cmocka_unit_test(hosts),
		cmocka_unit_test(words),
		cmocka_unit_test(hash_is_sha256),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
