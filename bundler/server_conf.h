/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_SERVER_CONF_H
#define BUNDLER_SERVER_CONF_H

#include "bundler/profile.h"

/* Names in the server's folder. */
#define SERVER_CONF "server.conf"
#define SERVER_CA "ca.crt"
#define SERVER_CERT "server.crt"
#define SERVER_KEY "server.key"
#define SERVER_CRL "crl.pem"
#define SERVER_CRL_DIR "crl"
#define SERVER_CCD "ccd"
#define SERVER_MANAGEMENT "management"

/* The first line of every text that phonevpn writes for the server: what has another one is somebody else's. */
#define SERVER_MADE_BY "# Made by phonevpn"

/* What phones of one model have in a bundle with which they may connect. */
struct server_conf_client {
	const char *model;
	const char *cipher, *auth;	/* as profile_parse_cipher() and profile_parse_auth() give them */
	bool comp_lzo;
};

/* What an OpenVPN server needs beside the profile to take the phones. */
struct server_conf_params {
	const struct profile_params *profile;
	unsigned int port;
	const char *network;		/* for network_parse() */
	const char *dir;		/* folder of the files, absolute: OpenVPN may be started anywhere */
	const char *user, *group;	/* what OpenVPN shall become once it is up; NULL: it stays what it is */
	bool crl_dir;			/* revocation by the folder of serials instead of the CRL */
	const struct server_conf_client *clients;	/* none: nothing is weakened */
	size_t client_count;
};

/*
 * Append server.conf, for OpenVPN 2.4 to 2.7 with OpenSSL 1.1 or later; with clients with comp-lzo and without at once,
 * for 2.6 and 2.7. It lets in the phones' TLS 1.0 client as measured with OpenVPN 2.3.2 as the client, and 2.4.12 on
 * OpenSSL 1.1.1 and 2.5.11, 2.6.14 and 2.7.6 on 3.0 as servers, and is weakened no further than the clients that are
 * given need; each such line has a comment with their models. ERR_INPUT when a value cannot be written: OpenVPN takes
 * lines of up to 254 bytes.
 */
int server_conf_render(const struct server_conf_params *params, struct buf *out, struct err *e);

/* Append a client-config file that gives its client the address of that number in the network. */
int server_conf_render_client(const char *network, unsigned int host, struct buf *out, struct err *e);

/* The two say the same to OpenVPN: they differ in comments and empty lines at most. */
bool server_conf_is_same(const struct buf *a, const struct buf *b);

#endif
