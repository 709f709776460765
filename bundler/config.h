/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CONFIG_H
#define BUNDLER_CONFIG_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A configuration in OpenVPN's language, a client's or a server's: lines of words, and inline blocks. Read as OpenVPN
 * 2.6 does (options.c, read_config_file() and parse_line()); where the phone's 2.3.2 reads otherwise it is marked.
 * Nothing is judged here.
 */
#define CONFIG_MAX (1 << 20)	/* bytes of a file */
#define CONFIG_WORDS_MAX 16	/* OpenVPN overlooks what stands behind them */

enum config_fault {
	CONFIG_FINE,
	CONFIG_QUOTE_OPEN,	/* a quotation without its end */
	CONFIG_BACKSLASH,	/* a backslash before something else than a backslash, a double quote or a blank */
	CONFIG_LONG,		/* over CLIENT_LINE_MAX bytes: 2.6 ends, 2.3.2 reads the rest as another line */
};

/* A directive, or a block "<ca>". */
struct config_line {
	unsigned int number;		/* of the line that it begins in, from 1 */
	size_t bytes;			/* of that line without its end */
	enum config_fault fault;	/* then the words are those before it */
	size_t words;			/* at least 1 but with a fault; a block has 1, the name of its tag */
	char *word[CONFIG_WORDS_MAX];	/* NUL-terminated; a leading "--" is dropped */

	/* a block's content: the lines between its tags as they are, or NULL for a directive */
	char *content;			/* NUL behind it; may hold a private key */
	size_t content_len;
	unsigned int content_line;	/* number of its first line */
	bool closed;			/* "</tag>" was found */
	bool close_indented;		/* a blank before "</tag>": up to 2.3.2 that is content, and the block goes on */
	size_t longest;			/* bytes of the longest line of the content */
};

struct config {
	struct config_line *line;	/* in the file's order, without comments and empty lines but those with a fault */
	size_t count, size;
	bool bom;			/* begins with a UTF-8 byte order mark, which 2.1 and 2.2 do not take */
	bool cr_only;			/* carriage returns without line feeds: one line to OpenVPN */
	unsigned int nul;		/* the first line with a NUL byte, or 0: OpenVPN overlooks the rest of that line */
};

/* Read a text of len bytes; ERR_INPUT when it is over CONFIG_MAX. Release it with config_release(), also after a failure. */
int config_read(const void *text, size_t len, struct config *ret, struct err *e);
void config_release(struct config *c);

/* The last directive or block of that name, which is the one that counts for most; NULL without one. */
const struct config_line *config_find(const struct config *c, const char *name);

/* The next one behind after (NULL: the first), for what may stand more than once. */
const struct config_line *config_next(const struct config *c, const struct config_line *after, const char *name);

/* Its word at index (0 is the name), or NULL when it has fewer; line may be NULL. */
const char *config_word(const struct config_line *line, size_t index);

#endif
