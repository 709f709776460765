/* SPDX-License-Identifier: ISC */
#include "bundler/profile.h"

#include "bundler/block.h"
#include "common/pem.h"
#include "common/text.h"
#include "dseries/cipher.h"
#include "dseries/client.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define PROFILE_MAX (1 << 16) /* bytes; 16 remotes and a full <ca> have about 15,000 */
#define SHA256_BYTES 32
#define PORT_MAX 65535
#define VERB_MAX 11

bool
profile_host_is_ipv6(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, host, &address) == 1;
}

int
profile_check_host(const char *host, const char *what, struct err *e)
{
	struct in_addr address;
	char shown[64];

	if (inet_pton(AF_INET, host, &address) == 1 || profile_host_is_ipv6(host) || text_is_host_name(host))
		return 0;
	return err_set(e, ERR_INPUT,
	    "%s: expected a host name (letters, digits, hyphens and dots, at most 253), an IPv4 address or an IPv6 "
	    "address without brackets, found \"%s\"",
	    what, text_printable(host, shown, sizeof(shown)));
}

int
profile_parse_cipher(const char *s, const char **ret, struct err *e)
{
	char shown[64];

	for (size_t i = 0; cipher_data_at(i) != NULL; i++) {
		if (strcasecmp(cipher_data_at(i), s) == 0) {
			*ret = cipher_data_at(i);
			return 0;
		}
	}
	return err_set(e, ERR_INPUT,
	    "cipher: expected a data-channel cipher of the phones, such as AES-256-CBC, found \"%s\"",
	    text_printable(s, shown, sizeof(shown)));
}

int
profile_parse_auth(const char *s, const char **ret, struct err *e)
{
	static const char *const known[] = { "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512" };
	char shown[64];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(known[i], s) == 0) {
			*ret = known[i];
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, "auth: expected MD5, SHA1, SHA224, SHA256, SHA384 or SHA512, found \"%s\"",
	    text_printable(s, shown, sizeof(shown)));
}

static int
remotes_add(const struct profile_params *p, struct buf *out, struct err *e)
{
	const char *over_ipv6 = p->proto == PROFILE_TCP ? " tcp6-client" : " udp6";

	if (p->remote_count == 0 || p->remote_count > PROFILE_REMOTES_MAX)
		return err_set(e, ERR_INPUT, "remotes: expected 1 to %d, found %zu", PROFILE_REMOTES_MAX,
		    p->remote_count);
	for (size_t i = 0; i < p->remote_count; i++) {
		const struct profile_remote *r = &p->remotes[i];

		if (profile_check_host(r->host, "remote", e) != 0)
			return -1;
		if (r->port == 0 || r->port > PORT_MAX)
			return err_set(e, ERR_INPUT, "port of remote %s: expected 1 to %d, found %u", r->host, PORT_MAX,
			    r->port);
		/* To 2.3.2 "udp" and "tcp-client" mean IPv4. */
		buf_addf(out, "remote %s %u%s\n", r->host, r->port, profile_host_is_ipv6(r->host) ? over_ipv6 : "");
	}
	return 0;
}

static int
directives_add(const struct profile_params *p, struct buf *out, struct err *e)
{
	const char *cipher, *auth;

	if (profile_parse_cipher(p->cipher, &cipher, e) != 0 || profile_parse_auth(p->auth, &auth, e) != 0)
		return -1;
	if (p->verb > VERB_MAX)
		return err_set(e, ERR_INPUT, "verb: expected 0 to %d, found %u", VERB_MAX, p->verb);
	buf_add_string(out, "# Made by phonevpn. The phone compares the md5 of this file: do not change it by hand.\n");
	buf_add_string(out, "client\ndev tun\n");
	buf_addf(out, "proto %s\n", p->proto == PROFILE_TCP ? "tcp-client" : "udp");
	if (remotes_add(p, out, e) != 0)
		return -1;
	buf_add_string(out, "resolv-retry infinite\nnobind\n");
	buf_addf(out, "%s server\n", p->server_check == PROFILE_NS_CERT_TYPE ? "ns-cert-type" : "remote-cert-tls");
	buf_addf(out, "cipher %s\nauth %s\n", cipher, auth);
	/* Without it one AUTH_FAILED, of a server that is being set up, ends the client for good. */
	buf_add_string(out, "auth-retry nointeract\n");
	if (p->comp_lzo)
		buf_add_string(out, "comp-lzo\n");
	buf_addf(out, "verb %u\n", p->verb);
	return buf_check(out, "profile", e);
}

static int
lines_check(const struct buf *text, struct err *e)
{
	for (const char *line = buf_string(text); *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (len > CLIENT_LINE_MAX)
			return err_set(e, ERR_INPUT,
			    "line \"%.40s...\" of the profile: expected at most %d bytes, found %zu: the phone's "
			    "OpenVPN %s cuts it",
			    line, CLIENT_LINE_MAX, len, CLIENT_VERSION);
		line += len + 1;
	}
	return 0;
}

static int
ca_block_add(const struct profile_ca *cas, size_t count, struct buf *out, struct err *e)
{
	size_t start = block_open("ca", out);

	for (size_t i = 0; i < count; i++)
		if (pem_encode(PEM_LABEL_CERTIFICATE, cas[i].der, cas[i].len, out, e) != 0)
			return -1;
	return block_close("ca", start, out, e);
}

int
profile_render(const struct profile_params *params, const struct profile_ca *cas, size_t count, struct buf *out,
    struct err *e)
{
	struct buf text = BUF_INIT(PROFILE_MAX);
	int rc = -1;

	if (directives_add(params, &text, e) != 0 || lines_check(&text, e) != 0)
		goto out;
	if (count > 0 && ca_block_add(cas, count, &text, e) != 0)
		goto out;
	buf_add(out, text.data, text.len);
	rc = buf_check(out, "profile", e);
out:
	buf_release(&text);
	return rc;
}

int
profile_hash(const void *text, size_t len, char ret_hash[PROFILE_HASH_SIZE], struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	if (EVP_Q_digest(NULL, "SHA256", NULL, text, len, digest, NULL) != 1)
		return err_openssl(e, ERR_FAILED, "SHA-256 of a profile");
	text_hex(digest, sizeof(digest), ret_hash);
	return 0;
}

int
profile_parse_proto(const char *s, enum profile_proto *ret, struct err *e)
{
	char shown[64];

	if (strcmp(s, "udp") == 0)
		*ret = PROFILE_UDP;
	else if (strcmp(s, "tcp") == 0)
		*ret = PROFILE_TCP;
	else
		return err_set(e, ERR_INPUT, "protocol: expected udp or tcp, found \"%s\"",
		    text_printable(s, shown, sizeof(shown)));
	return 0;
}

int
profile_parse_server_check(const char *s, enum profile_server_check *ret, struct err *e)
{
	char shown[64];

	if (strcmp(s, "remote-cert-tls") == 0)
		*ret = PROFILE_REMOTE_CERT_TLS;
	else if (strcmp(s, "ns-cert-type") == 0)
		*ret = PROFILE_NS_CERT_TYPE;
	else
		return err_set(e, ERR_INPUT, "server check: expected remote-cert-tls or ns-cert-type, found \"%s\"",
		    text_printable(s, shown, sizeof(shown)));
	return 0;
}
