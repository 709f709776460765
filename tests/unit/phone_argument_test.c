/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/ovpn.h"

#include <stdio.h>
#include <string.h>

#define BLOCK(name, what) "<" name ">\n-----BEGIN " what "-----\nTUlJ\n-----END " what "-----\n</" name ">\n"
#define BLOCKS BLOCK("ca", "CERTIFICATE") BLOCK("cert", "CERTIFICATE") BLOCK("key", "PRIVATE KEY")
#define STATIC_KEY \
	"<tls-auth>\n-----BEGIN OpenVPN Static key V1-----\n%s-----END OpenVPN Static key V1-----\n</tls-auth>\n"
#define HEX "00112233445566778899aabbccddeeff\n"
#define HEX4 HEX HEX HEX HEX

/*
 * Lines of a client's configuration, and whether OpenVPN 2.3.2, built with OpenSSL 1.0.1u, gets as far as its socket with
 * them. Each was run, but where it ends later: "keysize" by its --test-crypto, "dev" by open_tun_generic() in its tun.c.
 */
static const struct {
	const char *lines;
	const char *says; /* NULL: it does */
} cases[] = {
	{ "auth SHA1", NULL },
	{ "auth sha512", NULL },
	{ "auth RSA-SHA256", NULL },
	{ "auth whirlpool", NULL },
	{ "auth SHA-1", "auth: expected the name of a digest" },
	{ "auth Sha1", "auth: expected" },
	{ "auth Whirlpool", "auth: expected" },
	{ "auth SHA2-256", "auth: expected" },
	{ "auth SHA3-256", "auth: expected" },
	{ "auth SHA512-256", "auth: expected" },
	{ "prng SHA1 16", NULL },
	{ "prng none 64", NULL },
	{ "prng SHA1 8", "prng: expected 16 to 64" },
	{ "prng x", "prng: expected the name" },
	{ "cipher aes-256-cbc", NULL },
	{ "cipher Aes-256-Cbc", "cipher: expected" },
	{ "cipher AES-256-CBC\nkeysize 256", NULL },
	{ "cipher AES-256-CBC\nkeysize 0", NULL },
	{ "cipher AES-256-CBC\nkeysize 128", "keysize: expected 256 bits" },
	{ "keysize 128\ncipher AES-256-CBC", "keysize: expected 256 bits" },
	{ "cipher AES-128-CBC\nkeysize 128", NULL },
	{ "cipher BF-CBC\nkeysize 256", NULL },
	{ "cipher CAST5-CBC\nkeysize 64", NULL },
	{ "cipher RC2-CBC\nkeysize 256", NULL },
	{ "cipher DES-EDE3-CBC\nkeysize 128", "keysize: expected 192 bits" },
	{ "cipher SEED-CBC\nkeysize 192", "keysize: expected 128 bits" },
	{ "cipher none\nkeysize 128", NULL },
	{ "keysize 1000", "keysize: expected at most 512" },
	{ "redirect-gateway local autolocal def1 bypass-dhcp bypass-dns block-local", NULL },
	{ "redirect-gateway def1 ipv6", "redirect-gateway: expected local" },
	{ "redirect-gateway !ipv4", "redirect-gateway: expected" },
	{ "redirect-private ipv6", "redirect-private: expected" },
	{ "socket-flags TCP_NODELAY", NULL },
	{ "socket-flags TCP_NODELAY x", "socket-flags: expected" },
	{ "keepalive 5 30", NULL },
	{ "keepalive 0 0", NULL },
	{ "keepalive 15 30", NULL },
	{ "keepalive 30 5", "keepalive: expected two numbers" },
	{ "keepalive 0 30", "keepalive: expected" },
	{ "keepalive 5 30\nping 5", "expected not both of keepalive and ping" },
	{ "ping-exit 5\nkeepalive 5 30", "expected not both" },
	{ "keepalive 5 30\nping 0", NULL },
	{ "keepalive 5 30\nkeepalive 0 0\nping 5", NULL },
	{ "key-method 2", NULL },
	{ "key-method 1", "key-method: expected 2" },
	{ "key-method 3", "key-method: expected 1 or 2" },
	{ "key-method 1\nkey-method 2", NULL },
	{ "max-routes 5\nredirect-gateway", NULL },
	{ "redirect-gateway\nmax-routes 5", "max-routes: expected before" },
	{ "max-routes 1\nroute 10.0.0.0\nroute 10.1.0.0", "route: expected no more" },
	{ "max-routes 1\nroute 10.0.0.0\nroute-ipv6 fd00::/64", NULL },
	{ "max-routes -1", "max-routes: expected" },
	{ "tun-mtu 100", NULL },
	{ "tun-mtu 99", "tun-mtu: expected 100" },
	{ "link-mtu 99", "link-mtu: expected 100" },
	{ "udp-mtu 1000000", "udp-mtu: expected" },
	{ "mtu-disc maybe", NULL },
	{ "mtu-disc 1", "mtu-disc: expected" },
	{ "shaper 99", "shaper: expected 100" },
	{ "shaper 100", NULL },
	{ "replay-window 65536 600", NULL },
	{ "replay-window 65537", "replay-window: expected" },
	{ "replay-window 64 601", "replay-window: expected 0 to 600" },
	{ "bcast-buffers 0", "bcast-buffers: expected" },
	{ "tcp-queue-limit x", "tcp-queue-limit: expected" },
	{ "max-clients -1", "max-clients: expected" },
	{ "status-version 4", "status-version: expected 1 to 3" },
	{ "remap-usr1 SIGUSR2", "remap-usr1: expected" },
	{ "ifconfig 10.0.0.1 10.0.0.2", NULL },
	{ "ifconfig 10.0.0.1 10.0.0.1", "ifconfig: expected two addresses that differ" },
	{ "ifconfig 10.0.0 10.0.0.2", "ifconfig: expected an IPv4 address" },
	{ "ifconfig-ipv6 fd00::1/64 fd00::2", NULL },
	{ "ifconfig-ipv6 fd00::1 fd00::2", NULL },
	{ "ifconfig-ipv6 fd00::1/48 fd00::2", "ifconfig-ipv6: expected" },
	{ "ifconfig-ipv6 fd00::1/64 10.0.0.1", "ifconfig-ipv6: expected an IPv6 address" },
	{ "route-gateway vpn_gateway", NULL },
	{ "route-gateway host", "route-gateway: expected" },
	{ "allow-pull-fqdn\nroute-gateway host", NULL },
	{ "client-nat dnat 10.0.0.0 255.0.0.0 192.0.2.0", NULL },
	{ "client-nat nat 10.0.0.0 255.0.0.0 192.0.2.0", "client-nat: expected snat or dnat" },
	{ "client-nat snat x 255.0.0.0 192.0.2.0", "client-nat: expected an IPv4 address" },
	{ "dev tap\nlladdr 00:0f:d3:05:48:48", NULL },
	{ "lladdr 00:0f:d3:05:48:48", "lladdr: expected with dev tap" },
	{ "lladdr 000f.d305.4848", "lladdr: expected" },
	{ "verify-x509-name vpn name-prefix", NULL },
	{ "verify-x509-name vpn common", "verify-x509-name: expected subject" },
	{ "verify-hash 00:11", "verify-hash: expected 20 bytes" },
	{ "x509-track +CN", NULL },
	{ "x509-track nosuch", "x509-track: expected" },
	{ "lport 0", NULL },
	{ "socks-proxy 127.0.0.1 0", "socks-proxy: port: expected" },
	{ "dev tap", NULL },
	{ "dev vpn", "dev: expected tun or tap" },
	{ "dev vpn\ndev-type tun", NULL },
	{ "dev-type tun0", "dev-type: expected" },
	{ "remote-random-hostname", "remote: expected a name with remote-random-hostname" },
	{ "setenv REMOTE_RANDOM_HOSTNAME", "remote: expected a name" },
	{ "local 127.0.0.1", NULL },
	{ "local ::1", "local: expected an IPv4 address with proto udp" },
	{ "local ::1\nlocal 127.0.0.1", NULL },
};

/* Places to connect to, and whether 2.3.2 can reach one of them. */
static const struct {
	const char *lines;
	const char *says;
} places[] = {
	{ "proto udp\nremote 127.0.0.1 9", NULL },
	{ "proto udp\nremote ::1 9", "line 4: remote: expected an IPv4 address with proto udp" },
	{ "remote ::1 9", "remote: expected an IPv4 address with proto udp" },
	{ "remote ::1 9\nproto udp6", NULL },
	{ "proto udp6\nremote 127.0.0.1 9", "remote: expected an IPv6 address with proto udp6" },
	{ "proto tcp\nremote ::1 9", "remote: expected an IPv4 address with proto tcp-client" },
	{ "proto tcp6\nremote ::1 9", NULL },
	{ "remote ::1 9 udp6", NULL },
	{ "remote 127.0.0.1 9 tcp6", "remote: expected an IPv6 address with proto tcp6-client" },
	{ "remote ::1 9\nremote 127.0.0.1 9", NULL },
	{ "remote ::1 9\nremote ::2 9", "line 3: remote: expected" },
	{ "<connection>\nremote ::1 9\n</connection>", "line 3: remote: expected" },
	{ "<connection>\nremote ::1 9 udp6\n</connection>", NULL },
	{ "<connection>\nremote ::1 9\n</connection>\nremote 127.0.0.1 9", "line 3: remote: expected" },
	{ "proto tcp\nhttp-proxy 127.0.0.1 9\nremote ::1 9", NULL },
	{ "remote ::1 9\nremote 127.0.0.1 9 tcp\nproto-force udp", "line 3: remote: expected" },
};

static void
assert_verdict(const char *head, const char *lines, const char *says)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn o;
	int rc;

	buf_addf(&file, "client\ndev tun\n%s%s\n%s", head, lines, BLOCKS);
	rc = ovpn_read(file.data, file.len, model_find("D65"), &o, &e);
	buf_release(&file);
	if (rc == 0)
		ovpn_release(&o);
	if (rc == 0 ? says != NULL : says == NULL || strstr(e.text, says) == NULL)
		fail_msg("%s: expected %s, found %s", lines, says != NULL ? says : "it taken",
		    rc == 0 ? "it taken" : e.text);
}

/* What the phone's client ends at must not pass as good; what it takes must not be reported as bad. */
static void
test_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_verdict("remote 127.0.0.1 9\n", cases[i].lines, cases[i].says);
}

/* A phone whose only server has an address of the other family looks for it for ever. */
static void
test_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		assert_verdict("", places[i].lines, places[i].says);
}

static void
test_routes(void **state)
{
	struct buf lines = BUF_INIT(1 << 16);

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_addf(&lines, "route 10.%d.0.0\n", i);
	assert_verdict("remote 127.0.0.1 9\n", buf_string(&lines), NULL);
	buf_add_string(&lines, "route 10.200.0.0\n");
	assert_verdict("remote 127.0.0.1 9\n", buf_string(&lines), "route: expected no more");
	buf_release(&lines);
}

/* "INLINE tls-auth file lacks the requisite 2 keys", "Non-Hex character", "Footer text not found". */
static void
test_static_key(void **state)
{
	static const struct {
		const char *hex, *says;
	} keys[] = {
		{ HEX4 HEX4 HEX4 HEX4, NULL },
		{ HEX4 HEX4 HEX4 HEX4 HEX, NULL },
		{ HEX4 HEX4 HEX4 HEX HEX HEX, "expected a static key of 256 bytes, found 240" },
		{ "", "found 0" },
		{ HEX4 "# comment\n" HEX4 HEX4 HEX4, "expected a static key in hex" },
	};
	char block[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(block, sizeof(block), STATIC_KEY, keys[i].hex);
		assert_verdict("remote 127.0.0.1 9\n", block, keys[i].says);
	}
	assert_verdict("remote 127.0.0.1 9\n", "<tls-auth>\n" HEX4 HEX4 HEX4 HEX4 "</tls-auth>", "no BEGIN line");
	assert_verdict("remote 127.0.0.1 9\n",
	    "<tls-auth>\n-----BEGIN OpenVPN Static key V1-----\n" HEX4 HEX4 HEX4 HEX4 "</tls-auth>", "an END line");
}

/* With 2.6 "udp" is either family, so that a name with an IPv6 address alone would pass. */
static void
test_family_of_the_real_one(void **state)
{
	static const char file[] = "client\ndev tun\nproto tcp\nremote a.example.com\nremote b.example.com 1 udp\n"
				   "remote c.example.com 1 tcp6 more\n" BLOCKS;
	struct err e = ERR_INIT;
	struct ovpn o;

	(void)state;
	assert_ok(ovpn_read(file, strlen(file), model_find("D65"), &o, &e), e);
	assert_memory_equal(buf_string(&o.effective),
	    "proto udp4\nclient\ndev tun\nproto tcp4-client\nremote a.example.com\nremote b.example.com 1 udp4\n"
	    "remote c.example.com 1 tcp6-client\n<ca>",
	    strlen("proto udp4\nclient\ndev tun\nproto tcp4-client\nremote a.example.com\nremote b.example.com 1 udp4\n"
		   "remote c.example.com 1 tcp6-client\n<ca>"));
	ovpn_release(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_static_key),
		cmocka_unit_test(test_family_of_the_real_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
