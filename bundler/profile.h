/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_PROFILE_H
#define BUNDLER_PROFILE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Lower-case hex of a profile's SHA-256, and NUL: its name. */
#define PROFILE_HASH_SIZE 65

#define PROFILE_REMOTES_MAX 16

enum profile_proto {
	PROFILE_UDP,
	PROFILE_TCP,	/* written as tcp-client, which every version takes with "client" */
};

/* How the phone makes sure that it talks to a server. */
enum profile_server_check {
	PROFILE_REMOTE_CERT_TLS,	/* key usage and extended key usage */
	PROFILE_NS_CERT_TYPE,		/* the vendor's sample; needs nsCertType in the server certificate */
};

struct profile_remote {
	char host[256];
	unsigned int port;
};

/* The part of a bundle that all phones of a kind share. */
struct profile_params {
	struct profile_remote remotes[PROFILE_REMOTES_MAX];
	size_t remote_count;		/* at least one; tried in this order */
	enum profile_proto proto;
	enum profile_server_check server_check;
	const char *cipher;		/* a data-channel cipher of the phone's list; explicit, 2.3.2 assumes BF-CBC */
	const char *auth;		/* HMAC digest; both sides must say the same */
	bool comp_lzo;
	unsigned int verb;		/* 0 to 11 */
};

/* One DER certificate, borrowed. */
struct profile_ca {
	const void *der;
	size_t len;
};

/*
 * A host name, IPv4 or IPv6 address as OpenVPN's remote takes it, within 255 bytes and without blanks, quotes or
 * comment characters. ERR_INPUT otherwise; what names it in the text.
 */
int profile_check_host(const char *host, const char *what, struct err *e);

/* host is an IPv6 address; the protocol then needs a 6 ("udp6"). */
bool profile_host_is_ipv6(const char *host);

/* The cipher of the phone's list, or the digest, in its table's spelling; s in either case. ERR_INPUT when it is none. */
int profile_parse_cipher(const char *s, const char **ret, struct err *e);
int profile_parse_auth(const char *s, const char **ret, struct err *e);

/*
 * Append the profile's text: directives, then all CA certificates in one <ca> block (the last block would replace the
 * others). The same parameters give the same bytes for ever. ERR_INPUT when a value cannot be written, when a line is
 * over CLIENT_LINE_MAX or the block over CLIENT_BLOCK_MAX. Without a CA (count 0) the block is left out: no bundle, but
 * enough to judge the parameters.
 */
int profile_render(const struct profile_params *params, const struct profile_ca *cas, size_t count, struct buf *out,
    struct err *e);

int profile_hash(const void *text, size_t len, char ret_hash[PROFILE_HASH_SIZE], struct err *e);

/* For settings: "udp" or "tcp"; "remote-cert-tls" or "ns-cert-type". */
int profile_parse_proto(const char *s, enum profile_proto *ret, struct err *e);
int profile_parse_server_check(const char *s, enum profile_server_check *ret, struct err *e);

#endif
