/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_CLIENT_H
#define DSERIES_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The OpenVPN in the phone, taken for 2.3.2 (a D65 in the field says so), and as strict as 2.1 and 2.2 where those are
 * stricter: what the three take alike is safe.
 */
#define CLIENT_VERSION "2.3.2"
#define CLIENT_LINE_MAX 255		/* bytes of a line outside of blocks: OPTION_LINE_SIZE 256, options.c */
#define CLIENT_BLOCK_MAX 10000		/* bytes of an inline block; more is cut silently (fixed in 2.3.7) */
#define CLIENT_PEM_COLUMNS 76		/* base64 on longer lines: "bad base64 decode" in 2.2's OpenSSL */

enum client_directive_kind {
	CLIENT_UNKNOWN,		/* "Unrecognized option": the client ends */
	CLIENT_TAKES,		/* works in 2.1 to 2.3.2 */
	CLIENT_TAKES_2_3,	/* 2.3.2 takes it, 2.1 and 2.2 end */
	CLIENT_TOO_NEW,		/* a later OpenVPN's; 2.3.2 ends */
	CLIENT_NEEDS_PROMPT,	/* known, but asks for a password, which the phone has no means to enter */
	CLIENT_RUNS_PROGRAMS,	/* known, but starts programs or loads code; of no use in a phone */
};

struct client_directive {
	const char *name;
	enum client_directive_kind kind;
	unsigned char min_arguments, max_arguments;
	bool may_be_inline;	/* <name> ... </name> */
};

/* The entry, or NULL when the name is in no table: fatal for the client as well. */
const struct client_directive *client_directive_find(const char *name);
const struct client_directive *client_directive_at(size_t index);

#endif
