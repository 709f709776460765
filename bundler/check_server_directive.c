/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <string.h>

#define WORD_MAX 48

/* One pass over the lines, as add_option() in options.c of 2.6.14 sees them. */
struct walk {
	const struct check_server *s;
	struct findings *out;
	bool forward;                       /* "setenv FORWARD_COMPATIBLE 1" stood before */
	const struct config_line *ignoring; /* the first "ignore-unknown-option" so far */
	bool no_word;
};

bool
server_is_word(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && len <= WORD_MAX && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* A tag where a directive belongs: one without its other half, or with something behind it. */
static bool
is_tag(const char *word)
{
	size_t len = strlen(word);

	return len > 2 && len <= WORD_MAX && word[0] == '<' && word[len - 1] == '>' &&
	       strspn(word, "</>-abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static size_t
arguments(const struct config_line *line)
{
	return line->content != NULL ? 1 : line->words - 1;
}

/* "ignore-unknown-option NAME..." in a line before this one. */
static bool
is_named(const struct walk *w, const struct config_line *line)
{
	const struct config_line *at = w->ignoring;

	for (; at != NULL && at < line; at = config_next(&w->s->config, at, "ignore-unknown-option"))
		for (size_t i = 1; i < at->words; i++)
			if (strcmp(at->word[i] + (strncmp(at->word[i], "--", 2) == 0 ? 2 : 0), line->word[0]) == 0)
				return true;
	return false;
}

/* OpenVPN warns and goes on where it does not know a directive, or not with so many arguments. */
static bool
is_overlooked(const struct walk *w, const struct config_line *line)
{
	return w->forward || w->s->origin[line - w->s->config.line].optional || is_named(w, line);
}

static void
unknown(struct walk *w, const struct config_line *line)
{
	const char *name = line->word[0];

	if (is_overlooked(w, line)) {
		server_found(w->s, w->out, SERVER_DIRECTIVE_IGNORED, line,
		    "expected a directive of OpenVPN 2.6, found one that it does not know and overlooks");
	} else if (is_tag(name)) {
		server_found(w->s, w->out, SERVER_DIRECTIVE_UNKNOWN, line,
		    "expected an opening tag alone on its line, found %s", name);
	} else if (server_is_word(name)) {
		server_found(w->s, w->out, SERVER_DIRECTIVE_UNKNOWN, line,
		    "expected a directive of OpenVPN 2.6, found one that it does not know");
	} else if (!w->no_word) {
		/* A lost key has many such lines, and one is enough to find it. */
		server_found(w->s, w->out, SERVER_DIRECTIVE_UNKNOWN, line,
		    "expected a directive, found what is none (not shown: it may be part of a key)");
		w->no_word = true;
	}
}

static void
stranger(const struct walk *w, const struct config_line *line, const struct server_stranger *d)
{
	if (!d->always && is_overlooked(w, line))
		server_found(w->s, w->out, SERVER_DIRECTIVE_IGNORED, line,
		    "expected a directive of OpenVPN 2.6, found one of %s%s, which it overlooks",
		    d->rule == SERVER_DIRECTIVE_REMOVED ? "before " : "", d->of);
	else if (d->rule == SERVER_DIRECTIVE_REMOVED)
		server_found(w->s, w->out, d->rule, line, "expected no %s, found it; OpenVPN %s removed it", d->name,
		    d->of);
	else if (d->rule == SERVER_DIRECTIVE_LATER)
		server_found(w->s, w->out, d->rule, line, "expected a directive of OpenVPN 2.6, found one that %s has",
		    d->of);
	else
		server_found(w->s, w->out, d->rule, line,
		    "expected a directive of OpenVPN 2.6 on Linux, found one for %s", d->of);
}

static const char *
plural(unsigned int count)
{
	return count == 1 ? "" : "s";
}

/* False when the server ends, or overlooks the line. */
static bool
arguments_check(const struct walk *w, const struct config_line *line, const struct server_directive *d)
{
	size_t found = arguments(line);
	unsigned int wanted = found < d->min ? d->min : d->max;
	const char *bound = d->min == d->max ? "" : found < d->min ? "at least " : "at most ";

	if (found >= d->min && found <= d->max)
		return true;
	if (wanted == 0)
		server_found(w->s, w->out,
		    is_overlooked(w, line) ? SERVER_DIRECTIVE_IGNORED : SERVER_DIRECTIVE_ARGUMENTS, line,
		    "expected no argument, found %zu", found);
	else
		server_found(w->s, w->out,
		    is_overlooked(w, line) ? SERVER_DIRECTIVE_IGNORED : SERVER_DIRECTIVE_ARGUMENTS, line,
		    "expected %s%u argument%s, found %zu", bound, wanted, plural(wanted), found);
	return false;
}

/* False when the server ends. */
static bool
kind_check(const struct walk *w, const struct config_line *line, const struct server_directive *d)
{
	if (line->content != NULL && !d->block) {
		server_found(w->s, w->out, SERVER_DIRECTIVE_MISPLACED, line,
		    "expected %s with its argument, found <%s>", d->name, d->name);
		return false;
	}
	switch (d->kind) {
	case DIRECTIVE_CLIENT_CONFIG:
		server_found(w->s, w->out, SERVER_DIRECTIVE_MISPLACED, line,
		    "expected %s in a file of client-config-dir, found it here", d->name);
		return false;
	case DIRECTIVE_ENDS:
		server_found(w->s, w->out, SERVER_DIRECTIVE_MISPLACED, line,
		    "expected nothing that OpenVPN does in place of serving, found it");
		return false;
	case DIRECTIVE_IGNORED:
		server_found(w->s, w->out, SERVER_DIRECTIVE_IGNORED, line, "expected no %s, found it", d->name);
		break;
	case DIRECTIVE_TAKES:
		break;
	}
	return true;
}

static void
line_check(struct walk *w, const struct config_line *line)
{
	const struct server_directive *d = server_directive_find(line->word[0]);
	const struct server_stranger *other = d != NULL ? NULL : server_stranger_find(line->word[0]);

	if (other != NULL)
		stranger(w, line, other);
	else if (d == NULL)
		unknown(w, line);
	else if (arguments_check(w, line, d) && kind_check(w, line, d))
		line->content == NULL ? server_value_check(w->s, line, w->out) : server_block_check(w->s, line, w->out);
}

static bool
goes_forward(const struct config_line *line)
{
	return line->words == 3 && strcmp(line->word[0], "setenv") == 0 &&
	       strcmp(line->word[1], "FORWARD_COMPATIBLE") == 0 && strcmp(line->word[2], "1") == 0;
}

void
server_directives_open(const struct check_server *s, struct findings *out)
{
	struct walk w = { .s = s, .out = out };

	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_line *line = &s->config.line[i];

		if (line->fault != CONFIG_FINE)
			continue;
		line_check(&w, line);
		w.forward = w.forward || goes_forward(line);
		if (w.ignoring == NULL && strcmp(line->word[0], "ignore-unknown-option") == 0)
			w.ignoring = line;
	}
}
