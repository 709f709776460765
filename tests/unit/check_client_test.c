/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/check_client.h"

#include <string.h>

/* What the phone's side says: defaults and readings of OpenVPN 2.3.2, as its source has them (options.c). */

static struct config config;
static struct client_side side;

/* Read a bundle; certificates are openssl's. */
static void
read_side(const char *text)
{
	struct err e = ERR_INIT;

	client_side_release(&side);
	config_release(&config);
	assert_ok(config_read(text, strlen(text), &config, &e), e);
	assert_ok(client_side_read(&config, &side, &e), e);
}

static int
clean(void **state)
{
	(void)state;
	client_side_release(&side);
	config_release(&config);
	side = (struct client_side){ 0 };
	return 0;
}

/* The server would be judged against another cipher than the phone uses: BF-CBC and SHA1 where the file names none. */
static void
defaults_of_2_3_2(void **state)
{
	(void)state;
	read_side("client\ndev tun\nremote vpn.example.com\n");
	assert_string_equal(side.cipher, "BF-CBC");
	assert_string_equal(side.auth, "SHA1");
	assert_false(side.tap || side.framing || side.compresses || side.tls_auth || side.fragment ||
		     side.ns_cert_type);
	assert_int_equal(side.remote_count, 1);
	assert_string_equal(side.remote[0].host, "vpn.example.com");
	assert_int_equal(side.remote[0].port, 1194);
	assert_false(side.remote[0].tcp || side.remote[0].ipv6);
	assert_int_equal(side.key_direction, -1);
	assert_int_equal(side.key_usage[0], 0);
	assert_null(side.purpose);
	assert_null(side.cert);
}

/* The vendor page's sample. */
static void
vendor_sample(void **state)
{
	(void)state;
	read_side("client\ndev tun\nproto udp\nremote server.example.com 1194\nresolv-retry infinite\nnobind\n"
		  "ns-cert-type server\nverb 3\n");
	assert_true(side.ns_cert_type);
	assert_string_equal(side.cipher, "BF-CBC");
	assert_int_equal(side.remote[0].port, 1194);
}

/* A phone with several servers is judged by each of them, whatever stands where. */
static void
remotes(void **state)
{
	(void)state;
	read_side("remote one.example.com\nremote 192.0.2.1 443 tcp-client\nport 1200\nproto udp6\nremote bad x\n");
	assert_int_equal(side.remote_count, 3);
	assert_int_equal(side.remote[0].port, 1200);
	assert_true(side.remote[0].ipv6 && !side.remote[0].tcp);
	assert_int_equal(side.remote[1].port, 443);
	assert_true(side.remote[1].tcp && !side.remote[1].ipv6);
	assert_int_equal(side.remote[2].port, 0);
	read_side(
	    "proto tcp-client\nremote outside 1\n<connection>\nremote a 443\n</connection>\n<connection>\nproto udp\n"
	    "remote b\n</connection>\n");
	assert_int_equal(side.remote_count, 2);
	assert_string_equal(side.remote[0].host, "a");
	assert_true(side.remote[0].tcp);
	assert_string_equal(side.remote[1].host, "b");
	assert_false(side.remote[1].tcp);
	assert_int_equal(side.remote[1].port, 1194);
}

/* comp-lzo with whatever argument changes the framing; "no" only stops the compressing. */
static void
compression(void **state)
{
	(void)state;
	read_side("comp-lzo\n");
	assert_true(side.framing && side.compresses);
	read_side("comp-lzo adaptive\n");
	assert_true(side.framing && side.compresses);
	read_side("comp-lzo no\n");
	assert_true(side.framing && !side.compresses);
}

/* remote-cert-tls stands for two usages and a purpose; remote-cert-ku overwrites the first and leaves the second. */
static void
usages(void **state)
{
	(void)state;
	read_side("remote-cert-tls server\n");
	assert_int_equal(side.key_usage[0], 0xa0);
	assert_int_equal(side.key_usage[1], 0x88);
	assert_string_equal(side.purpose, "TLS Web Server Authentication");
	read_side("remote-cert-tls server\nremote-cert-ku 80\nremote-cert-eku 1.3.6.1.5.5.7.3.1\n");
	assert_int_equal(side.key_usage[0], 0x80);
	assert_int_equal(side.key_usage[1], 0x88);
	assert_string_equal(side.purpose, "1.3.6.1.5.5.7.3.1");
	read_side("remote-cert-ku 80\nremote-cert-tls server\n");
	assert_int_equal(side.key_usage[0], 0xa0);
}

static void
names(void **state)
{
	(void)state;
	read_side("verify-x509-name CN=vpn\n");
	assert_int_equal(side.name_kind, CLIENT_NAME_SUBJECT);
	read_side("verify-x509-name vpn name\n");
	assert_int_equal(side.name_kind, CLIENT_NAME_COMMON);
	read_side("verify-x509-name vp name-prefix\n");
	assert_int_equal(side.name_kind, CLIENT_NAME_PREFIX);
	assert_string_equal(side.name, "vp");
	read_side("tls-remote vpn\n");
	assert_int_equal(side.name_kind, CLIENT_NAME_TLS_REMOTE);
}

#define STATIC_KEY_LINES(digit) \
	digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit "\n"
#define STATIC_KEY_4(line) line line line line
#define STATIC_KEY(digit)                                       \
	"-----BEGIN OpenVPN Static key V1-----\n" STATIC_KEY_4( \
	    STATIC_KEY_4(STATIC_KEY_LINES(digit))) "-----END OpenVPN Static key V1-----\n"

/* The key and its direction, before the block, behind it, or in the directive. */
static void
tls_auth(void **state)
{
	unsigned char key[CLIENT_STATIC_KEY_SIZE];

	(void)state;
	read_side(
	    "key-direction 1\n<tls-auth>\n#\n# 2048 bit OpenVPN static key\n#\n" STATIC_KEY("a7") "</tls-auth>\n");
	assert_true(side.tls_auth && side.has_tls_auth_key);
	assert_int_equal(side.key_direction, 1);
	assert_int_equal(side.tls_auth_key[0], 0xa7);
	assert_int_equal(side.tls_auth_key[255], 0xa7);
	read_side("<tls-auth>\n" STATIC_KEY("00") "</tls-auth>\ntls-auth [inline] 0\n");
	assert_true(side.tls_auth && side.has_tls_auth_key);
	assert_int_equal(side.key_direction, 0);
	read_side("<tls-auth>\nnothing\n</tls-auth>\n");
	assert_true(side.tls_auth && !side.has_tls_auth_key);
	assert_false(client_static_key("-----BEGIN OpenVPN Static key V1-----\n00\n-----END", key));
	assert_false(client_static_key("", key));
}

/* What the client reads alike is no difference: byte order mark, carriage returns, comments, "--", no last newline. */
static void
forms(void **state)
{
	(void)state;
	read_side("\xef\xbb\xbf"
		  "client\r\n# cipher X\r\n--cipher AES-128-CBC # best\r\n; auth Y\r\nauth \"SHA256\"");
	assert_string_equal(side.cipher, "AES-128-CBC");
	assert_string_equal(side.auth, "SHA256");
}

/* The last <ca> replaces the others, on every version; two certificates in one count both. */
static void
certificates(void **state)
{
	struct buf cert = BUF_INIT(65536), text = BUF_INIT(1 << 18);

	(void)state;
	support_shell(&cert, NULL,
	    "{ openssl req -x509 -newkey rsa:2048 -nodes -keyout - -subj /CN=one 2>/dev/null | openssl x509; }");
	buf_addf(&text, "<ca>\n%s%s</ca>\n<ca>\ntext before\n%s</ca>\n<cert>\n%s%s</cert>\n", buf_string(&cert),
	    buf_string(&cert), buf_string(&cert), buf_string(&cert), buf_string(&cert));
	read_side(buf_string(&text));
	assert_int_equal(sk_X509_num(side.cas), 1);
	assert_non_null(side.cert);
	assert_int_equal(sk_X509_num(side.chain), 1);
	buf_release(&cert);
	buf_release(&text);
}

static void
broken_certificate(void **state)
{
	static const char text[] = "<ca>\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n</ca>\n";
	struct err e = ERR_INIT;

	(void)state;
	client_side_release(&side);
	config_release(&config);
	assert_ok(config_read(text, strlen(text), &config, &e), e);
	assert_fails(client_side_read(&config, &side, &e), e, ERR_INTEGRITY, "<ca>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(defaults_of_2_3_2, clean),
		cmocka_unit_test_teardown(vendor_sample, clean),
		cmocka_unit_test_teardown(remotes, clean),
		cmocka_unit_test_teardown(compression, clean),
		cmocka_unit_test_teardown(usages, clean),
		cmocka_unit_test_teardown(names, clean),
		cmocka_unit_test_teardown(tls_auth, clean),
		cmocka_unit_test_teardown(forms, clean),
		cmocka_unit_test_teardown(certificates, clean),
		cmocka_unit_test_teardown(broken_certificate, clean),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
