/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_CLIENT_H
#define BUNDLER_CHECK_CLIENT_H

#include "bundler/config.h"
#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the phone's side of a connection says, read from its bundle or its profile (which has no certificate) with the
 * defaults of OpenVPN 2.3.2. Nothing is judged.
 */
#define CLIENT_REMOTES_MAX 64	/* CONNECTION_LIST_SIZE, options.h of 2.3.2 */
#define CLIENT_USAGES_MAX 16	/* MAX_PARMS, options.h */
#define CLIENT_HOST_SIZE 256
#define CLIENT_STATIC_KEY_SIZE 256	/* bytes of a tls-auth key */

struct client_remote {
	char host[CLIENT_HOST_SIZE];
	unsigned int port;	/* 0 when it is no number from 1 to 65535 */
	bool tcp, ipv6;		/* ipv6: "udp6", "tcp6-client"; else the phone takes IPv4 only */
};

/* Which name verify-x509-name or tls-remote wants. */
enum client_name_kind {
	CLIENT_NAME_NONE,
	CLIENT_NAME_SUBJECT,
	CLIENT_NAME_COMMON,
	CLIENT_NAME_PREFIX,
	CLIENT_NAME_TLS_REMOTE,	/* the whole subject, or a beginning of the common name */
};

/* Strings are borrowed from the configuration; what libcrypto has and the key are its own. */
struct client_side {
	struct client_remote remote[CLIENT_REMOTES_MAX];
	size_t remote_count;
	bool tap;
	const char *cipher;		/* BF-CBC when absent */
	const char *auth;		/* SHA1 when absent */
	bool framing;			/* comp-lzo with whatever argument: each packet has a byte for it */
	bool compresses;		/* comp-lzo without "no" */
	bool tls_auth;
	int key_direction;		/* 0, 1, or -1 for both ways */
	unsigned char tls_auth_key[CLIENT_STATIC_KEY_SIZE];
	bool has_tls_auth_key;		/* it could be read */
	const char *tls_cipher;		/* or NULL */
	bool ns_cert_type;		/* ns-cert-type server */
	/* remote-cert-ku, remote-cert-tls: the server's keyUsage must be exactly one of these but 0; any when [0] is 0 */
	uint32_t key_usage[CLIENT_USAGES_MAX];
	const char *purpose;		/* remote-cert-eku: a name or an OID; remote-cert-tls says the same; or NULL */
	enum client_name_kind name_kind;
	const char *name;
	bool fragment;			/* also in a <connection> */
	bool no_replay, no_iv;
	bool subnet;			/* topology subnet of its own */
	unsigned long tun_mtu;		/* 0 when absent */
	bool pings;			/* keepalive, or ping with ping-restart, of its own */
	STACK_OF(X509) *cas;		/* of <ca>, maybe none */
	X509 *cert;			/* of <cert>, or NULL; */
	STACK_OF(X509) *chain;		/* what else stands there */
};

/*
 * ERR_INTEGRITY when <ca> or <cert> cannot be decoded. c must live as long as *ret, which client_side_release() takes,
 * also after a failure.
 */
int client_side_read(const struct config *c, struct client_side *ret, struct err *e);
void client_side_release(struct client_side *c);

/* The static key of OpenVPN in a text ("BEGIN OpenVPN Static key V1"); false when it has none. The key is secret. */
bool client_static_key(const char *text, unsigned char ret_key[CLIENT_STATIC_KEY_SIZE]);

#endif
