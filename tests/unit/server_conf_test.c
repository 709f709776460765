/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/server_conf.h"
#include "dseries/cipher.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct profile_params usual = {
	.remotes = { { .host = "vpn.example.com", .port = 1194 } },
	.remote_count = 1,
	.cipher = "AES-256-CBC",
	.auth = "SHA1",
	.verb = 3,
};

/* The directives of the configuration, without comments and empty lines. */
static void
render(const struct profile_params *profile, unsigned int port, const char *network, struct buf *ret)
{
	const struct server_conf_params params = { .profile = profile, .port = port, .network = network };
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	assert_ok(server_conf_render(&params, &out, &e), e);
	assert_int_equal(out.data[out.len - 1], '\n');
	buf_clear(ret);
	support_shell(ret, &out, "grep -vE '^(#|$)'");
	buf_release(&out);
}

/* A server would keep the phones out: the lines that were measured with clients of 2.1.4 to 2.6, and the revocation. */
static void
usual_server(void **state)
{
	static const char expected[] = "port 1194\n"
				       "proto udp\n"
				       "dev tun\n"
				       "topology subnet\n"
				       "server 10.8.0.0 255.255.0.0\n"
				       "max-clients 65533\n"
				       "ca ca.crt\n"
				       "cert server.crt\n"
				       "key server.key\n"
				       "dh none\n"
				       "remote-cert-tls client\n"
				       "crl-verify crl.pem\n"
				       "tls-version-min 1.0\n"
				       "tls-cipher DEFAULT:@SECLEVEL=0\n"
				       "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305:AES-256-CBC\n"
				       "auth SHA1\n"
				       "keepalive 5 30\n"
				       "explicit-exit-notify 1\n"
				       "verb 3\n";
	struct buf out = BUF_INIT(65536);

	(void)state;
	render(&usual, 1194, "10.8.0.0/16", &out);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* Framing, digest and protocol that differ from the phones' make a tunnel that carries nothing, or none at all. */
static void
follows_the_profile(void **state)
{
	struct profile_params p = usual;
	struct buf out = BUF_INIT(65536);

	(void)state;
	p.proto = PROFILE_TCP;
	p.comp_lzo = true;
	p.auth = "sha256";
	p.cipher = "aes-128-cbc";
	render(&p, 443, "192.168.64.0/20", &out);
	assert_non_null(strstr(buf_string(&out), "port 443\nproto tcp-server\n"));
	assert_non_null(strstr(buf_string(&out), "\nserver 192.168.64.0 255.255.240.0\nmax-clients 4093\n"));
	assert_non_null(strstr(buf_string(&out), ":AES-256-CBC:AES-128-CBC\nauth SHA256\ncompress migrate\n"));
	/* OpenVPN refuses it with TCP. */
	assert_null(strstr(buf_string(&out), "explicit-exit-notify"));
	memcpy(p.remotes[0].host, "2001:db8::1", sizeof("2001:db8::1"));
	render(&p, 443, "192.168.64.0/20", &out);
	assert_non_null(strstr(buf_string(&out), "\nproto tcp6-server\n"));
	p.proto = PROFILE_UDP;
	render(&p, 443, "192.168.64.0/20", &out);
	assert_non_null(strstr(buf_string(&out), "\nproto udp6\n"));
	buf_release(&out);
}

/* Without its provider the server does not start; with it needlessly, it admits what nobody asked for. */
static void
legacy_provider(void **state)
{
	struct buf known = BUF_INIT(1 << 20), out = BUF_INIT(65536);
	struct profile_params p = usual;
	unsigned int legacy = 0;

	(void)state;
	support_shell(&known, NULL, "{ openssl list -cipher-algorithms -provider default | sed '1,/^Provided:/d'; }");
	for (size_t i = 0; (p.cipher = cipher_data_at(i)) != NULL; i++) {
		bool is_current = strstr(buf_string(&known), p.cipher) != NULL;
		char ciphers[128];

		render(&p, 1194, "10.8.0.0/16", &out);
		assert_int_equal(strstr(buf_string(&out), "\nproviders legacy default\n") == NULL, is_current);
		(void)snprintf(ciphers, sizeof(ciphers), ":%s\n", p.cipher);
		assert_non_null(strstr(buf_string(&out), ciphers));
		legacy += !is_current;
	}
	/* RC2 three times, DES, DESX, SEED, BF and CAST5. */
	assert_int_equal(legacy, 8);
	buf_release(&known);
	buf_release(&out);
}

/* Netmask and number of phones, by hand: all ones but the last 32 - prefix bits; 2 to their power less 3. */
static void
networks(void **state)
{
	static const struct {
		const char *network, *lines;
	} good[] = {
		{ "10.0.0.0/16", "\nserver 10.0.0.0 255.255.0.0\nmax-clients 65533\n" },
		{ "172.16.8.0/24", "\nserver 172.16.8.0 255.255.255.0\nmax-clients 253\n" },
		{ "10.8.128.0/17", "\nserver 10.8.128.0 255.255.128.0\nmax-clients 32765\n" },
		{ "192.0.2.8/29", "\nserver 192.0.2.8 255.255.255.248\nmax-clients 5\n" },
		{ "223.255.0.0/16", "\nserver 223.255.0.0 255.255.0.0\nmax-clients 65533\n" },
	};
	struct buf out = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		render(&usual, 1194, good[i].network, &out);
		assert_non_null(strstr(buf_string(&out), good[i].lines));
	}
	buf_release(&out);
}

/* OpenVPN would refuse to start, or give phones addresses that are no host's. */
static void
bad_networks(void **state)
{
	static const char *const bad[] = { "", "/", "10.8.0.0", "10.8.0.0/", "/16", "10.8.0.1/16", "10.8.1.0/16",
		"10.8.0.4/29", "10.0.0.0/8", "10.0.0.0/15", "10.8.0.0/30", "10.8.0.0/32", "10.8.0.0/0", "10.8.0.0/-16",
		"10.8.0.0/ 16", "10.8.0.0/16 ", " 10.8.0.0/16", "10.8.0.0/16/16", "10.8.0/16", "10.8/16",
		"010.8.0.0/16", "10.8.0.256/16", "10.8.0.0/255.255.0.0", "fd00::/64", "0.0.0.0/16", "127.0.0.0/16",
		"224.0.0.0/16", "255.255.0.0/16", "vpn/16", "10.8.0.0\n/16", "1000000000000000000000.0.0.0/16" };
	struct server_conf_params params = { .profile = &usual, .port = 1194 };
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		params.network = bad[i];
		assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT,
		    "VPN network: expected an IPv4 network");
	}
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* What no phone can do must not be offered by the server either. */
static void
bad_parameters(void **state)
{
	struct profile_params p = usual;
	struct server_conf_params params = { .profile = &p, .port = 1194, .network = "10.8.0.0/16" };
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	p.cipher = "AES-256-GCM";
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "cipher");
	p = usual;
	p.auth = "none";
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "auth");
	p = usual;
	params.port = 0;
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "port");
	params.port = 65536;
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "port");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* An admin would remove a line that weakens the server, not knowing that the phones need it. */
static void
weak_lines_are_explained(void **state)
{
	const struct server_conf_params params = { .profile = &usual, .port = 1194, .network = "10.8.0.0/16" };
	static const char *const weak[] = { "tls-version-min", "tls-cipher", "data-ciphers", "auth" };
	struct buf out = BUF_INIT(65536), seen = BUF_INIT(4096);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(server_conf_render(&params, &out, &e), e);
	for (size_t i = 0; i < COUNT(weak); i++) {
		buf_clear(&seen);
		support_shell(&seen, &out, "{ grep -B1 '^%s ' | head -1 | cut -c1-2; }", weak[i]);
		assert_string_equal(buf_string(&seen), "# \n");
	}
	buf_release(&out);
	buf_release(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_server),
		cmocka_unit_test(follows_the_profile),
		cmocka_unit_test(legacy_provider),
		cmocka_unit_test(networks),
		cmocka_unit_test(bad_networks),
		cmocka_unit_test(bad_parameters),
		cmocka_unit_test(weak_lines_are_explained),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
