/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 64
#define EACH 0 /* each argument */
#define PREFIX6_MIN 64
#define PREFIX6_MAX 124
#define POOL_MAX 65536 /* IFCONFIG_POOL_MAX, pool.h */

/*
 * What 2.6.14 refuses at its start, each tried by tests/e2e/67-server-directives.sh. Numbers are read with atoi, so
 * that one which is none counts as 0: where 0 is taken, so is any word.
 */
static const struct {
	const char *name;
	size_t argument;
	const char *words[13];
} choices[] = {
	{ "allow-compression", 1, { "yes", "no", "asym" } },
	{ "auth-retry", 1, { "none", "nointeract", "interact" } },
	{ "auth-user-pass-verify", 2, { "via-env", "via-file" } },
	{ "client-nat", 1, { "snat", "dnat" } },
	{ "comp-lzo", 1, { "yes", "no", "adaptive" } },
	{ "compress", 1, { "migrate", "stub", "stub-v2", "lzo", "lz4", "lz4-v2" } },
	{ "crl-verify", 2, { "dir" } },
	{ "dev-type", 1, { "tun", "tap" } },
	{ "dns", 1, { "server", "search-domains" } },
	{ "fragment", 2, { "mtu" } },
	{ "key-derivation", 1, { "tls-ekm" } },
	{ "management-external-key", EACH, { "nopadding", "pkcs1", "pss", "digest" } },
	{ "mode", 1, { "server", "p2p" } },
	{ "mssfix", 2, { "mtu", "fixed" } },
	{ "mtu-disc", 1, { "yes", "maybe", "no" } },
	{ "ns-cert-type", 1, { "client", "server" } },
	{ "proto", 1,
	    { "udp", "tcp-server", "udp4", "tcp4-server", "udp6", "tcp6-server", "tcp", "tcp4", "tcp6", "tcp-client",
		"tcp4-client", "tcp6-client" } },
	{ "proto-force", 1,
	    { "udp", "tcp-server", "udp4", "tcp4-server", "udp6", "tcp6-server", "tcp", "tcp4", "tcp6", "tcp-client",
		"tcp4-client", "tcp6-client" } },
	{ "protocol-flags", EACH, { "cc-exit", "tls-ekm", "dyn-tls-crypt" } },
	{ "pull-filter", 1, { "accept", "ignore", "reject" } },
	{ "redirect-gateway", EACH,
	    { "def1", "local", "autolocal", "bypass-dhcp", "bypass-dns", "block-local", "ipv6", "!ipv4" } },
	{ "redirect-private", EACH,
	    { "def1", "local", "autolocal", "bypass-dhcp", "bypass-dns", "block-local", "ipv6", "!ipv4" } },
	{ "remap-usr1", 1, { "SIGHUP", "SIGTERM" } },
	{ "remote-cert-tls", 1, { "client", "server" } },
	{ "server", 3, { "nopool" } },
	{ "socket-flags", EACH, { "TCP_NODELAY" } },
	{ "tls-crypt-v2", 2, { "allow-noncookie", "force-cookie" } },
	{ "topology", 1, { "subnet", "net30", "p2p" } },
	{ "verify-client-cert", 1, { "require", "optional", "none" } },
	{ "verify-hash", 2, { "SHA256", "SHA1" } },
	{ "verify-x509-name", 2, { "name", "name-prefix", "subject" } },
	{ "vlan-accept", 1, { "all", "tagged", "untagged" } },
};

static const struct {
	const char *name;
	size_t argument;
	long least, most;
} ranges[] = {
	{ "bcast-buffers", 1, 1, INT_MAX },
	{ "connect-freq", 1, 0, INT_MAX },
	{ "connect-freq", 2, 0, INT_MAX },
	{ "fragment", 1, 68, INT_MAX },
	{ "hash-size", 1, 1, INT_MAX },
	{ "hash-size", 2, 1, INT_MAX },
	{ "key-direction", 1, 0, 1 },
	{ "keying-material-exporter", 2, 16, 4095 },
	{ "management-log-cache", 1, 1, INT_MAX },
	{ "max-clients", 1, 0, 16777214 },
	{ "replay-window", 1, 0, 65536 },
	{ "replay-window", 2, 0, 600 },
	{ "secret", 2, 0, 1 },
	{ "shaper", 1, 100, 100000000 },
	{ "stale-routes-check", 1, 1, INT_MAX },
	{ "stale-routes-check", 2, 1, INT_MAX },
	{ "status-version", 1, 1, 3 },
	{ "tcp-queue-limit", 1, 1, INT_MAX },
	{ "tls-auth", 2, 0, 1 },
	/* the kernel's own limit */
	{ "tun-mtu", 1, 100, 65535 },
	{ "tun-mtu-max", 1, 68, 65536 },
	{ "vlan-pvid", 1, 1, 4094 },
};

long
server_number(const char *word)
{
	return strtol(word, NULL, 10);
}

static void
value_found(const struct check_server *s, const struct config_line *line, size_t argument, struct findings *out,
    const char *expected)
{
	char shown[SHOWN];

	server_found(s, out, SERVER_DIRECTIVE_VALUE, line, "expected %s, found \"%s\"", expected,
	    text_printable(line->word[argument], shown, sizeof(shown)));
}

static bool
is_listed(const char *const *words, size_t size, const char *word)
{
	for (size_t i = 0; i < size && words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* "a, b or c" */
static const char *
words_join(const char *const *words, size_t size, char *out, size_t out_size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < size && words[i] != NULL && len < out_size; i++) {
		bool last = i + 1 == size || words[i + 1] == NULL;

		len += (size_t)snprintf(out + len, out_size - len, "%s%s",
		    i == 0 ? ""
		    : last ? " or "
			   : ", ",
		    words[i]);
	}
	return out;
}

static void
choices_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	char expected[256];

	for (size_t i = 0; i < COUNT(choices); i++) {
		const size_t size = COUNT(choices[i].words);

		if (strcmp(choices[i].name, line->word[0]) != 0)
			continue;
		for (size_t a = 1; a < line->words; a++)
			if ((choices[i].argument == EACH || choices[i].argument == a) &&
			    !is_listed(choices[i].words, size, line->word[a]))
				value_found(s, line, a, out,
				    words_join(choices[i].words, size, expected, sizeof(expected)));
	}
}

static void
ranges_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	char expected[64];

	for (size_t i = 0; i < COUNT(ranges); i++) {
		const char *word = config_word(line, ranges[i].argument);
		long number;

		if (word == NULL || strcmp(ranges[i].name, line->word[0]) != 0)
			continue;
		number = server_number(word);
		if (number >= ranges[i].least && number <= ranges[i].most)
			continue;
		if (ranges[i].most == INT_MAX)
			(void)snprintf(expected, sizeof(expected), "a number from %ld", ranges[i].least);
		else
			(void)snprintf(expected, sizeof(expected), "a number from %ld to %ld", ranges[i].least,
			    ranges[i].most);
		value_found(s, line, ranges[i].argument, out, expected);
	}
}

/* A service's name is looked up in this machine's list, no address is. */
static bool
port_is_known(const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE };
	struct addrinfo *list = NULL;
	bool ok = getaddrinfo(NULL, port, &hints, &list) == 0;

	if (ok)
		freeaddrinfo(list);
	return ok;
}

static void
port_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (!port_is_known(line->word[1]))
		value_found(s, line, 1, out, "a port's number, or the name of a service of this machine");
}

static void
management_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strcmp(line->word[2], "unix") != 0 && !port_is_known(line->word[2]))
		value_found(s, line, 2, out, "unix, or a port's number");
}

/* With dev-type the name is free. */
static void
dev_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const char *dev = line->word[1];

	if (!server_has(s, "dev-type") && strncmp(dev, "tun", 3) != 0 && strncmp(dev, "tap", 3) != 0)
		value_found(s, line, 1, out, "tun or tap, or a name that begins with it");
}

/* get_ipv6_addr() in options.c: an address, and a number of bits that may be missing. */
static void
prefix6_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const char *word = line->word[1], *slash = strchr(word, '/');
	unsigned long bits = PREFIX6_MIN;
	struct in6_addr address;
	char host[INET6_ADDRSTRLEN];

	(void)snprintf(host, sizeof(host), "%.*s", (int)(slash != NULL ? slash - word : (ptrdiff_t)strlen(word)), word);
	if (inet_pton(AF_INET6, host, &address) != 1 ||
	    (slash != NULL && text_number(slash + 1, PREFIX6_MIN, PREFIX6_MAX, "bits", &bits, NULL) != 0))
		value_found(s, line, 1, out, "an IPv6 address and /64 to /124");
}

static bool
address_read(const char *word, uint32_t *ret)
{
	struct in_addr address;

	if (inet_pton(AF_INET, word, &address) != 1)
		return false;
	*ret = ntohl(address.s_addr);
	return true;
}

/* ifconfig_pool_verify_range() in pool.c. */
static void
pool_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	uint32_t start, end, mask;

	if (!address_read(line->word[1], &start))
		value_found(s, line, 1, out, "an IPv4 address");
	else if (!address_read(line->word[2], &end) || end < start || end - start >= POOL_MAX)
		value_found(s, line, 2, out, "an IPv4 address from the first one to 65535 above it");
	if (line->words == 4 && !address_read(line->word[3], &mask))
		value_found(s, line, 3, out, "a netmask");
}

/* Nothing, nogw, or four: add_option(), and helper_client_server() in helper.c. */
static void
bridge_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	uint32_t at[5] = { 0 };

	if (line->words == 3 || line->words == 4)
		server_found(s, out, SERVER_DIRECTIVE_ARGUMENTS, line, "expected none, 1 or 4 arguments, found %zu",
		    line->words - 1);
	if (line->words == 2 && strcmp(line->word[1], "nogw") != 0)
		value_found(s, line, 1, out, "nogw");
	if (line->words != 5)
		return;
	for (size_t i = 1; i < 5; i++) {
		if (address_read(line->word[i], &at[i]))
			continue;
		value_found(s, line, i, out, i == 2 ? "a netmask" : "an IPv4 address");
		return;
	}
	for (size_t i = 3; i < 5; i++)
		if ((at[i] & at[2]) != (at[1] & at[2]))
			value_found(s, line, i, out, "an address of the bridge's network");
	if (at[4] < at[3] || at[4] - at[3] >= POOL_MAX)
		value_found(s, line, 4, out, "an address from the first one to 65535 above it");
}

static void
gateway_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const char *const special[] = { "dhcp", "vpn_gateway", "net_gateway", "remote_host" };
	uint32_t address;

	if (!server_has(s, "allow-pull-fqdn") && !is_listed(special, COUNT(special), line->word[1]) &&
	    !address_read(line->word[1], &address))
		value_found(s, line, 1, out, "an IPv4 address");
}

/* setenv_str_safe() and setenv_str() assert two characters. */
static void
setenv_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strlen(line->word[1]) < 2)
		value_found(s, line, 1, out, "a name of two characters or more");
	else if (strcmp(line->word[1], "GENERIC_CONFIG") == 0)
		value_found(s, line, 1, out, "a configuration of this server");
}

static void
push_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strchr(line->word[1], ',') != NULL)
		server_found(s, out, SERVER_DIRECTIVE_VALUE, line,
		    "expected an option without a comma, found one with it");
}

static void
name_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (line->word[1][0] == '\0')
		value_found(s, line, 1, out, "a name");
}

static void
username_field_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const char *const known[] = { "ext:subjectAltName", "ext:issuerAltName" };

	for (size_t i = 1; i < line->words; i++)
		if (strncmp(line->word[i], "ext:", 4) == 0 && !is_listed(known, COUNT(known), line->word[i]))
			value_found(s, line, i, out, "ext:subjectAltName or ext:issuerAltName");
}

/* The second may be the time of renewal. */
static void
token_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	for (size_t i = 2; i < line->words; i++)
		if ((i > 2 || server_number(line->word[i]) <= 0) && strcmp(line->word[i], "external-auth") != 0)
			value_found(s, line, i, out, i > 2 ? "external-auth" : "seconds, or external-auth");
}

static void
whole_numbers_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	for (size_t i = 1; i < line->words; i++) {
		char *end;
		long number = strtol(line->word[i], &end, 10);

		if (number < 0 || *end != '\0')
			value_found(s, line, i, out, "a number from 0");
	}
}

static void
exporter_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strncmp(line->word[1], "EXPORTER", strlen("EXPORTER")) != 0)
		value_found(s, line, 1, out, "a label that begins with EXPORTER");
}

void
server_value_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const struct {
		const char *name;
		void (*check)(const struct check_server *, const struct config_line *, struct findings *);
	} checks[] = {
		{ "auth-gen-token", token_check },
		{ "connect-freq-initial", whole_numbers_check },
		{ "dev", dev_check },
		{ "ifconfig-ipv6", prefix6_check },
		{ "ifconfig-pool", pool_check },
		{ "ifconfig-ipv6-pool", prefix6_check },
		{ "keying-material-exporter", exporter_check },
		{ "lport", port_check },
		{ "management", management_check },
		{ "port", port_check },
		{ "push", push_check },
		{ "route-gateway", gateway_check },
		{ "server-bridge", bridge_check },
		{ "server-ipv6", prefix6_check },
		{ "setenv", setenv_check },
		{ "verify-x509-name", name_check },
		{ "x509-username-field", username_field_check },
	};

	choices_check(s, line, out);
	ranges_check(s, line, out);
	for (size_t i = 0; i < COUNT(checks); i++)
		if (strcmp(checks[i].name, line->word[0]) == 0)
			checks[i].check(s, line, out);
}
