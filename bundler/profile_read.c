/* SPDX-License-Identifier: ISC */
#include "bundler/profile_read.h"

#include <stdio.h>
#include <string.h>

#define WORD_SIZE 64

/* "directive argument" of one line; "" where there is none. What is longer than a word is no directive of these. */
static void
line_words(const char *line, size_t len, char directive[WORD_SIZE], char argument[WORD_SIZE])
{
	char text[2 * WORD_SIZE] = "";

	directive[0] = argument[0] = '\0';
	if (len < sizeof(text)) {
		memcpy(text, line, len);
		(void)sscanf(text, "%63s %63s", directive, argument);
	}
}

static int
line_take(const char *directive, const char *argument, struct profile_needs *n, struct err *e)
{
	if (strcmp(directive, "cipher") == 0)
		return profile_parse_cipher(argument, &n->cipher, e);
	if (strcmp(directive, "auth") == 0)
		return profile_parse_auth(argument, &n->auth, e);
	if (strcmp(directive, "comp-lzo") == 0)
		n->comp_lzo = true;
	else if (strcmp(directive, "proto") == 0)
		n->proto = strncmp(argument, "tcp", 3) == 0 ? PROFILE_TCP : PROFILE_UDP;
	return 0;
}

int
profile_read_needs(const void *text, size_t len, struct profile_needs *ret, struct err *e)
{
	const char *line = text, *end = line + len;
	struct profile_needs n = { .cipher = "BF-CBC", .auth = "SHA1", .proto = PROFILE_UDP };
	char directive[WORD_SIZE], argument[WORD_SIZE];
	bool in_block = false;

	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop != NULL ? stop : end) - line);

		line_words(line, length, directive, argument);
		if (directive[0] == '<')
			in_block = directive[1] != '/';
		else if (!in_block && line_take(directive, argument, &n, e) != 0)
			return err_prefix(e, "profile");
		line += length + (stop != NULL ? 1 : 0);
	}
	*ret = n;
	return 0;
}
