/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses as arguments: what 2.6.14 refuses at its start. */

#define PREFIX6_MIN 64
#define PREFIX6_MAX 124
#define POOL_MAX 65536      /* IFCONFIG_POOL_MAX, pool.h */
#define DNS_ADDRESSES_MAX 8 /* dns.h */
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

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
		server_value_found(s, line, 1, out, "an IPv6 address and /64 to /124");
}

/* getaddr() in socket.c takes what the C library does, as 10.8.1 for 10.8.0.1. */
static bool
address_read(const char *word, uint32_t *ret)
{
	struct in_addr address;

	if (inet_aton(word, &address) != 1)
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
		server_value_found(s, line, 1, out, "an IPv4 address");
	else if (!address_read(line->word[2], &end) || end < start || end - start >= POOL_MAX)
		server_value_found(s, line, 2, out, "an IPv4 address from the first one to 65535 above it");
	if (line->words == 4 && !address_read(line->word[3], &mask))
		server_value_found(s, line, 3, out, "a netmask");
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
		server_value_found(s, line, 1, out, "nogw");
	if (line->words != 5)
		return;
	for (size_t i = 1; i < 5; i++) {
		if (address_read(line->word[i], &at[i]))
			continue;
		server_value_found(s, line, i, out, i == 2 ? "a netmask" : "an IPv4 address");
		return;
	}
	for (size_t i = 3; i < 5; i++)
		if ((at[i] & at[2]) != (at[1] & at[2]))
			server_value_found(s, line, i, out, "an address of the bridge's network");
	if (at[4] < at[3] || at[4] - at[3] >= POOL_MAX)
		server_value_found(s, line, 4, out, "an address from the first one to 65535 above it");
}

/* ip_addr_dotted_quad_safe() in socket.c: numbers are decimal, also with zeros in front. */
static bool
is_dotted_quad(const char *word)
{
	unsigned int number[4];
	size_t digits = 0;

	if (strlen(word) > strlen("255.255.255.255") || word[strspn(word, "0123456789.")] != '\0')
		return false;
	for (const char *c = word; *c != '\0'; c++) {
		digits = *c == '.' ? 0 : digits + 1;
		if (digits > 3)
			return false;
	}
	return sscanf(word, "%u.%u.%u.%u", &number[0], &number[1], &number[2], &number[3]) == 4 && number[0] < 256 &&
	       number[1] < 256 && number[2] < 256 && number[3] < 256;
}

static void
gateway_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const char *const special[] = { "dhcp", "vpn_gateway", "net_gateway", "remote_host" };
	bool known = false;

	for (size_t i = 0; i < COUNT(special); i++)
		known = known || strcmp(special[i], line->word[1]) == 0;
	if (!known && !server_has(s, "allow-pull-fqdn") && !is_dotted_quad(line->word[1]))
		server_value_found(s, line, 1, out, "an IPv4 address");
}

/* ip_or_dns_addr_safe() in socket.c. */
static void
ifconfig_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	for (size_t i = 1; i < line->words && !server_has(s, "allow-pull-fqdn"); i++)
		if (!is_dotted_quad(line->word[i]))
			server_value_found(s, line, i, out, "an IPv4 address");
}

/* A name may stand for the network, and what it stands for is not looked up here. */
static void
constraint_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	const char *network = line->word[1];
	struct in_addr address;

	if (network[strspn(network, "0123456789.")] == '\0' &&
	    (inet_aton(network, &address) != 1 || address.s_addr == INADDR_ANY))
		server_value_found(s, line, 1, out, "an IPv4 network other than 0.0.0.0");
	if (inet_aton(line->word[2], &address) != 1 || address.s_addr == INADDR_ANY)
		server_value_found(s, line, 2, out, "a netmask other than 0.0.0.0");
}

static bool
dns_port_is_good(const char *port)
{
	return text_number(port, 1, UINT16_MAX, "port", &(unsigned long){ 0 }, NULL) == 0;
}

/* dns_server_addr_parse() in dns.c: 192.0.2.1, 192.0.2.1:853, 2001:db8::1 or [2001:db8::1]:853. */
static bool
dns_address_is_good(const char *word)
{
	const char *first = strchr(word, ':'), *last = strrchr(word, ':');
	size_t len = strlen(word);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (first != NULL && (first == last || word[0] == '[')) {
		if (!dns_port_is_good(last + 1))
			return false;
		len = (size_t)(last - word);
	}
	if (first != NULL && first != last && word[0] == '[') {
		if (len < 2 || word[len - 1] != ']')
			return false;
		word++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(address))
		return false;
	memcpy(address, word, len);
	address[len] = '\0';
	return first == NULL || first == last ? inet_aton(address, &four) == 1
	                                      : inet_pton(AF_INET6, address, &six) == 1;
}

/* A server's addresses may stand in several lines. */
static size_t
dns_addresses(const struct check_server *s, const struct config_line *until)
{
	const struct config_line *line = NULL;
	size_t count = 0;

	while ((line = config_next(&s->config, line, "dns")) != NULL && line <= until)
		if (line->words > 4 && strcmp(line->word[1], "server") == 0 && strcmp(line->word[3], "address") == 0 &&
		    server_number(line->word[2]) == server_number(until->word[2]))
			count += line->words - 4;
	return count;
}

static void
dns_server_address_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	char expected[64];

	for (size_t i = 4; i < line->words; i++) {
		if (dns_address_is_good(line->word[i]))
			continue;
		server_value_found(s, line, i, out, "an address, as 192.0.2.1 or [2001:db8::1]:853");
		return;
	}
	(void)snprintf(expected, sizeof(expected), "at most %d addresses of a server", DNS_ADDRESSES_MAX);
	if (dns_addresses(s, line) > DNS_ADDRESSES_MAX)
		server_value_found(s, line, line->words - 1, out, expected);
}

/* "dns server PRIORITY KIND VALUE...": add_option() in options.c. */
static void
dns_server_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const struct {
		const char *name, *words[3], *expected;
	} kinds[] = {
		{ "dnssec", { "yes", "no", "optional" }, "yes, no or optional" },
		{ "transport", { "plain", "DoH", "DoT" }, "plain, DoH or DoT" },
		{ "sni", { NULL }, NULL },
	};
	char *end;
	long priority = strtol(line->word[2], &end, 10);

	if (*end != '\0' || priority < INT8_MIN || priority > INT8_MAX) {
		server_value_found(s, line, 2, out, "a priority from -128 to 127");
		return;
	}
	if (strcmp(line->word[3], "address") == 0)
		dns_server_address_check(s, line, out);
	if (strcmp(line->word[3], "address") == 0 || strcmp(line->word[3], "resolve-domains") == 0)
		return;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		bool known = kinds[i].expected == NULL;

		if (strcmp(kinds[i].name, line->word[3]) != 0 || line->words != 5)
			continue;
		for (size_t w = 0; w < COUNT(kinds[i].words) && !known; w++)
			known = strcmp(kinds[i].words[w], line->word[4]) == 0;
		if (!known)
			server_value_found(s, line, 4, out, kinds[i].expected);
		return;
	}
	server_value_found(s, line, 3, out, "address, resolve-domains, or one value of dnssec, transport or sni");
}

static void
dns_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	if (strcmp(line->word[1], "server") != 0)
		return;
	if (line->words < 5)
		server_found(s, out, SERVER_DIRECTIVE_ARGUMENTS, line, "expected at least 4 arguments, found %zu",
		    line->words - 1);
	else
		dns_server_check(s, line, out);
}

void
server_address_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	static const struct {
		const char *name;
		void (*check)(const struct check_server *, const struct config_line *, struct findings *);
	} checks[] = {
		{ "dns", dns_check },
		{ "ifconfig", ifconfig_check },
		{ "ifconfig-ipv6", prefix6_check },
		{ "ifconfig-ipv6-pool", prefix6_check },
		{ "ifconfig-pool", pool_check },
		{ "ifconfig-push-constraint", constraint_check },
		{ "route-gateway", gateway_check },
		{ "server-bridge", bridge_check },
		{ "server-ipv6", prefix6_check },
	};

	for (size_t i = 0; i < COUNT(checks); i++)
		if (strcmp(checks[i].name, line->word[0]) == 0)
			checks[i].check(s, line, out);
}
