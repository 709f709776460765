/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PLACES_MAX 64 /* CONNECTION_LIST_SIZE in 2.3.2's options.h */

/*
 * What 2.3.2 checks of every place to connect to when it has read the whole file (options_postprocess_verify_ce() in
 * options.c). A <connection> begins with what was said before it; a remote takes what the whole file says, and counts
 * only where there is no <connection>.
 */

enum proto {
	PROTO_UDP,
	PROTO_UDP6,
	PROTO_TCP,
	PROTO_TCP6,
	PROTO_COUNT,
};

static const char *const proto_names[PROTO_COUNT] = { "udp", "udp6", "tcp-client", "tcp6-client" };

/* What was said of a place, as far as it can be wrong. */
enum {
	SAID_CONNECT_RETRY = 1 << 0,
	SAID_CONNECT_TIMEOUT = 1 << 1,
	SAID_HTTP = 1 << 2,       /* anything about an HTTP proxy; */
	SAID_HTTP_PROXY = 1 << 3, /* the proxy itself */
	SAID_SOCKS_PROXY = 1 << 4,
	SAID_FRAGMENT = 1 << 5,
	SAID_EXIT_NOTIFY = 1 << 6,
	SAID_MTU_TEST = 1 << 7,
	SAID_REPLAY_WINDOW = 1 << 8,
	SAID_NO_REPLAY = 1 << 9,
	SAID_BIND = 1 << 10,
	SAID_NOBIND = 1 << 11,
	SAID_LOCAL = 1 << 12,
	SAID_LPORT = 1 << 13,
	SAID_TUN_MTU = 1 << 14,
	SAID_LINK_MTU = 1 << 15,
	/* These are the whole file's. */
	SAID_GLOBAL = SAID_MTU_TEST | SAID_REPLAY_WINDOW | SAID_NO_REPLAY,
};

static const struct {
	const char *name;
	unsigned int said;
} directives[] = {
	{ "bind", SAID_BIND },
	{ "connect-retry", SAID_CONNECT_RETRY },
	{ "connect-timeout", SAID_CONNECT_TIMEOUT },
	{ "explicit-exit-notify", SAID_EXIT_NOTIFY },
	{ "fragment", SAID_FRAGMENT },
	{ "http-proxy", SAID_HTTP | SAID_HTTP_PROXY },
	{ "http-proxy-option", SAID_HTTP },
	{ "http-proxy-retry", SAID_HTTP },
	{ "http-proxy-timeout", SAID_HTTP },
	{ "link-mtu", SAID_LINK_MTU },
	{ "local", SAID_LOCAL },
	{ "lport", SAID_LPORT },
	{ "mtu-test", SAID_MTU_TEST },
	{ "no-replay", SAID_NO_REPLAY },
	{ "nobind", SAID_NOBIND },
	{ "replay-window", SAID_REPLAY_WINDOW },
	{ "socks-proxy", SAID_SOCKS_PROXY },
	{ "tun-mtu", SAID_TUN_MTU },
	{ "udp-mtu", SAID_LINK_MTU },
};

struct place {
	enum proto proto;
	bool either_end; /* "tcp": client or server, as the directive client says */
	const char *host;
	unsigned int said;
};

struct places {
	struct ovpn_check *ck;
	bool client;
	bool forced, forced_tcp;
	size_t connections, remotes, usable, reachable;
	unsigned int stranger; /* the first line whose address is of the other kind */
};

static bool
proto_read(const char *word, enum proto *ret_proto, bool *ret_either)
{
	*ret_either = strcmp(word, "tcp") == 0 || strcmp(word, "tcp6") == 0;
	if (*ret_either) {
		*ret_proto = word[3] == '6' ? PROTO_TCP6 : PROTO_TCP;
		return true;
	}
	for (size_t i = 0; i < PROTO_COUNT; i++) {
		if (strcmp(proto_names[i], word) == 0) {
			*ret_proto = (enum proto)i;
			return true;
		}
	}
	return false;
}

bool
ovpn_proto_is_known(const char *word)
{
	enum proto proto;
	bool either;

	return proto_read(word, &proto, &either);
}

static bool
proto_is_tcp(enum proto proto)
{
	return proto == PROTO_TCP || proto == PROTO_TCP6;
}

static void
place_proto(struct place *place, const char *word)
{
	enum proto proto;
	bool either;

	if (word == NULL || !proto_read(word, &proto, &either))
		return;
	place->proto = proto;
	place->either_end = either;
}

/* OpenVPN's positive_atoi(): what is no number is 0. */
static long
number(const char *word)
{
	long n = strtol(word, NULL, 10);

	return n > 0 ? n : 0;
}

/* The value takes the directive back: 0, and for replay-window the defaults of packet_id.h. */
static bool
is_void(const struct config_line *line, unsigned int said)
{
	const char *first = config_word(line, 1), *second = config_word(line, 2);

	if (said == SAID_FRAGMENT || said == SAID_EXIT_NOTIFY)
		return first != NULL && number(first) == 0;
	if (said == SAID_REPLAY_WINDOW)
		return (first == NULL || number(first) == 64) && (second == NULL || number(second) == 15);
	return false;
}

static void
place_say(struct place *place, const struct config_line *line)
{
	if (line->fault != CONFIG_FINE || line->content != NULL)
		return;
	if (strcmp(line->word[0], "proto") == 0)
		place_proto(place, config_word(line, 1));
	for (size_t i = 0; i < COUNT(directives); i++) {
		if (strcmp(directives[i].name, line->word[0]) != 0)
			continue;
		place->said |= directives[i].said;
		if (is_void(line, directives[i].said))
			place->said &= ~directives[i].said;
	}
}

/* An HTTP proxy goes with TCP over IPv4 only, as 2.3.2 has it. */
static void
protocol_check(const struct places *ps, const struct place *place, unsigned int line)
{
	static const struct {
		unsigned int said;
		bool with[PROTO_COUNT];
		const char *name, *expected;
	} rules[] = {
		{ SAID_CONNECT_RETRY, { [PROTO_TCP] = true, [PROTO_TCP6] = true }, "connect-retry", "tcp-client" },
		{ SAID_CONNECT_TIMEOUT, { [PROTO_TCP] = true, [PROTO_TCP6] = true }, "connect-timeout", "tcp-client" },
		{ SAID_HTTP, { [PROTO_TCP] = true }, "http-proxy", "tcp-client" },
		{ SAID_FRAGMENT, { [PROTO_UDP] = true, [PROTO_UDP6] = true }, "fragment", "udp" },
		{ SAID_EXIT_NOTIFY, { [PROTO_UDP] = true, [PROTO_UDP6] = true }, "explicit-exit-notify", "udp" },
		{ SAID_MTU_TEST, { [PROTO_UDP] = true, [PROTO_UDP6] = true }, "mtu-test", "udp" },
		{ SAID_REPLAY_WINDOW, { [PROTO_UDP] = true, [PROTO_UDP6] = true }, "replay-window", "udp" },
	};

	for (size_t i = 0; i < COUNT(rules); i++)
		if ((place->said & rules[i].said) != 0 && !rules[i].with[place->proto])
			ovpn_found(ps->ck, OVPN_PROTO_DIRECTIVE, line, rules[i].name,
			    "expected with proto %s only, found with %s", rules[i].expected, proto_names[place->proto]);
	if (place->either_end && !ps->client)
		ovpn_found(ps->ck, OVPN_PROTO, line, "proto",
		    "expected %s where there is no directive client, found one that says neither end",
		    proto_names[place->proto]);
}

static void
conflict_check(const struct places *ps, const struct place *place, unsigned int line)
{
	static const struct {
		unsigned int said;
		const char *names;
	} pairs[] = {
		{ SAID_BIND | SAID_NOBIND, "bind and nobind" },
		{ SAID_LOCAL | SAID_NOBIND, "local and nobind" },
		{ SAID_LPORT | SAID_NOBIND, "lport and nobind" },
		{ SAID_HTTP | SAID_SOCKS_PROXY, "http-proxy and socks-proxy" },
		{ SAID_NO_REPLAY | SAID_REPLAY_WINDOW, "no-replay and replay-window" },
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		if ((place->said & pairs[i].said) == pairs[i].said)
			ovpn_found(ps->ck, OVPN_CONFLICT, line, NULL, "expected not both of %s, found both",
			    pairs[i].names);
	if ((place->said & (SAID_HTTP | SAID_HTTP_PROXY)) == SAID_HTTP)
		ovpn_found(ps->ck, OVPN_CONFLICT, line, "http-proxy",
		    "expected with its options, found the options alone");
}

/* resolve_remote() in 2.3.2's socket.c: with a 6 it takes IPv6 alone, without one IPv4. A name may have either. */
static void
family_read(struct places *ps, const struct place *place, unsigned int line)
{
	const bool six = place->proto == PROTO_UDP6 || place->proto == PROTO_TCP6;
	unsigned char address[sizeof(struct in6_addr)];

	if (place->host != NULL && inet_pton(six ? AF_INET : AF_INET6, place->host, address) == 1)
		ps->stranger = ps->stranger == 0 ? line : ps->stranger;
	else
		ps->reachable++;
}

static void
place_check(struct places *ps, const struct place *place, unsigned int line)
{
	ps->usable += !ps->forced || ps->forced_tcp == proto_is_tcp(place->proto);
	protocol_check(ps, place, line);
	conflict_check(ps, place, line);
}

/* The lines of a <connection>, as far as the phone keeps them. */
static void
connection_read(struct places *ps, const struct config_line *block, const struct place *before, unsigned int global)
{
	struct ovpn_check inner = { .file = ps->ck->file, .params = ps->ck->params, .out = ps->ck->out };
	struct place place = *before;
	struct err e = ERR_INIT;
	bool has_remote = false;
	struct config c;

	inner.base = block->content_line - 1;
	inner.inside = true;
	if (config_read(block->content, ovpn_block_kept(block), &c, &e) != 0)
		inner.out->broken = true;
	for (size_t i = 0; i < c.count; i++) {
		const struct config_line *line = &c.line[i];

		if (line->content != NULL)
			ovpn_found(&inner, OVPN_CONNECTION, line->number, NULL, "expected no block in it, found one");
		else
			ovpn_directive_check(&inner, line);
		place_say(&place, line);
		if (line->content == NULL && line->words > 1 && strcmp(line->word[0], "remote") == 0) {
			has_remote = true;
			place.host = line->word[1];
			place_proto(&place, config_word(line, 3));
		}
	}
	if (!has_remote)
		ovpn_found(ps->ck, OVPN_CONNECTION, block->number, "<connection>",
		    "expected a remote in it, found none");
	place.said = (place.said & ~(unsigned int)SAID_GLOBAL) | global;
	family_read(ps, &place, block->number);
	place_check(ps, &place, block->number);
	config_release(&c);
}

static void
connections_read(struct places *ps, const struct config *c, unsigned int global)
{
	struct place before = { .proto = PROTO_UDP };

	for (size_t i = 0; i < c->count; i++) {
		const struct config_line *line = &c->line[i];

		if (line->content != NULL && line->closed && strcmp(line->word[0], "connection") == 0) {
			if (++ps->connections <= PLACES_MAX)
				connection_read(ps, line, &before, global);
		} else {
			place_say(&before, line);
		}
	}
}

/* Those that say no protocol of their own are all alike: only the first is judged. */
static void
remotes_read(struct places *ps, const struct config *c, const struct place *all)
{
	bool judged = false;

	for (const struct config_line *at = NULL; (at = config_next(c, at, "remote")) != NULL;) {
		struct place place = *all;

		if (at->content != NULL || at->words < 2 || at->fault != CONFIG_FINE)
			continue;
		ps->remotes++;
		if (ps->connections > 0 || ps->remotes > PLACES_MAX)
			continue;
		place.host = at->word[1];
		place_proto(&place, config_word(at, 3));
		family_read(ps, &place, at->number);
		if (config_word(at, 3) == NULL && judged)
			continue;
		judged = judged || config_word(at, 3) == NULL;
		place_check(ps, &place, at->number);
	}
}

static void
forced_read(struct places *ps, const struct config *c)
{
	const char *word = config_word(config_find(c, "proto-force"), 1);
	enum proto proto;
	bool either;

	ps->forced = word != NULL && proto_read(word, &proto, &either);
	ps->forced_tcp = ps->forced && proto_is_tcp(proto);
}

static void
count_check(const struct places *ps)
{
	size_t most = ps->connections > ps->remotes ? ps->connections : ps->remotes;

	if (most > PLACES_MAX)
		ovpn_found(ps->ck, OVPN_REMOTE_MANY, 0, ps->remotes == most ? "remote" : "<connection>",
		    "expected at most %d, found %zu", PLACES_MAX, most);
	if (most == 0)
		ovpn_found(ps->ck, OVPN_REMOTE_MISSING, 0, "remote", "expected a remote to connect to, found none");
	else if (ps->stranger != 0 && ps->reachable == 0)
		ovpn_found(ps->ck, OVPN_REMOTE_FAMILY, ps->stranger, "remote",
		    "expected an IPv4 address with udp or tcp-client, an IPv6 address with udp6 or tcp6-client, found "
		    "the other");
	else if (ps->usable == 0)
		ovpn_found(ps->ck, OVPN_PROTO_FORCE, 0, "proto-force", "expected a remote with %s, found none",
		    ps->forced_tcp ? "TCP" : "UDP");
}

void
ovpn_remotes_check(struct ovpn_check *ck, const struct config *c)
{
	struct places ps = { .ck = ck, .client = config_find(c, "client") != NULL };
	struct place all = { .proto = PROTO_UDP };

	for (size_t i = 0; i < c->count; i++)
		place_say(&all, &c->line[i]);
	forced_read(&ps, c);
	connections_read(&ps, c, all.said & SAID_GLOBAL);
	remotes_read(&ps, c, &all);
	if ((all.said & (SAID_TUN_MTU | SAID_LINK_MTU)) == (SAID_TUN_MTU | SAID_LINK_MTU))
		ovpn_found(ck, OVPN_CONFLICT, 0, NULL, "expected not both of tun-mtu and link-mtu, found both");
	count_check(&ps);
}
