/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_PROFILE_READ_H
#define BUNDLER_PROFILE_READ_H

#include "bundler/profile.h"

/* What a stored profile asks of the server. */
struct profile_needs {
	const char *cipher, *auth;	/* of profile_parse_cipher() and profile_parse_auth() */
	enum profile_proto proto;
	bool comp_lzo;
	unsigned int port[PROFILE_REMOTES_MAX];	/* of its remotes, the server's first */
	size_t ports;
};

/*
 * Read them from a profile's text; what it does not say is what OpenVPN 2.3.2 assumes (BF-CBC, SHA1, UDP). ERR_INPUT for
 * a cipher or digest that no phone has.
 */
int profile_read_needs(const void *text, size_t len, struct profile_needs *ret, struct err *e);

/* One of its remotes is at that port. */
bool profile_needs_port(const struct profile_needs *n, unsigned int port);

#endif
