/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/cidr.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PORT_DEFAULT 1194
#define MAX_CLIENTS_DEFAULT 1024 /* options.c of 2.6.14 */
#define PREFIX_MIN 16            /* IFCONFIG_POOL_MIN_NETBITS, pool.h */
#define PREFIX_MAX 29            /* helper_client_server() in helper.c */

bool
server_network_has(const struct server_network *n, uint32_t address)
{
	return (address & n->mask) == n->address;
}

static unsigned int
prefix_of(uint32_t mask)
{
	return (unsigned int)__builtin_popcount(mask);
}

static bool
mask_is_whole(uint32_t mask)
{
	return mask != 0 && (~mask & (~mask + 1)) == 0;
}

/* "server NETWORK NETMASK [nopool]": what helper_client_server() takes. */
static void
network_read(struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "server");
	const char *network = config_word(line, 1), *netmask = config_word(line, 2);
	struct in_addr address, mask;
	struct server_network n;
	unsigned int prefix_max = s->tap ? PREFIX_MAX + 1 : PREFIX_MAX;

	/* One that is missing is told as such. */
	if (netmask == NULL)
		return;
	if (inet_pton(AF_INET, network, &address) != 1 || inet_pton(AF_INET, netmask, &mask) != 1) {
		server_found(s, out, SERVER_NETWORK, line, "expected a network and a netmask, found %s %s", network,
		    netmask);
		return;
	}
	n = (struct server_network){ .known = true, .address = ntohl(address.s_addr), .mask = ntohl(mask.s_addr) };
	if (!mask_is_whole(n.mask) || n.address == 0 || (n.address & ~n.mask) != 0)
		server_found(s, out, SERVER_NETWORK, line, "expected a network without host bits, found %s %s", network,
		    netmask);
	else if (prefix_of(n.mask) < PREFIX_MIN || prefix_of(n.mask) > prefix_max)
		server_found(s, out, SERVER_NETWORK, line, "expected /%d to /%u, found /%u", PREFIX_MIN, prefix_max,
		    prefix_of(n.mask));
	else
		s->network = n;
}

/* The server's own port: "port" and "lport" say the same for it. */
static const struct config_line *
port_line(const struct check_server *s)
{
	const struct config_line *port = config_find(&s->config, "port"), *local = config_find(&s->config, "lport");

	return port == NULL || (local != NULL && local > port) ? local : port;
}

/* OpenVPN takes any number: 0 is one that the system picks, and of a larger one than 65535 the last 16 bits count. */
static void
port_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = port_line(s);
	const char *word = config_word(line, 1);

	if (word != NULL && strspn(word, "0123456789") == strlen(word) &&
	    text_number(word, 1, UINT16_MAX, "port", &(unsigned long){ 0 }, NULL) != 0)
		server_found(s, out, SERVER_PORT, line, "expected a port from 1 to %d, found %s", UINT16_MAX, word);
}

static void
places_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "max-clients");

	if (config_word(line, 1) != NULL && server_number(line->word[1]) == 0)
		server_found(s, out, SERVER_MAX_CLIENTS, line, "expected 1 or more, found %s", line->word[1]);
}

static void
listen_check(const struct check_server *s, struct findings *out)
{
	const char *local = server_word(s, "local", "");
	struct in_addr address;

	if (strcmp(local, "localhost") == 0 || strcmp(local, "::1") == 0 ||
	    (inet_pton(AF_INET, local, &address) == 1 && ntohl(address.s_addr) >> 24 == 127))
		server_found(s, out, SERVER_LOOPBACK, config_find(&s->config, "local"),
		    "expected an address that phones reach, found %s", local);
}

void
server_network_open(struct check_server *s, struct findings *out)
{
	const char *topology = server_word(s, "topology", NULL);
	const char *dev = server_word(s, "dev-type", server_word(s, "dev", "tun"));
	bool pings = server_has(s, "ping") && server_has(s, "ping-restart");
	bool keepalive = server_number(server_word(s, "keepalive", "0")) != 0;

	s->tcp = strncmp(server_word(s, "proto", "udp"), "tcp", 3) == 0;
	s->tap = strncmp(dev, "tap", 3) == 0;
	s->subnet = s->tap || (topology != NULL && strcmp(topology, "subnet") == 0);
	network_read(s, out);
	port_check(s, out);
	places_check(s, out);
	listen_check(s, out);
	if (topology == NULL && !s->tap)
		server_found(s, out, SERVER_TOPOLOGY, NULL, "expected topology subnet, found none");
	if (!keepalive && !pings)
		server_found(s, out, SERVER_KEEPALIVE, config_find(&s->config, "keepalive"),
		    "expected keepalive, found none");
}

/* Of the places that the phone calls with the server's protocol, which there are. */
static void
port_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	unsigned long port = PORT_DEFAULT;
	const char *given = config_word(port_line(s), 1);
	const struct client_remote *called = NULL;

	if (given != NULL && text_number(given, 1, UINT16_MAX, "port", &port, NULL) != 0)
		return;
	for (size_t i = 0; i < c->remote_count; i++) {
		if (c->remote[i].tcp != s->tcp)
			continue;
		if (c->remote[i].port == port)
			return;
		called = called == NULL ? &c->remote[i] : called;
	}
	if (called != NULL)
		server_found(s, out, SERVER_PORT, port_line(s), "expected port %u, which %s calls, found %lu",
		    called->port, name, port);
}

/*
 * "udp" binds the first kind that the system names, IPv4 on Linux; "udp6" binds both unless ipv6only; "udp4" IPv4. The
 * phone's 2.3.2 calls IPv4 unless its own proto has a 6.
 */
static void
family_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "proto");
	const char *proto = server_word(s, "proto", "udp"), *only = config_word(config_find(&s->config, "bind"), 1);
	bool six = strchr(proto, '6') != NULL, four = !six || only == NULL || strcmp(only, "ipv6only") != 0;

	if (server_has(s, "local"))
		return;
	for (size_t i = 0; i < c->remote_count; i++)
		if (c->remote[i].tcp == s->tcp && (c->remote[i].ipv6 ? six : four))
			return;
	server_found(s, out, SERVER_FAMILY, line, "expected %s, which %s calls, found proto %s%s",
	    c->remote[0].ipv6 ? "IPv6" : "IPv4", name, proto, four ? "" : " and bind ipv6only");
}

void
server_network_against(const struct check_server *s, const char *name, const struct client_side *c,
    struct findings *out)
{
	bool proto = false;

	for (size_t i = 0; i < c->remote_count; i++)
		proto = proto || c->remote[i].tcp == s->tcp;
	if (c->remote_count > 0 && !proto) {
		server_found(s, out, SERVER_PROTO, config_find(&s->config, "proto"), "expected %s, as in %s, found %s",
		    c->remote[0].tcp ? "tcp" : "udp", name, server_word(s, "proto", "none, which is udp"));
	} else if (c->remote_count > 0) {
		family_against(s, name, c, out);
		port_against(s, name, c, out);
	}
	if (c->tap != s->tap)
		server_found(s, out, SERVER_DEV, config_find(&s->config, "dev"), "expected dev %s, as in %s, found %s",
		    c->tap ? "tap" : "tun", name, server_word(s, "dev", ""));
	else if (s->subnet && !s->tap && !c->subnet && !server_pushes_topology(s))
		server_found(s, out, SERVER_TOPOLOGY_PUSH, config_find(&s->config, "topology"),
		    "expected it to be pushed as well, found no such push");
}

/* Addresses for clients; 0 when it is not the server directive that gives them out. */
static size_t
pool_size(const struct check_server *s)
{
	size_t all = ~s->network.mask + (size_t)1;
	const char *topology = server_word(s, "topology", "net30");

	if (!s->network.known || config_word(config_find(&s->config, "server"), 3) != NULL)
		return 0;
	if (s->subnet)
		return all - 3;
	/* helper_client_server(): from network + 4 to broadcast - 4, and for a /29 to the broadcast address. */
	all -= all == 8 ? 4 : 8;
	return strcmp(topology, "net30") == 0 ? all / 4 : all;
}

void
check_server_fleet(struct check_server *s, size_t phones, const char *network, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "max-clients");
	unsigned long max = MAX_CLIENTS_DEFAULT;
	size_t pool = pool_size(s);
	struct cidr given;

	if (config_word(line, 1) != NULL && server_number(line->word[1]) >= 0)
		max = (unsigned long)server_number(line->word[1]);
	if (max < phones)
		server_found(s, out, SERVER_MAX_CLIENTS, line, "expected at least %zu, found %s%lu", phones,
		    line == NULL ? "none, which is " : "", max);
	else if (pool != 0 && pool < phones)
		server_found(s, out, SERVER_MAX_CLIENTS, config_find(&s->config, "server"),
		    "expected addresses for %zu phones, found %zu", phones, pool);
	if (network == NULL || !s->network.known || !cidr_scan(network, &given))
		return;
	if (given.address != s->network.address || given.mask != s->network.mask)
		server_found(s, out, SERVER_NETWORK_SETTING, config_find(&s->config, "server"),
		    "expected the network %s, found %s %s", network, server_word(s, "server", ""),
		    config_word(config_find(&s->config, "server"), 2));
}
