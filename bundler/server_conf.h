/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_SERVER_CONF_H
#define BUNDLER_SERVER_CONF_H

#include "bundler/profile.h"

/* What an OpenVPN 2.6 server needs beside the profile to take the phones. */
struct server_conf_params {
	const struct profile_params *profile;
	unsigned int port;
	/* "10.8.0.0/16"; ERR_INPUT unless an IPv4 network from /16 (OpenVPN refuses a larger one) to /29, host bits 0 */
	const char *network;
};

/*
 * Append server.conf, with ca.crt, server.crt, server.key and crl.pem named without a folder. It lets in the phones'
 * TLS 1.0 client as measured with 2.6.14 on OpenSSL 3.0.
 */
int server_conf_render(const struct server_conf_params *params, struct buf *out, struct err *e);

#endif
