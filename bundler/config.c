/* SPDX-License-Identifier: ISC */
#include "bundler/config.h"

#include "dseries/client.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

struct source {
	const char *at, *end;
	unsigned int line; /* number of the last line that was taken */
};

/* One line without its end. */
struct piece {
	const char *text;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
piece_next(struct source *src, struct piece *ret)
{
	const char *feed;

	if (src->at == src->end)
		return false;
	feed = memchr(src->at, '\n', (size_t)(src->end - src->at));
	ret->text = src->at;
	ret->len = (size_t)((feed != NULL ? feed : src->end) - src->at);
	src->at = feed != NULL ? feed + 1 : src->end;
	src->line++;
	return true;
}

enum place {
	BETWEEN,
	BARE,
	DOUBLE_QUOTED,
	SINGLE_QUOTED,
};

struct lexer {
	struct config_line *line;
	enum place place;
	char *out; /* where the next byte goes; the words lie one behind the other */
	bool escaped;
};

static void
word_end(struct lexer *lx)
{
	*lx->out++ = '\0';
	lx->line->words++;
	lx->place = BETWEEN;
}

static void
word_begin(struct lexer *lx, enum place place)
{
	lx->line->word[lx->line->words] = lx->out;
	lx->place = place;
}

/* A byte inside a word. False at an escape that OpenVPN ends at. */
static bool
word_add(struct lexer *lx, char c)
{
	if (lx->escaped && c != '\\' && c != '"' && !is_blank(c))
		return false;
	*lx->out++ = c;
	return true;
}

/* One byte; false when nothing more of the line counts. */
static bool
lex(struct lexer *lx, char c)
{
	bool plain = !lx->escaped, rest = true;

	if (plain && c == '\\' && lx->place != SINGLE_QUOTED) {
		lx->escaped = true;
		return true;
	}
	if (lx->place == BETWEEN && !is_blank(c)) {
		if (c == '#' || c == ';' || lx->line->words == CONFIG_WORDS_MAX)
			return false;
		word_begin(lx, plain && c == '"' ? DOUBLE_QUOTED : plain && c == '\'' ? SINGLE_QUOTED : BARE);
		if (lx->place == BARE)
			rest = word_add(lx, c);
	} else if ((lx->place == BARE && plain && is_blank(c)) || (lx->place == DOUBLE_QUOTED && plain && c == '"') ||
		   (lx->place == SINGLE_QUOTED && c == '\'')) {
		word_end(lx);
	} else if (lx->place != BETWEEN) {
		rest = word_add(lx, c);
	}
	if (!rest)
		lx->line->fault = CONFIG_BACKSLASH;
	lx->escaped = false;
	return rest;
}

/* Each byte of a line, with its carriage return, becomes one at most; each word has a NUL and something before it. */
static size_t
text_size(const struct config_line *line)
{
	return 2 * (line->bytes + 1) + 2;
}

/* The words of a line into new memory at word[0]. */
static int
line_split(const struct piece *p, struct config_line *line, struct err *e)
{
	char *text = malloc(text_size(line));
	struct lexer lx = { .line = line, .out = text };
	size_t i = 0;

	if (text == NULL)
		return err_set(e, ERR_FAILED, "configuration, line %u: no memory", line->number);
	while (i < p->len && p->text[i] != '\0' && lex(&lx, p->text[i]))
		i++;
	/* Behind such a backslash comes the line feed, which it would make a part of the word. */
	if (lx.escaped && lx.place != BETWEEN)
		line->fault = CONFIG_BACKSLASH;
	if (line->fault == CONFIG_FINE && lx.place == BARE)
		word_end(&lx);
	else if (line->fault == CONFIG_FINE && lx.place != BETWEEN)
		line->fault = CONFIG_QUOTE_OPEN;
	if (line->bytes > CLIENT_LINE_MAX)
		line->fault = CONFIG_LONG;
	/* word[0] is what is freed. */
	if (line->words == 0) {
		line->word[0] = text;
		*text = '\0';
		return 0;
	}
	if (strncmp(line->word[0], "--", 2) == 0 && line->word[0][2] != '\0')
		memmove(line->word[0], line->word[0] + 2, strlen(line->word[0] + 2) + 1);
	return 0;
}

/* "<ca>" alone: then its name replaces it. */
static bool
block_begins(struct config_line *line)
{
	size_t len = line->words == 1 ? strlen(line->word[0]) : 0;

	if (len < 3 || line->word[0][0] != '<' || line->word[0][len - 1] != '>' || line->word[0][1] == '/')
		return false;
	memmove(line->word[0], line->word[0] + 1, len - 2);
	line->word[0][len - 2] = '\0';
	return true;
}

/* "</tag>", with whatever behind it, is the end. */
static bool
block_ends(const struct piece *p, const char *tag, bool *ret_indented)
{
	size_t blanks = 0, len = strlen(tag);

	while (blanks < p->len && is_blank(p->text[blanks]))
		blanks++;
	if (p->len - blanks < len + 3 || memcmp(p->text + blanks, "</", 2) != 0 ||
	    memcmp(p->text + blanks + 2, tag, len) != 0 || p->text[blanks + 2 + len] != '>')
		return false;
	*ret_indented = blanks > 0;
	return true;
}

static int
block_read(struct source *src, struct config_line *line, struct err *e)
{
	const char *start = src->at, *end = src->at;
	struct piece p;

	line->content_line = src->line + 1;
	while (piece_next(src, &p)) {
		line->closed = block_ends(&p, line->word[0], &line->close_indented);
		if (line->closed)
			break;
		end = src->at;
		if (p.len > 0 && p.text[p.len - 1] == '\r')
			p.len--;
		if (p.len > line->longest)
			line->longest = p.len;
	}
	line->content_len = (size_t)(end - start);
	line->content = malloc(line->content_len + 1);
	if (line->content == NULL)
		return err_set(e, ERR_FAILED, "<%s>: no memory", line->word[0]);
	if (line->content_len > 0)
		memcpy(line->content, start, line->content_len);
	line->content[line->content_len] = '\0';
	return 0;
}

static void
line_release(struct config_line *line)
{
	/* A key whose opening tag is missing is read as lines of words. */
	if (line->word[0] != NULL)
		OPENSSL_cleanse(line->word[0], text_size(line));
	free(line->word[0]);
	if (line->content != NULL)
		OPENSSL_cleanse(line->content, line->content_len);
	free(line->content);
}

static int
line_add(struct config *c, const struct config_line *line, struct err *e)
{
	if (c->count == c->size) {
		size_t size = c->size == 0 ? 64 : c->size * 2;
		struct config_line *list = reallocarray(c->line, size, sizeof(*list));

		if (list == NULL)
			return err_set(e, ERR_FAILED, "configuration of %zu lines: no memory", c->count);
		c->line = list;
		c->size = size;
	}
	c->line[c->count++] = *line;
	return 0;
}

static int
lines_read(struct source *src, struct config *c, struct err *e)
{
	struct piece p;

	while (piece_next(src, &p)) {
		struct config_line line = { .number = src->line };

		line.bytes = p.len > 0 && p.text[p.len - 1] == '\r' ? p.len - 1 : p.len;
		if (line_split(&p, &line, e) != 0)
			return -1;
		if (line.words == 0 && line.fault == CONFIG_FINE) {
			line_release(&line);
			continue;
		}
		if ((block_begins(&line) && block_read(src, &line, e) != 0) || line_add(c, &line, e) != 0) {
			line_release(&line);
			return -1;
		}
	}
	return 0;
}

static unsigned int
nul_line(const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len), *at = text;
	unsigned int line = nul != NULL;

	for (; nul != NULL && (at = memchr(at, '\n', (size_t)(nul - at))) != NULL; at++)
		line++;
	return line;
}

int
config_read(const void *text, size_t len, struct config *ret, struct err *e)
{
	struct source src = { .at = text, .end = (const char *)text + len };

	*ret = (struct config){ 0 };
	if (len > CONFIG_MAX)
		return err_set(e, ERR_INPUT, "configuration: expected at most %d bytes, found %zu", CONFIG_MAX, len);
	if (len == 0)
		return 0;
	ret->nul = nul_line(text, len);
	ret->cr_only = memchr(text, '\r', len) != NULL && memchr(text, '\n', len) == NULL;
	ret->bom = len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0;
	if (ret->bom)
		src.at += strlen(BOM);
	return lines_read(&src, ret, e);
}

void
config_release(struct config *c)
{
	for (size_t i = 0; i < c->count; i++)
		line_release(&c->line[i]);
	free(c->line);
	*c = (struct config){ 0 };
}

const struct config_line *
config_find(const struct config *c, const char *name)
{
	for (size_t i = c->count; i > 0; i--)
		if (c->line[i - 1].words > 0 && strcmp(c->line[i - 1].word[0], name) == 0)
			return &c->line[i - 1];
	return NULL;
}

const struct config_line *
config_next(const struct config *c, const struct config_line *after, const char *name)
{
	for (size_t i = after == NULL ? 0 : (size_t)(after - c->line) + 1; i < c->count; i++)
		if (c->line[i].words > 0 && strcmp(c->line[i].word[0], name) == 0)
			return &c->line[i];
	return NULL;
}

const char *
config_word(const struct config_line *line, size_t index)
{
	return line != NULL && index < line->words ? line->word[index] : NULL;
}
