/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_entry.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_RETRY = 1 << 0,
	CONNECT_TIMEOUT = 1 << 1,
	HTTP_PROXY = 1 << 2, /* or one of its options */
	SOCKS_PROXY = 1 << 3,
	FRAGMENT = 1 << 4,
	EXIT_NOTIFY = 1 << 5,
	MTU_TEST = 1 << 6,
	REPLAY_WINDOW = 1 << 7, /* other than the default */
	NO_REPLAY = 1 << 8,
	BIND = 1 << 9,
	NOBIND = 1 << 10,
	LOCAL = 1 << 11,
	LPORT = 1 << 12,
	TUN_MTU = 1 << 13,
	LINK_MTU = 1 << 14,
	HTTP_SERVER = 1 << 15,
	EITHER_END = 1 << 16, /* the protocol's name says neither client nor server */
	LOCAL_IPV4 = 1 << 17, /* local is such an address */
	LOCAL_IPV6 = 1 << 18,
};

/* These belong to no single place to connect to. */
#define GLOBAL (MTU_TEST | REPLAY_WINDOW | NO_REPLAY)

/* As the client reads numbers: what is none is 0, and so is what is negative. */
static long
lenient_number(const char *word)
{
	long n = strtol(word, NULL, 10);

	return n > 0 ? n : 0;
}

enum value {
	VALUE_ANY,
	VALUE_POSITIVE,       /* 0 takes it back; absent, it is 1 */
	VALUE_REPLAY_DEFAULT, /* 64 packets and 15 s take it back: packet_id.h */
};

static const struct {
	const char *name;
	unsigned int bits;
	enum value value;
} words[] = {
	{ "connect-retry", CONNECT_RETRY, VALUE_ANY },
	{ "connect-timeout", CONNECT_TIMEOUT, VALUE_ANY },
	{ "http-proxy", HTTP_PROXY | HTTP_SERVER, VALUE_ANY },
	{ "http-proxy-option", HTTP_PROXY, VALUE_ANY },
	{ "http-proxy-retry", HTTP_PROXY, VALUE_ANY },
	{ "http-proxy-timeout", HTTP_PROXY, VALUE_ANY },
	{ "socks-proxy", SOCKS_PROXY, VALUE_ANY },
	{ "fragment", FRAGMENT, VALUE_POSITIVE },
	{ "explicit-exit-notify", EXIT_NOTIFY, VALUE_POSITIVE },
	{ "mtu-test", MTU_TEST, VALUE_ANY },
	{ "replay-window", REPLAY_WINDOW, VALUE_REPLAY_DEFAULT },
	{ "no-replay", NO_REPLAY, VALUE_ANY },
	{ "bind", BIND, VALUE_ANY },
	{ "nobind", NOBIND, VALUE_ANY },
	{ "local", LOCAL, VALUE_ANY },
	{ "lport", LPORT, VALUE_ANY },
	{ "tun-mtu", TUN_MTU, VALUE_ANY },
	{ "link-mtu", LINK_MTU, VALUE_ANY },
	{ "udp-mtu", LINK_MTU, VALUE_ANY },
};

bool
ovpn_entry_proto(struct ovpn_entry *entry, const char *word)
{
	static const struct {
		const char *name;
		enum ovpn_proto proto;
		unsigned int bits;
	} names[] = {
		{ "udp", OVPN_UDP, 0 },
		{ "udp6", OVPN_UDP6, 0 },
		{ "tcp", OVPN_TCP, EITHER_END },
		{ "tcp-client", OVPN_TCP, 0 },
		{ "tcp6", OVPN_TCP6, EITHER_END },
		{ "tcp6-client", OVPN_TCP6, 0 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, word) != 0)
			continue;
		entry->proto = names[i].proto;
		entry->said = (entry->said & ~(unsigned int)EITHER_END) | names[i].bits;
		return true;
	}
	return false;
}

enum ovpn_host
ovpn_host(const char *word)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, word, address) == 1)
		return OVPN_HOST_IPV4;
	return inet_pton(AF_INET6, word, address) == 1 ? OVPN_HOST_IPV6 : OVPN_HOST_NAME;
}

static void
say_local(struct ovpn_entry *entry, const char *word)
{
	enum ovpn_host host = ovpn_host(word);

	entry->said &= ~(unsigned int)(LOCAL_IPV4 | LOCAL_IPV6);
	entry->said |= host == OVPN_HOST_IPV4 ? LOCAL_IPV4 : host == OVPN_HOST_IPV6 ? LOCAL_IPV6 : 0;
}

static bool
holds(enum value value, const struct ovpn_words *w)
{
	switch (value) {
	case VALUE_POSITIVE:
		return w->count < 2 || lenient_number(w->word[1]) > 0;
	case VALUE_REPLAY_DEFAULT:
		return (w->count > 1 && lenient_number(w->word[1]) != 64) ||
		       (w->count > 2 && lenient_number(w->word[2]) != 15);
	case VALUE_ANY:
		break;
	}
	return true;
}

void
ovpn_entry_say(struct ovpn_entry *entry, const struct ovpn_words *w)
{
	if (ovpn_is(w->word[0], "local"))
		say_local(entry, w->word[1]);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!ovpn_is(words[i].name, w->word[0]))
			continue;
		entry->said |= words[i].bits;
		if (!holds(words[i].value, w))
			entry->said &= ~words[i].bits;
	}
}

bool
ovpn_entries_remote(struct ovpn_entries *entries, unsigned int line, const char *host, const char *proto)
{
	size_t i = entries->remote_count;

	if (i >= OVPN_ENTRIES_MAX)
		return false;
	entries->remotes[i].own.line = line;
	entries->remotes[i].own.host = ovpn_host(host);
	entries->remotes[i].has_proto = proto != NULL && ovpn_entry_proto(&entries->remotes[i].own, proto);
	entries->remote_count++;
	return true;
}

bool
ovpn_entries_connection(struct ovpn_entries *entries, const struct ovpn_entry *entry)
{
	if (entries->connection_count >= OVPN_ENTRIES_MAX)
		return false;
	entries->connections[entries->connection_count++] = *entry;
	return true;
}

/* Do not go with one protocol. An HTTP proxy: with TCP over IPv4 only, as 2.3.2 has it. */
static const struct {
	unsigned int bit;
	bool with[OVPN_TCP6 + 1];
	const char *name, *expected;
} protocols[] = {
	{ CONNECT_RETRY, { false, false, true, true }, "connect-retry", "tcp-client or tcp6-client" },
	{ CONNECT_TIMEOUT, { false, false, true, true }, "connect-timeout", "tcp-client or tcp6-client" },
	{ HTTP_PROXY, { false, false, true, false }, "http-proxy, or an option of it", "tcp-client" },
	{ FRAGMENT, { true, true, false, false }, "fragment", "udp or udp6" },
	{ EXIT_NOTIFY, { true, true, false, false }, "explicit-exit-notify", "udp or udp6" },
	{ MTU_TEST, { true, true, false, false }, "mtu-test", "udp or udp6" },
	{ REPLAY_WINDOW, { true, true, false, false }, "replay-window", "udp or udp6" },
};

/* Do not go together. */
static const struct {
	unsigned int bits;
	const char *names;
} pairs[] = {
	{ BIND | NOBIND, "bind and nobind" },
	{ LOCAL | NOBIND, "local and nobind" },
	{ LPORT | NOBIND, "lport and nobind" },
	{ HTTP_PROXY | SOCKS_PROXY, "http-proxy and socks-proxy" },
	{ NO_REPLAY | REPLAY_WINDOW, "no-replay and replay-window" },
};

static const char *const proto_names[] = { "udp", "udp6", "tcp-client", "tcp6-client" };

static bool
is_ipv6(const struct ovpn_entry *entry)
{
	return entry->proto == OVPN_UDP6 || entry->proto == OVPN_TCP6;
}

static int
entry_check(const struct ovpn_entry *entry, bool client, struct err *e)
{
	if (!client && (entry->said & EITHER_END) != 0)
		return err_set(e, ERR_INTEGRITY,
		    "line %u: proto: expected %s where there is no directive client, found one that says neither end; "
		    "OpenVPN " CLIENT_VERSION " ends",
		    entry->line, proto_names[entry->proto]);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if ((entry->said & protocols[i].bit) != 0 && !protocols[i].with[entry->proto])
			return err_set(e, ERR_INTEGRITY,
			    "line %u: %s: expected with proto %s only, found with %s; OpenVPN " CLIENT_VERSION " ends",
			    entry->line, protocols[i].name, protocols[i].expected, proto_names[entry->proto]);
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if ((entry->said & pairs[i].bits) == pairs[i].bits)
			return err_set(e, ERR_INTEGRITY,
			    "line %u: expected not both of %s, found both; OpenVPN " CLIENT_VERSION " ends",
			    entry->line, pairs[i].names);
	}
	if ((entry->said & (HTTP_PROXY | HTTP_SERVER)) == HTTP_PROXY)
		return err_set(e, ERR_INTEGRITY,
		    "line %u: http-proxy: expected with its options, found the options alone; "
		    "OpenVPN " CLIENT_VERSION " ends",
		    entry->line);
	/* resolve_bind_local() in socket.c. */
	if ((entry->said & (is_ipv6(entry) ? LOCAL_IPV4 : LOCAL_IPV6)) != 0)
		return err_set(e, ERR_INTEGRITY,
		    "line %u: local: expected an IPv%d address with proto %s, found another; "
		    "OpenVPN " CLIENT_VERSION " ends",
		    entry->line, is_ipv6(entry) ? 6 : 4, proto_names[entry->proto]);
	return 0;
}

/* Of the places: how many are tried, how many of these can be reached, and the first that cannot. */
struct tally {
	bool client, random_host;
	size_t usable, reachable;
	struct ovpn_entry stranger;
};

/*
 * resolve_remote() and addr_guess_family() in socket.c: a protocol without a 6 has IPv4 alone, one with it IPv6 alone, and
 * another address is a name that cannot be resolved. Through a proxy it is the proxy that looks for the host.
 */
static bool
is_reachable(const struct ovpn_entry *entry, bool random_host)
{
	if ((entry->said & (HTTP_SERVER | SOCKS_PROXY)) != 0 || entry->host == OVPN_HOST_NAME)
		return true;
	return !random_host && (entry->host == OVPN_HOST_IPV6) == is_ipv6(entry);
}

/* Check it, and count it where it is one that is tried. */
static int
entries_try(const struct ovpn_entries *entries, const struct ovpn_entry *entry, struct tally *t, struct err *e)
{
	bool tcp = entry->proto == OVPN_TCP || entry->proto == OVPN_TCP6;

	if (entry_check(entry, t->client, e) != 0)
		return -1;
	if (entries->forced && entries->forced_tcp != tcp)
		return 0;
	t->usable++;
	if (is_reachable(entry, t->random_host))
		t->reachable++;
	else if (t->stranger.line == 0)
		t->stranger = *entry;
	return 0;
}

static int
unreachable(const struct tally *t, struct err *e)
{
	if (t->random_host)
		return err_set(e, ERR_INTEGRITY,
		    "line %u: remote: expected a name with remote-random-hostname, found an address, before which "
		    "OpenVPN " CLIENT_VERSION " puts random letters: it has none that it can reach",
		    t->stranger.line);
	return err_set(e, ERR_INTEGRITY,
	    "line %u: remote: expected an IPv%d address with proto %s, found another: OpenVPN " CLIENT_VERSION
	    " has none that it can reach (\"Cannot resolve host address\")",
	    t->stranger.line, is_ipv6(&t->stranger) ? 6 : 4, proto_names[t->stranger.proto]);
}

int
ovpn_entries_check(const struct ovpn_entries *entries, bool client, bool random_host, struct err *e)
{
	const struct ovpn_entry *global = &entries->global;
	struct tally t = { .client = client, .random_host = random_host };

	if ((global->said & (TUN_MTU | LINK_MTU)) == (TUN_MTU | LINK_MTU))
		return err_set(e, ERR_INTEGRITY,
		    "expected one of tun-mtu and link-mtu, found both; OpenVPN " CLIENT_VERSION " ends");
	for (size_t i = 0; i < entries->connection_count; i++) {
		struct ovpn_entry entry = entries->connections[i];

		entry.said = (entry.said & ~(unsigned int)GLOBAL) | (global->said & GLOBAL);
		if (entries_try(entries, &entry, &t, e) != 0)
			return -1;
	}
	for (size_t i = 0; entries->connection_count == 0 && i < entries->remote_count; i++) {
		struct ovpn_entry entry = *global;

		entry.line = entries->remotes[i].own.line;
		entry.host = entries->remotes[i].own.host;
		if (entries->remotes[i].has_proto) {
			entry.proto = entries->remotes[i].own.proto;
			entry.said = (entry.said & ~(unsigned int)EITHER_END) | entries->remotes[i].own.said;
		}
		if (entries_try(entries, &entry, &t, e) != 0)
			return -1;
	}
	if (t.usable == 0)
		return err_set(e, ERR_INTEGRITY,
		    "proto-force: expected a remote with %s, found none; OpenVPN " CLIENT_VERSION
		    " ends with \"No usable connection profiles are present\"",
		    entries->forced_tcp ? "TCP" : "UDP");
	return t.reachable > 0 ? 0 : unreachable(&t, e);
}
