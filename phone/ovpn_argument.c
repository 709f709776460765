/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_argument.h"

#include "common/text.h"
#include "phone/ovpn_rules.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 40
#define HASH_BYTES 20 /* of SHA-1 */

long
ovpn_argument_number(const char *word)
{
	long n = strtol(word, NULL, 10);

	return n > INT_MAX ? INT_MAX : n < INT_MIN ? INT_MIN : n;
}

static int
refuse(struct ovpn_reader *r, const struct ovpn_words *w, size_t at, const char *expected)
{
	char shown[SHOWN];

	return ovpn_fatal(r, "%s: expected %s, found %s; OpenVPN " CLIENT_VERSION " ends", w->word[0], expected,
	    text_printable(w->word[at], shown, sizeof(shown)));
}

/* ---- words ---- */

/* Of few words, in the argument with that number; ALL: in each. */
#define ALL 0

static const struct {
	const char *name;
	size_t at;
	const char *words[7], *expected;
} choices[] = {
	{ "auth-retry", 1, { "none", "nointeract", "interact" }, "none, nointeract or interact" },
	{ "client-nat", 1, { "snat", "dnat" }, "snat or dnat" }, /* add_client_nat_to_option_list(), clinat.c */
	{ "comp-lzo", 1, { "yes", "no", "adaptive" }, "yes, no or adaptive" },
	{ "key-direction", 1, { "0", "1" }, "0 or 1" },
	{ "mode", 1, { "p2p" }, "p2p" },
	{ "mtu-disc", 1, { "yes", "maybe", "no" }, "yes, maybe or no" }, /* translate_mtu_discover_type_name(), mtu.c */
	{ "ns-cert-type", 1, { "server" }, "server" },
	{ "redirect-gateway", ALL, { "local", "autolocal", "def1", "bypass-dhcp", "bypass-dns", "block-local" },
	    "local, autolocal, def1, bypass-dhcp, bypass-dns or block-local" },
	{ "redirect-private", ALL, { "local", "autolocal", "def1", "bypass-dhcp", "bypass-dns", "block-local" },
	    "local, autolocal, def1, bypass-dhcp, bypass-dns or block-local" },
	{ "remap-usr1", 1, { "SIGHUP", "SIGTERM" }, "SIGHUP or SIGTERM" },
	{ "remote-cert-tls", 1, { "server" }, "server" },
	{ "socket-flags", ALL, { "TCP_NODELAY" }, "TCP_NODELAY" },
	{ "tls-auth", 2, { "0", "1" }, "0 or 1" },
	{ "topology", 1, { "net30", "p2p", "subnet" }, "net30, p2p or subnet" },
	{ "verify-x509-name", 2, { "subject", "name", "name-prefix" }, "subject, name or name-prefix" },
};

static bool
listed(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count && list[i] != NULL; i++) {
		if (ovpn_is(list[i], word))
			return true;
	}
	return false;
}

static int
check_choice(struct ovpn_reader *r, const struct ovpn_words *w)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		size_t first = choices[i].at == ALL ? 1 : choices[i].at;
		size_t last = choices[i].at == ALL ? w->count : first + 1;

		if (!ovpn_is(choices[i].name, w->word[0]))
			continue;
		for (size_t k = first; k < last && k < w->count; k++) {
			if (!listed(choices[i].words, COUNT(choices[i].words), w->word[k]))
				return refuse(r, w, k, choices[i].expected);
		}
	}
	return 0;
}

/* ---- numbers ---- */

static const struct {
	const char *name;
	size_t at;
	long min, max;
	const char *expected;
} numbers[] = {
	{ "bcast-buffers", 1, 1, INT_MAX, "1 or more" },
	{ "key-method", 1, 1, 2, "1 or 2" },
	{ "keysize", 1, -7, 64 * 8 + 7, "at most 512 bits" }, /* divided by 8, and MAX_CIPHER_KEY_LENGTH */
	/* What surrounds a packet is counted in: more is wanted then, and how much depends on all the rest. */
	{ "link-mtu", 1, 100, 999999, "100 to 999999 bytes" },
	{ "management-log-cache", 1, 1, INT_MAX, "1 or more" },
	{ "max-clients", 1, 0, INT_MAX, "0 or more" },
	{ "max-routes", 1, 0, 100000000, "0 to 100000000" },
	{ "prng", 2, 16, 64, "16 to 64 bytes" },
	{ "replay-window", 1, 0, 65536, "0 to 65536 packets" },
	{ "replay-window", 2, 0, 600, "0 to 600 seconds" },
	{ "shaper", 1, 100, 100000000, "100 to 100000000 bytes a second" },
	{ "status-version", 1, 1, 3, "1 to 3" },
	{ "tcp-queue-limit", 1, 1, INT_MAX, "1 or more" },
	{ "tun-mtu", 1, 100, 999999, "100 to 999999 bytes" }, /* TUN_MTU_MIN in mtu.h, BUF_SIZE_MAX in buffer.h */
	{ "udp-mtu", 1, 100, 999999, "100 to 999999 bytes" },
};

static int
check_number(struct ovpn_reader *r, const struct ovpn_words *w)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		long n;

		if (w->count <= numbers[i].at || !ovpn_is(numbers[i].name, w->word[0]))
			continue;
		n = ovpn_argument_number(w->word[numbers[i].at]);
		if (n < numbers[i].min || n > numbers[i].max)
			return refuse(r, w, numbers[i].at, numbers[i].expected);
	}
	return 0;
}

/* 2.3.2 reads "1194x" as 1194; later ones do not, so that it is no port here. */
static int
check_port(struct ovpn_reader *r, const struct ovpn_words *w)
{
	static const struct {
		const char *name;
		size_t at;
		unsigned long min;
	} ports[] = {
		{ "http-proxy", 2, 1 },
		{ "lport", 1, 0 }, /* 0: any */
		{ "port", 1, 1 },
		{ "remote", 2, 1 },
		{ "rport", 1, 1 },
		{ "socks-proxy", 2, 1 },
	};

	for (size_t i = 0; i < COUNT(ports); i++) {
		struct err why = ERR_INIT;
		unsigned long port;

		if (w->count <= ports[i].at || !ovpn_is(ports[i].name, w->word[0]))
			continue;
		if (text_number(w->word[ports[i].at], ports[i].min, 65535, "port", &port, &why) != 0)
			return ovpn_fatal(r, "%s: %s", ports[i].name, why.text);
	}
	return 0;
}

/* ---- names of OpenSSL's ---- */

/* OpenSSL 1.0 has a digest of that name. It tells upper from lower case, and has no SHA-1, SHA2-256 or SHA3-256. */
static bool
is_digest(const char *name)
{
	/* What OBJ_NAME_do_all(OBJ_NAME_TYPE_MD_METH) shows in 1.0.1u, but what was given up with it, as SHA-0. */
	static const char *const names[] = { "DSA-SHA", "DSA-SHA1", "DSA-SHA1-old", "MD4", "MD5", "MDC2", "RIPEMD160",
		"RSA-MD4", "RSA-MD5", "RSA-MDC2", "RSA-RIPEMD160", "RSA-SHA1", "RSA-SHA1-2", "RSA-SHA224", "RSA-SHA256",
		"RSA-SHA384", "RSA-SHA512", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "dsaWithSHA", "dsaWithSHA1",
		"ecdsa-with-SHA1", "md4", "md4WithRSAEncryption", "md5", "md5WithRSAEncryption", "mdc2", "mdc2WithRSA",
		"ripemd", "ripemd160", "ripemd160WithRSA", "rmd160", "sha1", "sha1WithRSAEncryption", "sha224",
		"sha224WithRSAEncryption", "sha256", "sha256WithRSAEncryption", "sha384", "sha384WithRSAEncryption",
		"sha512", "sha512WithRSAEncryption", "ssl3-md5", "ssl3-sha1", "whirlpool" };

	return listed(names, COUNT(names), name);
}

/* md_kt_get() in crypto_openssl.c. Without an argument auth says the default. */
static int
check_digest(struct ovpn_reader *r, const struct ovpn_words *w)
{
	if (w->count < 2 || ovpn_is(w->word[1], "none") || is_digest(w->word[1]))
		return 0;
	return refuse(r, w, 1, "the name of a digest of OpenSSL 1.0, as SHA1 or SHA256");
}

/* x509_track_add() in ssl_verify_openssl.c. */
static int
check_x509_track(struct ovpn_reader *r, const struct ovpn_words *w)
{
	const char *name = w->word[1] + (w->word[1][0] == '+');

	return OBJ_txt2nid(name) != NID_undef ? 0 : refuse(r, w, 1, "the name of an attribute, as CN");
}

/* ---- addresses ---- */

/* ip_addr_dotted_quad_safe() in socket.c. */
static bool
is_dotted_quad(const char *word)
{
	struct in_addr a;
	size_t dots = 0;

	for (const char *at = word; *at != '\0'; at++)
		dots += *at == '.';
	return dots == 3 && strlen(word) <= 15 && strspn(word, "0123456789.") == strlen(word) &&
	       inet_aton(word, &a) != 0;
}

static bool
is_ipv6(const char *word)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, word, &a) == 1;
}

/* dns_addr_safe(): taken where allow-pull-fqdn was said before. */
static bool
is_name(const struct ovpn_reader *r, const char *word)
{
	size_t len = strlen(word);

	return r->whole.fqdn && len > 0 &&
	       strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static int
check_ifconfig(struct ovpn_reader *r, const struct ovpn_words *w)
{
	for (size_t i = 1; i < 3; i++) {
		if (!is_dotted_quad(w->word[i]) && !is_name(r, w->word[i]))
			return refuse(r, w, i, "an IPv4 address");
	}
	/* options_postprocess_verify_ce(). */
	return strcmp(w->word[1], w->word[2]) != 0 ? 0 : refuse(r, w, 2, "two addresses that differ");
}

/* get_ipv6_addr() in options.c: without "/" it is 64. */
static int
check_ifconfig_ipv6(struct ovpn_reader *r, const struct ovpn_words *w)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(w->word[1], "/");
	long bits = w->word[1][len] == '/' ? strtol(w->word[1] + len + 1, NULL, 10) : 64;

	if (len < sizeof(address)) {
		memcpy(address, w->word[1], len);
		address[len] = '\0';
	}
	if (len >= sizeof(address) || !is_ipv6(address) || bits < 64 || bits > 124)
		return refuse(r, w, 1, "an IPv6 address with /64 to /124");
	return is_ipv6(w->word[2]) ? 0 : refuse(r, w, 2, "an IPv6 address");
}

/* get_special_addr() in route.c. */
static int
check_route_gateway(struct ovpn_reader *r, const struct ovpn_words *w)
{
	static const char *const special[] = { "dhcp", "vpn_gateway", "net_gateway", "remote_host" };

	return listed(special, COUNT(special), w->word[1]) || is_dotted_quad(w->word[1]) || is_name(r, w->word[1])
	           ? 0
	           : refuse(r, w, 1, "an IPv4 address or dhcp");
}

static int
check_client_nat(struct ovpn_reader *r, const struct ovpn_words *w)
{
	struct in_addr a;

	for (size_t i = 2; i < 5; i++) {
		if (inet_aton(w->word[i], &a) == 0)
			return refuse(r, w, i, "an IPv4 address");
	}
	return 0;
}

/* A server's, and yet read; a name would be looked up. */
static int
check_push_constraint(struct ovpn_reader *r, const struct ovpn_words *w)
{
	struct in_addr a;

	if (is_ipv6(w->word[1]) || (inet_aton(w->word[1], &a) != 0 && a.s_addr == 0))
		return refuse(r, w, 1, "an IPv4 network");
	return inet_aton(w->word[2], &a) != 0 && a.s_addr != 0 ? 0 : refuse(r, w, 2, "an IPv4 netmask");
}

/* mac_addr_safe() in socket.c. */
static int
check_lladdr(struct ovpn_reader *r, const struct ovpn_words *w)
{
	size_t digits = 0, len = strlen(w->word[1]);

	for (const char *at = w->word[1]; *at != '\0' && digits <= 2; at++)
		digits = *at == ':' ? 0 : digits + 1;
	return len <= 17 && digits <= 2 && strspn(w->word[1], "0123456789abcdefABCDEF:") == len
	           ? 0
	           : refuse(r, w, 1, "a MAC address");
}

/* ---- others ---- */

static int
check_proxy_option(struct ovpn_reader *r, const struct ovpn_words *w)
{
	static const char *const options[] = { "VERSION", "AGENT" };

	return w->count > 2 && listed(options, COUNT(options), w->word[1])
	           ? 0
	           : refuse(r, w, 1, "VERSION or AGENT, and what it is");
}

/* parse_hash_fingerprint(): SHA-1 of a CA's certificate. */
static int
check_hash(struct ovpn_reader *r, const struct ovpn_words *w)
{
	const char *at = w->word[1];

	for (size_t i = 0; i < HASH_BYTES; i++, at += 3) {
		if (strspn(at, "0123456789abcdefABCDEF") != 2 || at[2] != (i < HASH_BYTES - 1 ? ':' : '\0'))
			return refuse(r, w, 1, "20 bytes in hex with : between");
	}
	return 0;
}

/* helper_keepalive() in helper.c. */
static int
check_keepalive(struct ovpn_reader *r, const struct ovpn_words *w)
{
	long ping = ovpn_argument_number(w->word[1]), restart = ovpn_argument_number(w->word[2]);

	if ((ping == 0 && restart == 0) || (ping > 0 && restart > 0 && ping * 2 <= restart))
		return 0;
	return refuse(r, w, 2, "two numbers above 0, the second at least twice the first");
}

int
ovpn_argument_check(struct ovpn_reader *r, const struct ovpn_words *w)
{
	static const struct {
		const char *name;
		int (*check)(struct ovpn_reader *, const struct ovpn_words *);
	} checks[] = {
		{ "auth", check_digest },
		{ "client-nat", check_client_nat },
		{ "http-proxy-option", check_proxy_option },
		{ "ifconfig", check_ifconfig },
		{ "ifconfig-ipv6", check_ifconfig_ipv6 },
		{ "ifconfig-push-constraint", check_push_constraint },
		{ "keepalive", check_keepalive },
		{ "lladdr", check_lladdr },
		{ "prng", check_digest },
		{ "route-gateway", check_route_gateway },
		{ "verify-hash", check_hash },
		{ "x509-track", check_x509_track },
	};

	if (check_choice(r, w) != 0 || check_number(r, w) != 0 || check_port(r, w) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(checks); i++) {
		if (ovpn_is(checks[i].name, w->word[0]))
			return checks[i].check(r, w);
	}
	return 0;
}
