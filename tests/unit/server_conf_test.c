/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/profile_read.h"
#include "bundler/server_conf.h"
#include "dseries/cipher.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define OLD_LINES "tls-version-min 1.0\ntls-cipher DEFAULT:@SECLEVEL=0\n"

static const struct profile_params usual = {
	.remotes = { { .host = "vpn.example.com", .port = 1194 } },
	.remote_count = 1,
	.cipher = "AES-256-CBC",
	.auth = "SHA1",
	.verb = 3,
};

static const struct server_conf_client d65 = { .model = "D65", .cipher = "AES-256-CBC", .auth = "SHA1" };

/* A server for one D65, unless changed. */
static struct server_conf_params
params_of(const struct profile_params *profile)
{
	return (struct server_conf_params){
		.profile = profile,
		.port = 1194,
		.network = "10.8.0.0/16",
		.dir = "/etc/openvpn/phones",
		.user = "nobody",
		.group = "nogroup",
		.clients = &d65,
		.client_count = 1,
	};
}

/* The whole of it, and the directives without comments and empty lines. */
static void
render_whole(const struct server_conf_params *params, struct buf *ret)
{
	struct err e = ERR_INIT;

	buf_clear(ret);
	assert_ok(server_conf_render(params, ret, &e), e);
	assert_int_equal(ret->data[ret->len - 1], '\n');
}

static void
render(const struct server_conf_params *params, struct buf *ret)
{
	struct buf out = BUF_INIT(65536);

	render_whole(params, &out);
	buf_clear(ret);
	support_shell(ret, &out, "grep -vE '^(#|$)'");
	buf_release(&out);
}

#define assert_has(out, part) assert_non_null(strstr(buf_string(out), part))
#define assert_lacks(out, part) assert_null(strstr(buf_string(out), part))

/* A server would keep the phones out: the lines that were measured with clients of 2.1.4 to 2.6, and the revocation. */
static void
usual_server(void **state)
{
	static const char expected[] = "port 1194\n"
				       "proto udp\n"
				       "dev tun\n"
				       "topology subnet\n"
				       "server 10.8.0.0 255.255.0.0 nopool\n"
				       "client-config-dir /etc/openvpn/phones/ccd\n"
				       "ifconfig-pool 10.8.254.255 10.8.255.254 255.255.0.0\n"
				       "max-clients 65533\n"
				       "ca /etc/openvpn/phones/ca.crt\n"
				       "cert /etc/openvpn/phones/server.crt\n"
				       "key /etc/openvpn/phones/server.key\n"
				       "dh none\n"
				       "remote-cert-tls client\n"
				       "crl-verify /etc/openvpn/phones/crl.pem\n" OLD_LINES
				       "ignore-unknown-option data-ciphers data-ciphers-fallback providers\n"
				       "ncp-ciphers AES-256-GCM:AES-128-GCM:AES-256-CBC\n"
				       "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305:AES-256-CBC\n"
				       "data-ciphers-fallback AES-256-CBC\n"
				       "auth SHA1\n"
				       "mssfix 1450\n"
				       "keepalive 5 30\n"
				       "explicit-exit-notify 1\n"
				       "management /etc/openvpn/phones/management/socket unix\n"
				       "verb 3\n"
				       "user nobody\n"
				       "group nogroup\n"
				       "persist-key\n"
				       "persist-tun\n";
	const struct server_conf_params params = params_of(&usual);
	struct buf out = BUF_INIT(65536);

	(void)state;
	render(&params, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* Nobody needs it, so nothing may be weaker than what OpenVPN 2.6 does by itself. */
static void
nothing_is_weakened_without_phones(void **state)
{
	static const char *const weak[] = { "SECLEVEL", "tls-cipher", "tls-cert-profile", "ciphers", "CBC", "providers",
		"legacy", "compat-mode", "auth", "comp", "1.0\n" };
	struct server_conf_params params = params_of(&usual);
	struct profile_params p = usual;
	struct buf out = BUF_INIT(65536);

	(void)state;
	params.client_count = 0;
	p.comp_lzo = true;
	p.cipher = "BF-CBC";
	params.profile = &p;
	render(&params, &out);
	assert_has(&out, "\ntls-version-min 1.2\n");
	for (size_t i = 0; i < COUNT(weak); i++)
		assert_lacks(&out, weak[i]);
	buf_release(&out);
}

/* Each weakening is for some models, and an admin who gets rid of these reads that it may go. */
static void
weakening_names_its_models(void **state)
{
	static const struct server_conf_client mixed[] = {
		{ .model = "D80", .cipher = "AES-256-CBC", .auth = "SHA1" },
		{ .model = "D65", .cipher = "BF-CBC", .auth = "SHA1", .comp_lzo = true },
		{ .model = "D60", .cipher = "AES-256-CBC", .auth = "MD5" },
		{ .model = "D65", .cipher = "AES-256-CBC", .auth = "SHA1" },
	};
	static const struct {
		const char *comment, *directive;
	} expected[] = {
		{ "# D60, D65: OpenVPN 2.3.2, ", "tls-version-min 1.0" },
		{ "# D80: what OpenVPN it has is not known; taken for one as old.\n", "tls-version-min 1.0" },
		{ "# D60, D65, D80: TLS 1.0 signs with SHA-1", "tls-cipher DEFAULT:@SECLEVEL=0" },
		{ "# D60, D65, D80: AES-256-CBC. ", "ncp-ciphers AES-256-GCM:AES-128-GCM:AES-256-CBC:BF-CBC" },
		{ "# D65: BF-CBC, which is weak", "providers legacy default" },
		{ "# D65: comp-lzo. ", "compress migrate" },
		{ "# D60, D65, D80: no comp-lzo. ", "compress migrate" },
		{ "# D60: some still have bundles with another digest", "auth SHA1" },
	};
	struct server_conf_params params = params_of(&usual);
	struct buf out = BUF_INIT(65536);

	(void)state;
	params.clients = mixed;
	params.client_count = COUNT(mixed);
	render_whole(&params, &out);
	for (size_t i = 0; i < COUNT(expected); i++) {
		const char *comment = strstr(buf_string(&out), expected[i].comment);
		const char *line = strstr(buf_string(&out), expected[i].directive);

		assert_non_null(comment);
		assert_non_null(line);
		assert_true(comment < line);
	}
	assert_has(&out, "\ndata-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305:AES-256-CBC:BF-CBC\n");
	buf_release(&out);
}

/* Framing, digest and protocol that differ from the phones' make a tunnel that carries nothing, or none at all. */
static void
follows_the_profile(void **state)
{
	static const struct server_conf_client lzo = { "D65", "AES-128-CBC", "SHA256", true };
	struct profile_params p = usual;
	struct server_conf_params params = params_of(&p);
	struct buf out = BUF_INIT(65536);

	(void)state;
	p.proto = PROFILE_TCP;
	p.auth = "sha256";
	p.cipher = "aes-128-cbc";
	params.port = 443;
	params.network = "192.168.64.0/20";
	params.clients = &lzo;
	render(&params, &out);
	assert_has(&out, "port 443\nproto tcp-server\n");
	assert_has(&out, "\nserver 192.168.64.0 255.255.240.0 nopool\n");
	assert_has(&out, "\nmax-clients 4093\n");
	assert_has(&out, "CHACHA20-POLY1305:AES-128-CBC\ndata-ciphers-fallback AES-128-CBC\n");
	/* 2.4 and 2.5 do not start with "compress migrate". */
	assert_has(&out, "\nauth SHA256\ncomp-lzo no\npush \"comp-lzo no\"\n");
	assert_lacks(&out, "\ncompress");
	/* OpenVPN refuses it with TCP. */
	assert_lacks(&out, "explicit-exit-notify");
	memcpy(p.remotes[0].host, "2001:db8::1", sizeof("2001:db8::1"));
	render(&params, &out);
	assert_has(&out, "\nproto tcp6-server\n");
	p.proto = PROFILE_UDP;
	render(&params, &out);
	assert_has(&out, "\nproto udp6\n");
	buf_release(&out);
}

/* Without its provider the server does not start; with it needlessly, it admits what nobody asked for. */
static void
legacy_provider(void **state)
{
	struct server_conf_client client = d65;
	struct buf known = BUF_INIT(1 << 20), out = BUF_INIT(65536);
	struct server_conf_params params = params_of(&usual);
	unsigned int legacy = 0;

	(void)state;
	params.clients = &client;
	support_shell(&known, NULL, "{ openssl list -cipher-algorithms -provider default | sed '1,/^Provided:/d'; }");
	for (size_t i = 0; (client.cipher = cipher_data_at(i)) != NULL; i++) {
		bool is_current = strstr(buf_string(&known), client.cipher) != NULL;
		char ciphers[128];

		render(&params, &out);
		assert_int_equal(strstr(buf_string(&out), "\nproviders legacy default\n") == NULL, is_current);
		(void)snprintf(ciphers, sizeof(ciphers), "CHACHA20-POLY1305:%s\n", client.cipher);
		assert_has(&out, ciphers);
		legacy += !is_current;
	}
	/* RC2 three times, DES, DESX, SEED, BF and CAST5. */
	assert_int_equal(legacy, 8);
	buf_release(&known);
	buf_release(&out);
}

/* OpenVPN does not start with a list of more than 124 bytes, so that its own ciphers give way to the phones'. */
static void
many_ciphers(void **state)
{
	struct server_conf_client clients[16];
	struct server_conf_params params = params_of(&usual);
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	params.clients = clients;
	params.client_count = 0;
	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		clients[i] = d65;
		clients[i].cipher = cipher_data_at(i);
		if (strstr(clients[i].cipher, "AES") != NULL || strstr(clients[i].cipher, "CAMELLIA") != NULL)
			clients[params.client_count++].cipher = cipher_data_at(i);
	}
	assert_int_equal(params.client_count, 6);
	render(&params, &out);
	/* 23 + 36 + 51 bytes; with CHACHA20-POLY1305 there would be 128. */
	assert_has(&out, "\ndata-ciphers AES-256-GCM:AES-128-GCM:AES-128-CBC:AES-192-CBC:AES-256-CBC:CAMELLIA-128-CBC:"
			 "CAMELLIA-192-CBC:CAMELLIA-256-CBC\n");
	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		clients[i] = d65;
		clients[i].cipher = cipher_data_at(i);
		params.client_count = i + 1;
	}
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "expected at most 113 bytes");
	buf_release(&out);
}

/* The revoked come back where the wrong one of the two is used; the other stands beside it as a comment. */
static void
revocation_by_serials(void **state)
{
	struct server_conf_params params = params_of(&usual);
	struct buf out = BUF_INIT(65536);

	(void)state;
	render_whole(&params, &out);
	assert_has(&out, "\ncrl-verify /etc/openvpn/phones/crl.pem\n");
	assert_has(&out, "\n# crl-verify /etc/openvpn/phones/crl dir\n");
	params.crl_dir = true;
	render_whole(&params, &out);
	assert_has(&out, "\ncrl-verify /etc/openvpn/phones/crl dir\n");
	assert_has(&out, "\n# crl-verify /etc/openvpn/phones/crl.pem\n");
	buf_release(&out);
}

/* As root it may read its key again: with persist-key it would not. */
static void
without_a_user(void **state)
{
	struct server_conf_params params = params_of(&usual);
	struct buf out = BUF_INIT(65536);

	(void)state;
	params.user = params.group = NULL;
	render(&params, &out);
	assert_lacks(&out, "\nuser ");
	assert_lacks(&out, "\ngroup ");
	assert_lacks(&out, "persist-");
	params.user = "vpn";
	render(&params, &out);
	assert_has(&out, "\nuser vpn\npersist-key\n");
	buf_release(&out);
}

/* OpenVPN reads a path with a blank as two words, and ends at a line of more than 255 bytes. */
static void
odd_folders(void **state)
{
	struct server_conf_params params = params_of(&usual);
	char dir[300] = "/";
	struct buf out = BUF_INIT(65536);
	struct err e = ERR_INIT;

	(void)state;
	params.dir = "/srv/my \"vpn\" # \\x";
	render(&params, &out);
	assert_has(&out, "\nca \"/srv/my \\\"vpn\\\" # \\\\x/ca.crt\"\n");
	assert_has(&out, "\nmanagement \"/srv/my \\\"vpn\\\" # \\\\x/management/socket\" unix\n");
	params.dir = "/";
	render(&params, &out);
	assert_has(&out, "\nca /ca.crt\n");
	params.dir = dir;
	memset(dir + 1, 'a', 200);
	render(&params, &out);
	/* sun_path has 108 bytes. */
	assert_lacks(&out, "management");
	memset(dir + 1, 'a', 260);
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "expected lines of at most 254 bytes");
	params.dir = "relative";
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "expected an absolute path");
	params.dir = "/a\nb";
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "without control characters");
	buf_release(&out);
}

/* A new model in a comment is no reason to cut every phone off for a restart. */
static void
comments_make_no_difference(void **state)
{
	static const struct server_conf_client both[] = {
		{ .model = "D65", .cipher = "AES-256-CBC", .auth = "SHA1" },
		{ .model = "D60", .cipher = "AES-256-CBC", .auth = "SHA1" },
	};
	struct server_conf_params params = params_of(&usual);
	struct buf one = BUF_INIT(65536), two = BUF_INIT(65536);

	(void)state;
	render_whole(&params, &one);
	params.clients = both;
	params.client_count = 2;
	render_whole(&params, &two);
	assert_string_not_equal(buf_string(&one), buf_string(&two));
	assert_true(server_conf_is_same(&one, &two));
	buf_add_string(&two, "\n# more\n\n");
	assert_true(server_conf_is_same(&one, &two));
	buf_add_string(&two, "verb 4\n");
	assert_false(server_conf_is_same(&one, &two));
	assert_false(server_conf_is_same(&two, &one));
	params.port = 1195;
	render_whole(&params, &two);
	assert_false(server_conf_is_same(&one, &two));
	buf_release(&one);
	buf_release(&two);
}

/* The address stands in the form that "topology subnet" has: with the network's mask. */
static void
client_file(void **state)
{
	struct buf out = BUF_INIT(1024);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(server_conf_render_client("10.8.0.0/16", 258, &out, &e), e);
	assert_string_equal(buf_string(&out), "# Made by phonevpn\nifconfig-push 10.8.1.2 255.255.0.0\n");
	assert_fails(server_conf_render_client("10.8.0.0/8", 258, &out, &e), e, ERR_INPUT, "VPN network");
	buf_release(&out);
}

/* What older bundles say decides what the server must take; what they leave out is what 2.3.2 assumes. */
static void
needs_of_a_profile(void **state)
{
	static const char sample[] = "client\ndev tun\nproto udp\nremote server.example.com 1194\n<ca>\ncipher none\n"
				     "</ca>\n";
	static const char full[] = "client\r\n# auth MD5\nproto tcp-client\ncipher  camellia-128-cbc\r\n"
				   "auth SHA256\ncomp-lzo";
	struct profile_needs n;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(profile_read_needs(sample, strlen(sample), &n, &e), e);
	assert_string_equal(n.cipher, "BF-CBC");
	assert_string_equal(n.auth, "SHA1");
	assert_int_equal(n.proto, PROFILE_UDP);
	assert_false(n.comp_lzo);
	assert_ok(profile_read_needs(full, strlen(full), &n, &e), e);
	assert_string_equal(n.cipher, "CAMELLIA-128-CBC");
	assert_string_equal(n.auth, "SHA256");
	assert_int_equal(n.proto, PROFILE_TCP);
	assert_true(n.comp_lzo);
	assert_ok(profile_read_needs("", 0, &n, &e), e);
	assert_fails(profile_read_needs("cipher AES-256-GCM", 18, &n, &e), e, ERR_INPUT, "profile: cipher");
}

/* What no phone can do must not be offered by the server either. */
static void
bad_parameters(void **state)
{
	struct profile_params p = usual;
	struct server_conf_params params = params_of(&p);
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
	params.port = 1194;
	params.network = "10.8.0.0/8";
	assert_fails(server_conf_render(&params, &out, &e), e, ERR_INPUT, "VPN network");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_server),
		cmocka_unit_test(nothing_is_weakened_without_phones),
		cmocka_unit_test(weakening_names_its_models),
		cmocka_unit_test(follows_the_profile),
		cmocka_unit_test(legacy_provider),
		cmocka_unit_test(many_ciphers),
		cmocka_unit_test(revocation_by_serials),
		cmocka_unit_test(without_a_user),
		cmocka_unit_test(odd_folders),
		cmocka_unit_test(comments_make_no_difference),
		cmocka_unit_test(client_file),
		cmocka_unit_test(needs_of_a_profile),
		cmocka_unit_test(bad_parameters),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
