/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"

#include <limits.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 64
#define EACH 0 /* each argument */

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

void
server_value_found(const struct check_server *s, const struct config_line *line, size_t argument, struct findings *out,
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
				server_value_found(s, line, a, out,
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
		server_value_found(s, line, ranges[i].argument, out, expected);
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
		server_value_found(s, line, 1, out, "a port's number, or the name of a service of this machine");
}

static void
management_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strcmp(line->word[2], "unix") != 0 && !port_is_known(line->word[2]))
		server_value_found(s, line, 2, out, "unix, or a port's number");
}

/* With dev-type the name is free. */
static void
dev_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const char *dev = line->word[1];

	if (!server_has(s, "dev-type") && strncmp(dev, "tun", 3) != 0 && strncmp(dev, "tap", 3) != 0)
		server_value_found(s, line, 1, out, "tun or tap, or a name that begins with it");
}

/* setenv_str_safe() and setenv_str() assert two characters. */
static void
setenv_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strlen(line->word[1]) < 2)
		server_value_found(s, line, 1, out, "a name of two characters or more");
	else if (strcmp(line->word[1], "GENERIC_CONFIG") == 0)
		server_value_found(s, line, 1, out, "a configuration of this server");
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
		server_value_found(s, line, 1, out, "a name");
}

static void
username_field_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const char *const known[] = { "ext:subjectAltName", "ext:issuerAltName" };

	for (size_t i = 1; i < line->words; i++)
		if (strncmp(line->word[i], "ext:", 4) == 0 && !is_listed(known, COUNT(known), line->word[i]))
			server_value_found(s, line, i, out, "ext:subjectAltName or ext:issuerAltName");
}

/* The second may be the time of renewal. */
static void
token_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	for (size_t i = 2; i < line->words; i++)
		if ((i > 2 || server_number(line->word[i]) <= 0) && strcmp(line->word[i], "external-auth") != 0)
			server_value_found(s, line, i, out, i > 2 ? "external-auth" : "seconds, or external-auth");
}

static void
whole_numbers_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	for (size_t i = 1; i < line->words; i++) {
		char *end;
		long number = strtol(line->word[i], &end, 10);

		if (number < 0 || *end != '\0')
			server_value_found(s, line, i, out, "a number from 0");
	}
}

static void
exporter_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strncmp(line->word[1], "EXPORTER", strlen("EXPORTER")) != 0)
		server_value_found(s, line, 1, out, "a label that begins with EXPORTER");
}

/* mac_addr_safe() in socket.c: up to two digits between colons, and no more than that is asked here. */
static void
lladdr_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const char *word = line->word[1];
	size_t digits = 0;

	if (strlen(word) > strlen("00:00:00:00:00:00")) {
		server_value_found(s, line, 1, out, "a MAC address");
		return;
	}
	for (; *word != '\0'; word++) {
		digits = *word == ':' ? 0 : digits + 1;
		if (digits > 2 || strchr(":0123456789abcdefABCDEF", *word) == NULL) {
			server_value_found(s, line, 1, out, "a MAC address");
			return;
		}
	}
}

/* OBJ_txt2nid(), behind a '+' for the whole chain: x509_track_add() in ssl_verify_openssl.c. */
static void
track_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (OBJ_txt2nid(line->word[1] + (line->word[1][0] == '+' ? 1 : 0)) == NID_undef)
		server_value_found(s, line, 1, out, "a field that OpenSSL knows, as CN or emailAddress");
	ERR_clear_error();
}

/* parse_hash_fingerprint() in options.c: pairs of digits with colons between. */
static bool
is_fingerprint(const char *s, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (strspn(s, "0123456789abcdefABCDEF") != 2 || s[2] != (i + 1 < bytes ? ':' : '\0'))
			return false;
		s += 3;
	}
	return true;
}

/* verify-hash is SHA1 where it does not say SHA256, but in a block; peer-fingerprint is SHA256. */
static size_t
fingerprint_bytes(const struct config_line *line)
{
	const char *algorithm = config_word(line, 2);
	bool sha1 = line->content == NULL && strcmp(line->word[0], "verify-hash") == 0 &&
	            (algorithm == NULL || strcmp(algorithm, "SHA1") == 0);

	return sha1 ? SHA_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
}

/* One directive has one; a block one in each line, between comments. */
static void
fingerprint_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const size_t bytes = fingerprint_bytes(line);
	char *text = strdup(line->content != NULL ? line->content : line->word[1]), *rest = text, *one;
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "a fingerprint of %zu bytes, as 00:11:...", bytes);
	while (rest != NULL && (one = strsep(&rest, "\n")) != NULL) {
		one += strspn(one, " \t\r\v\f");
		if (*one == '\0' || *one == '#' || *one == ';' || is_fingerprint(one, bytes))
			continue;
		if (line->content != NULL)
			server_found(s, out, SERVER_DIRECTIVE_VALUE, line, "expected in each line %s, found another",
			    expected);
		else
			server_value_found(s, line, 1, out, expected);
		break;
	}
	free(text);
}

void
server_block_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strcmp(line->word[0], "verify-hash") == 0 || strcmp(line->word[0], "peer-fingerprint") == 0)
		fingerprint_check(s, line, out);
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
		{ "keying-material-exporter", exporter_check },
		{ "lladdr", lladdr_check },
		{ "lport", port_check },
		{ "management", management_check },
		{ "peer-fingerprint", fingerprint_check },
		{ "port", port_check },
		{ "push", push_check },
		{ "setenv", setenv_check },
		{ "verify-hash", fingerprint_check },
		{ "verify-x509-name", name_check },
		{ "x509-track", track_check },
		{ "x509-username-field", username_field_check },
	};

	choices_check(s, line, out);
	ranges_check(s, line, out);
	for (size_t i = 0; i < COUNT(checks); i++)
		if (strcmp(checks[i].name, line->word[0]) == 0)
			checks[i].check(s, line, out);
	server_address_check(s, line, out);
}
