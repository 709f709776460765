/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_ENTRY_H
#define PHONE_OVPN_ENTRY_H

#include "common/err.h"
#include "phone/ovpn_line.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What 2.3.2 checks of each place to connect to when the whole file is read (options_postprocess_verify_ce() in its
 * options.c): directives that do not go with the protocol, and those that do not go together.
 *
 * A <connection> begins as a copy of what was said before it; a remote takes what the whole file says. Where there is a
 * <connection>, the remotes outside of it do not count.
 */

#define OVPN_ENTRIES_MAX 64 /* CONNECTION_LIST_SIZE, options.h */

enum ovpn_proto {
	OVPN_UDP,
	OVPN_UDP6,
	OVPN_TCP,
	OVPN_TCP6,
};

enum ovpn_host {
	OVPN_HOST_NAME,		/* which may have addresses of either family */
	OVPN_HOST_IPV4,
	OVPN_HOST_IPV6,
};

struct ovpn_entry {
	enum ovpn_proto proto;
	enum ovpn_host host;	/* of the remote */
	unsigned int said;	/* bits, of the directives that ovpn_entry.c names */
	unsigned int line;	/* of the remote, or of the <connection> */
};

struct ovpn_entries {
	struct ovpn_entry global;	/* said outside of <connection> so far */
	bool forced, forced_tcp;	/* proto-force: places with the other kind of protocol are passed over */
	size_t remote_count, connection_count;
	struct {
		struct ovpn_entry own;	/* its third argument */
		bool has_proto;
	} remotes[OVPN_ENTRIES_MAX];
	struct ovpn_entry connections[OVPN_ENTRIES_MAX];
};

/* Set a protocol that a client can have. False for another word. */
bool ovpn_entry_proto(struct ovpn_entry *entry, const char *word);

/* Take note of a directive; of most there is nothing to note. */
void ovpn_entry_say(struct ovpn_entry *entry, const struct ovpn_words *w);

enum ovpn_host ovpn_host(const char *word);

/* A remote outside of <connection> (proto NULL: it has none of its own), or a <connection>. False: too many. */
bool ovpn_entries_remote(struct ovpn_entries *entries, unsigned int line, const char *host, const char *proto);
bool ovpn_entries_connection(struct ovpn_entries *entries, const struct ovpn_entry *entry);

/*
 * At the end of the file: ERR_INTEGRITY for the first place that 2.3.2 does not take, or when it can reach none. client:
 * the directive client was said, without which tcp means neither end. random_host: remote-random-hostname was, which
 * makes a name of an address, too.
 */
int ovpn_entries_check(const struct ovpn_entries *entries, bool client, bool random_host, struct err *e);

#endif
