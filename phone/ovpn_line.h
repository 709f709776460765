/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_LINE_H
#define PHONE_OVPN_LINE_H

#include "dseries/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The lines and words of an .ovpn file, cut as OpenVPN 2.3.2 cuts them. */

struct ovpn_source {
	const char *data;
	size_t len, at;
	unsigned int line;	/* of the piece last taken, from 1 */
	bool mid_line;		/* the piece last taken did not end its line */
};

/* A line without its line feed, or CLIENT_LINE_MAX bytes of a longer one. */
struct ovpn_piece {
	const char *text;
	size_t len;
	bool cut;		/* more of the line follows */
};

/* False at the end. */
bool ovpn_piece_next(struct ovpn_source *src, struct ovpn_piece *ret);

#define OVPN_WORDS_MAX 16 /* more are ignored */

/* word[0] is the directive. The words may be part of a secret: cleanse. */
struct ovpn_words {
	size_t count;
	const char *word[OVPN_WORDS_MAX];
	size_t end[OVPN_WORDS_MAX];	/* where the word ends in the piece, its quotation mark included */
	char text[CLIENT_LINE_MAX + OVPN_WORDS_MAX + 1];
};

/* The words are equal. As strcmp(), and most differ in the first character: a fleet looks up many. */
static inline bool
ovpn_is(const char *word, const char *name)
{
	return word[0] == name[0] && strcmp(word, name) == 0;
}

/* False for a line that 2.3.2 ends at, *ret_why saying what was expected and found. */
bool ovpn_words_read(const struct ovpn_piece *piece, struct ovpn_words *ret, const char **ret_why);

#endif
