/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <string.h>

/*
 * Compression, of which only the framing matters: the rows that were measured with clients of 2.1 to 2.3, the phone's
 * among them. A later client goes after what the server pushes, and these do so only within comp-lzo.
 */

/* The line that sets it, of comp-lzo and compress the last. */
static const struct config_line *
comp_line(const struct check_server *s)
{
	const struct config_line *found = NULL;

	for (size_t i = 0; i < s->config.count; i++) {
		const char *name = config_word(&s->config.line[i], 0);

		if (name != NULL && (strcmp(name, "comp-lzo") == 0 || strcmp(name, "compress") == 0))
			found = &s->config.line[i];
	}
	return found;
}

static enum server_framing
framing_of(const struct config_line *line)
{
	const char *what = config_word(line, 1);

	if (line == NULL)
		return FRAMING_NONE;
	if (strcmp(line->word[0], "comp-lzo") == 0)
		return what != NULL && strcmp(what, "no") == 0 ? FRAMING_LZO_STUB : FRAMING_LZO;
	if (what != NULL && strcmp(what, "migrate") == 0)
		return FRAMING_MIGRATE;
	if (what != NULL && (strcmp(what, "stub-v2") == 0 || strcmp(what, "lz4-v2") == 0))
		return FRAMING_V2;
	return what != NULL && strcmp(what, "lzo") == 0 ? FRAMING_LZO : FRAMING_OTHER;
}

/* "allow-compression" with that word, anywhere. */
static bool
allows(const struct check_server *s, const char *word)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "allow-compression")) != NULL)
		if (line->words > 1 && strcmp(line->word[1], word) == 0)
			return true;
	return false;
}

/* comp_non_stub_enabled() in comp.h. */
static bool
compresses(const struct config_line *line)
{
	const char *what = config_word(line, 1);

	if (line == NULL || framing_of(line) == FRAMING_LZO_STUB || framing_of(line) == FRAMING_MIGRATE)
		return false;
	return strcmp(line->word[0], "comp-lzo") == 0 || (what != NULL && strncmp(what, "stub", 4) != 0);
}

void
server_comp_open(struct check_server *s, struct findings *out)
{
	const struct config_line *line = comp_line(s);

	s->framing = framing_of(line);
	if (allows(s, "no") && compresses(line))
		server_found(s, out, SERVER_COMP_REFUSED, line,
		    "expected no compression beside allow-compression no, found %s",
		    line->words > 1 ? line->word[1] : "it");
}

/* push "comp-lzo no" (or "compress ...", which 2.3.2 does not know). */
static bool
pushes_no(const struct check_server *s)
{
	const struct config_line *line = NULL;
	bool found = false;

	while ((line = config_next(&s->config, line, "push")) != NULL) {
		const char *option = config_word(line, 1);

		if (option != NULL && strncmp(option, "comp-lzo", strlen("comp-lzo")) == 0)
			found = strcmp(option, "comp-lzo no") == 0;
	}
	return found;
}

static bool
agree(const struct check_server *s, const struct client_side *c)
{
	switch (s->framing) {
	case FRAMING_NONE:
		return !c->framing;
	case FRAMING_LZO:
		return c->framing;
	case FRAMING_LZO_STUB:
		return c->framing && (!c->compresses || pushes_no(s));
	case FRAMING_MIGRATE:
		return true;
	case FRAMING_V2:
		/* By itself 2.6 does not compress what it sends. */
		return !c->framing && !(compresses(comp_line(s)) && allows(s, "yes"));
	case FRAMING_OTHER:
		return false;
	}
	return false;
}

void
server_comp_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	const struct config_line *line = comp_line(s);
	const char *what = config_word(line, 1);

	if (agree(s, c))
		return;
	server_found(s, out, SERVER_COMP, line, "expected %s, as in %s, found %s%s%s",
	    !c->framing     ? "no compression"
	    : c->compresses ? "comp-lzo"
			    : "comp-lzo no",
	    name, line == NULL ? "none" : line->word[0], what == NULL ? "" : " ", what == NULL ? "" : what);
}

void
server_comp_alone(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = comp_line(s);

	if (s->framing == FRAMING_OTHER)
		server_found(s, out, SERVER_COMP, line,
		    "expected what OpenVPN 2.3.2 has, comp-lzo or nothing, found %s %s", line->word[0],
		    line->words > 1 ? line->word[1] : "");
}
