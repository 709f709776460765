/* SPDX-License-Identifier: ISC */
#include "bundler/server_conf.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define SERVER_CONF_MAX 8192
#define PORT_MAX 65535
#define PREFIX_MIN 16     /* OpenVPN's server directive refuses more than 65,536 addresses */
#define PREFIX_MAX 29     /* and fewer than 8 */
#define ADDRESSES_TAKEN 3 /* network, server and broadcast */

/* What 2.6 offers by itself, and a CBC cipher that the phones have too. */
#define DATA_CIPHERS "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305"
#define PHONE_CIPHER "AES-256-CBC"

struct network {
	uint32_t address, mask; /* host byte order */
};

/* "10.8.0.0/16"; this network, loopback and what is from 224.0.0.0 on is no network of hosts (RFC 6890, RFC 1112). */
static bool
network_scan(const char *s, struct network *n)
{
	size_t len = strcspn(s, "/");
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	unsigned long prefix;
	uint32_t first;

	if (s[len] != '/' || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &address) != 1 ||
	    text_number(s + len + 1, PREFIX_MIN, PREFIX_MAX, "prefix", &prefix, NULL) != 0)
		return false;
	n->address = ntohl(address.s_addr);
	n->mask = UINT32_MAX << (32 - prefix);
	first = n->address >> 24;
	return (n->address & ~n->mask) == 0 && first != 0 && first != 127 && first < 224;
}

static int
network_parse(const char *s, struct network *ret, struct err *e)
{
	struct network n = { 0 };
	char shown[64];

	if (!network_scan(s, &n))
		return err_set(e, ERR_INPUT,
		    "VPN network: expected an IPv4 network from /%d to /%d without host bits, as in 10.8.0.0/16, "
		    "found \"%s\"",
		    PREFIX_MIN, PREFIX_MAX, text_printable(s, shown, sizeof(shown)));
	*ret = n;
	return 0;
}

static const char *
address_format(uint32_t address, char out[INET_ADDRSTRLEN])
{
	struct in_addr in = { .s_addr = htonl(address) };

	return inet_ntop(AF_INET, &in, out, INET_ADDRSTRLEN);
}

/* OpenSSL 3 keeps the others in its legacy provider. */
static bool
cipher_is_legacy(const char *cipher)
{
	static const char *const current[] = { "AES-", "CAMELLIA-", "DES-EDE" };

	for (size_t i = 0; i < sizeof(current) / sizeof(current[0]); i++)
		if (strncmp(cipher, current[i], strlen(current[i])) == 0)
			return false;
	return true;
}

/* The phones say "udp" or "tcp-client"; "6" takes both kinds of address. */
static void
listen_add(const struct server_conf_params *p, struct buf *out)
{
	bool ipv6 = false;

	for (size_t i = 0; i < p->profile->remote_count; i++)
		ipv6 = ipv6 || profile_host_is_ipv6(p->profile->remotes[i].host);
	buf_addf(out, "port %u\n", p->port);
	if (p->profile->proto == PROFILE_TCP)
		buf_add_string(out, ipv6 ? "proto tcp6-server\n" : "proto tcp-server\n");
	else
		buf_add_string(out, ipv6 ? "proto udp6\n" : "proto udp\n");
	buf_add_string(out, "dev tun\n");
}

static void
network_add(const struct network *n, struct buf *out)
{
	char address[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];

	buf_add_string(out, "topology subnet\n");
	buf_addf(out, "server %s %s\n", address_format(n->address, address), address_format(n->mask, mask));
	buf_add_string(out, "# As many phones as there are addresses; OpenVPN stops at 1024 otherwise.\n");
	buf_addf(out, "max-clients %u\n", ~n->mask + 1 - ADDRESSES_TAKEN);
}

static void
files_add(struct buf *out)
{
	buf_add_string(out,
	    "\n"
	    "ca ca.crt\n"
	    "cert server.crt\n"
	    "key server.key\n"
	    "dh none\n"
	    "# Only certificates made for clients; the server's own is none.\n"
	    "remote-cert-tls client\n"
	    "# Read again at each login. Past its nextUpdate it keeps every phone out: renew it in time.\n"
	    "crl-verify crl.pem\n");
}

static void
cipher_add(const struct profile_params *p, const char *cipher, const char *auth, struct buf *out)
{
	buf_add_string(out, "\n"
			    "# The OpenVPN 2.3.2 of the phones speaks TLS 1.0 and nothing later; 2.6 wants 1.2.\n"
			    "tls-version-min 1.0\n"
			    "# TLS 1.0 signs with SHA-1, which OpenSSL 3 does at security level 0 only.\n"
			    "tls-cipher DEFAULT:@SECLEVEL=0\n");
	if (cipher_is_legacy(cipher))
		buf_addf(out,
		    "# %s is weak, and in OpenSSL 3 only of this provider.\n"
		    "providers legacy default\n",
		    cipher);
	buf_add_string(out, "# The phones cannot negotiate: what they are set to must be listed.\n"
			    "data-ciphers " DATA_CIPHERS ":" PHONE_CIPHER);
	if (strcmp(cipher, PHONE_CIPHER) != 0)
		buf_addf(out, ":%s", cipher);
	buf_addf(out, "\n# Not negotiated either: with another digest phones connect, and no packet passes.\nauth %s\n",
	    auth);
	if (p->comp_lzo)
		buf_add_string(out, "# Takes what phones with comp-lzo send, and serves clients without it.\n"
				    "compress migrate\n");
}

static void
session_add(const struct profile_params *p, struct buf *out)
{
	buf_add_string(out, "\n"
			    "keepalive 5 30\n");
	if (p->proto == PROFILE_UDP)
		buf_add_string(out, "# Phones come back within seconds of a restart instead of half a minute.\n"
				    "explicit-exit-notify 1\n");
	buf_add_string(out, "# No persist-key: SIGUSR1 shall load a renewed server.crt and server.key.\n"
			    "verb 3\n");
}

int
server_conf_render(const struct server_conf_params *params, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT(SERVER_CONF_MAX);
	const char *cipher, *auth;
	struct network n = { 0 };
	int rc = -1;

	if (profile_parse_cipher(params->profile->cipher, &cipher, e) != 0 ||
	    profile_parse_auth(params->profile->auth, &auth, e) != 0 || network_parse(params->network, &n, e) != 0)
		return -1;
	if (params->port == 0 || params->port > PORT_MAX)
		return err_set(e, ERR_INPUT, "port of the OpenVPN server: expected 1 to %d, found %u", PORT_MAX,
		    params->port);
	buf_add_string(&text, "# Made by phonevpn, for OpenVPN 2.6.\n");
	listen_add(params, &text);
	network_add(&n, &text);
	files_add(&text);
	cipher_add(params->profile, cipher, auth, &text);
	session_add(params->profile, &text);
	if (buf_check(&text, "server.conf", e) != 0)
		goto out;
	buf_add(out, text.data, text.len);
	rc = buf_check(out, "server.conf", e);
out:
	buf_release(&text);
	return rc;
}
