/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "common/text.h"
#include "dseries/client.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 48
#define NS_CERT_TYPE "ns-cert-type"

/* Directives whose first argument is one of few words. */
static const struct {
	const char *name, *words[3], *expected;
} choices[] = {
	{ "auth-retry", { "none", "nointeract", "interact" }, "none or nointeract" },
	{ "comp-lzo", { "yes", "no", "adaptive" }, "yes, no, adaptive or nothing" },
	{ "key-direction", { "0", "1" }, "0 or 1" },
	{ "mode", { "p2p" }, "p2p" },
	{ NS_CERT_TYPE, { "server" }, "server" },
	{ "remote-cert-tls", { "server" }, "server" },
	{ "topology", { "subnet", "net30", "p2p" }, "subnet, net30 or p2p" },
};

static void
value_found(const struct ovpn_check *ck, const struct config_line *line, const char *expected)
{
	char shown[SHOWN];

	ovpn_found(ck, OVPN_VALUE, line->number, line->word[0], "expected %s, found \"%s\"", expected,
	    text_printable(config_word(line, 1), shown, sizeof(shown)));
}

static void
choice_check(const struct ovpn_check *ck, const struct config_line *line)
{
	const char *word = config_word(line, 1);

	for (size_t i = 0; word != NULL && i < COUNT(choices); i++) {
		size_t count = 0;

		while (count < COUNT(choices[i].words) && choices[i].words[count] != NULL)
			count++;
		if (strcmp(choices[i].name, line->word[0]) == 0 && !ovpn_listed(choices[i].words, count, word))
			value_found(ck, line, choices[i].expected);
	}
}

static void
port_check(const struct ovpn_check *ck, const struct config_line *line, const char *word)
{
	/* 0: any that is free. */
	const unsigned long least = strcmp(line->word[0], "lport") == 0 ? 0 : 1;
	struct err why = ERR_INIT;
	unsigned long port;

	if (word != NULL && text_number(word, least, 65535, "port", &port, &why) != 0)
		ovpn_found(ck, OVPN_VALUE, line->number, line->word[0], "%s", why.text);
}

static void
proto_check(const struct ovpn_check *ck, const struct config_line *line, const char *word)
{
	char shown[SHOWN];

	if (word != NULL && !ovpn_proto_is_known(word))
		ovpn_found(ck, OVPN_PROTO, line->number, line->word[0], "expected udp, tcp or tcp-client, found \"%s\"",
		    text_printable(word, shown, sizeof(shown)));
}

static void
remote_check(struct ovpn_check *ck, const struct config_line *line)
{
	port_check(ck, line, config_word(line, 2));
	proto_check(ck, line, config_word(line, 3));
}

static void
port_directive_check(struct ovpn_check *ck, const struct config_line *line)
{
	port_check(ck, line, config_word(line, 1));
}

static void
proto_directive_check(struct ovpn_check *ck, const struct config_line *line)
{
	proto_check(ck, line, config_word(line, 1));
}

/* "setenv opt X" is a variable called opt to 2.3.2, and the directive X to later ones: the way to say it to both. */
static void
setenv_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *name = config_word(line, 1), *value = config_word(line, 2);

	if (strcmp(name, "GENERIC_CONFIG") == 0)
		ovpn_found(ck, OVPN_GENERIC, line->number, "setenv",
		    "expected a bundle of this phone, found a generic one");
	else if (strlen(name) < 2)
		/* setenv_str_safe() asserts it. */
		ovpn_found(ck, OVPN_VALUE, line->number, "setenv",
		    "expected a name of two characters or more, found one of %zu", strlen(name));
	else if (strcmp(name, "FORWARD_COMPATIBLE") == 0 && value != NULL && strcmp(value, "1") == 0)
		ck->forward = true;
}

static void
name_check(struct ovpn_check *ck, const struct config_line *line)
{
	if (config_word(line, 1)[0] == '\0')
		value_found(ck, line, "the name in the server's certificate");
}

static void
compat_names_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *word = config_word(line, 1);

	if (word != NULL && strcmp(word, "no-remapping") == 0)
		value_found(ck, line, "no argument, for this one is a server's");
}

/* A login is a file, or asked for. */
static void
proxy_check(struct ovpn_check *ck, const struct config_line *line)
{
	if (line->words > 3)
		ovpn_found(ck, OVPN_PASSWORD, line->number, line->word[0],
		    "expected a host and a port, found a login as well");
}

static void
ns_cert_type_check(struct ovpn_check *ck, const struct config_line *line)
{
	ovpn_found(ck, OVPN_NS_CERT_TYPE, line->number, NS_CERT_TYPE,
	    "expected the server's certificate to have nsCertType=server; remote-cert-tls does without");
}

static void
comp_lzo_check(struct ovpn_check *ck, const struct config_line *line)
{
	ovpn_found(ck, OVPN_COMP_LZO, line->number, "comp-lzo",
	    "expected comp-lzo or compress migrate on the server as well");
}

static void
fragment_check(struct ovpn_check *ck, const struct config_line *line)
{
	ovpn_found(ck, OVPN_FRAGMENT, line->number, "fragment", "expected the same on the server");
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* is_dev_type() in tun.c: dev-type says it, or the name's beginning. A file has one dev that counts. */
static void
dev_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *type = config_word(line, 1);
	char shown[SHOWN];

	if (begins(type, "tap"))
		ovpn_found(ck, OVPN_DEV_TAP, line->number, line->word[0], "expected tun, found %s",
		    text_printable(type, shown, sizeof(shown)));
	else if (strcmp(line->word[0], "dev-type") == 0 && !begins(type, "tun"))
		value_found(ck, line, "tun or tap");
}

/* helper_keepalive() in helper.c. */
static void
keepalive_check(struct ovpn_check *ck, const struct config_line *line)
{
	const long ping = strtol(line->word[1], NULL, 10), restart = strtol(line->word[2], NULL, 10);

	if (ping == 0 && restart == 0)
		return;
	if (ping <= 0 || restart <= 0 || ping * 2 > restart)
		ovpn_found(ck, OVPN_VALUE, line->number, "keepalive",
		    "expected two numbers above 0, the second at least twice the first, found %ld and %ld", ping,
		    restart);
}

static void
redirect_check(struct ovpn_check *ck, const struct config_line *line)
{
	static const char *const flags[] = { "local", "autolocal", "def1", "bypass-dhcp", "bypass-dns", "block-local" };
	char shown[SHOWN];

	for (size_t i = 1; i < line->words; i++) {
		if (ovpn_listed(flags, COUNT(flags), line->word[i]))
			continue;
		ovpn_found(ck, OVPN_VALUE, line->number, line->word[0],
		    "expected def1, local, autolocal, bypass-dhcp, bypass-dns or block-local, found \"%s\"",
		    text_printable(line->word[i], shown, sizeof(shown)));
		return;
	}
}

/* Below 1 it may not even run ip(8), which sets up its device; more than that lets it run scripts, if there were any. */
static void
script_security_check(struct ovpn_check *ck, const struct config_line *line)
{
	if (strtol(line->word[1], NULL, 10) < 1)
		value_found(ck, line, "1 or more");
	else
		ovpn_found(ck, OVPN_PHONE_ITSELF, line->number, line->word[0],
		    "expected what is about the connection, found it to act on the phone");
}

/* TUN_MTU_MIN in mtu.h. */
static void
tun_mtu_check(struct ovpn_check *ck, const struct config_line *line)
{
	if (strtol(line->word[1], NULL, 10) < 100)
		value_found(ck, line, "100 bytes or more");
}

/* parse_hash_fingerprint() in options.c: SHA-1 of the CA's certificate. */
static void
verify_hash_check(struct ovpn_check *ck, const struct config_line *line)
{
	const char *at = line->word[1];

	for (size_t i = 0; i < 20; i++, at += 3)
		if (strspn(at, "0123456789abcdefABCDEF") != 2 || at[2] != (i < 19 ? ':' : '\0')) {
			value_found(ck, line, "20 bytes in hex with : between");
			return;
		}
}

/* Where a file is named and no block is given, the whole file is judged at its end. */
void
ovpn_value_check(struct ovpn_check *ck, const struct config_line *line)
{
	static const struct {
		const char *name;
		void (*check)(struct ovpn_check *, const struct config_line *);
	} checks[] = {
		{ "auth", ovpn_auth_check },
		{ "cipher", ovpn_cipher_check },
		{ "comp-lzo", comp_lzo_check },
		{ "compat-names", compat_names_check },
		{ "dev", dev_check },
		{ "dev-type", dev_check },
		{ "fragment", fragment_check },
		{ "http-proxy", proxy_check },
		{ "keepalive", keepalive_check },
		{ "lport", port_directive_check },
		{ NS_CERT_TYPE, ns_cert_type_check },
		{ "port", port_directive_check },
		{ "proto", proto_directive_check },
		{ "proto-force", proto_directive_check },
		{ "redirect-gateway", redirect_check },
		{ "redirect-private", redirect_check },
		{ "remote", remote_check },
		{ "rport", port_directive_check },
		{ "script-security", script_security_check },
		{ "setenv", setenv_check },
		{ "socks-proxy", proxy_check },
		{ "tls-cipher", ovpn_tls_cipher_check },
		{ "tun-mtu", tun_mtu_check },
		{ "verify-hash", verify_hash_check },
		{ "verify-x509-name", name_check },
	};

	choice_check(ck, line);
	ovpn_range_check(ck, line);
	for (size_t i = 0; i < COUNT(checks); i++)
		if (strcmp(checks[i].name, line->word[0]) == 0)
			checks[i].check(ck, line);
}
