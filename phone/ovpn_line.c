/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_line.h"

#include <string.h>

bool
ovpn_piece_next(struct ovpn_source *src, struct ovpn_piece *ret)
{
	size_t left = src->len - src->at, take = left < CLIENT_LINE_MAX ? left : CLIENT_LINE_MAX;
	const char *start = src->data + src->at, *feed;
	bool ended;

	if (left == 0)
		return false;
	feed = memchr(start, '\n', take);
	ret->text = start;
	ret->len = feed != NULL ? (size_t)(feed - start) : take;
	src->at += ret->len;
	if (!src->mid_line)
		src->line++;
	/* A line feed as byte 256 makes an empty line of its own there, which harms nobody. */
	ended = src->at == src->len || src->data[src->at] == '\n';
	if (ended && src->at < src->len)
		src->at++;
	ret->cut = src->mid_line = !ended;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

enum quote {
	QUOTE_NONE, /* between words */
	QUOTE_BARE,
	QUOTE_DOUBLE,
	QUOTE_SINGLE,
};

struct lexer {
	struct ovpn_words *words;
	enum quote quote;
	size_t used, start;
	size_t at; /* in the piece */
};

static void
word_end(struct lexer *lx)
{
	struct ovpn_words *w = lx->words;

	w->text[lx->used++] = '\0';
	w->end[w->count] = lx->at + (lx->quote != QUOTE_BARE);
	w->word[w->count++] = w->text + lx->start;
	lx->start = lx->used;
	lx->quote = QUOTE_NONE;
}

static void
word_begin(struct lexer *lx, char c, bool escaped)
{
	if (!escaped && c == '"')
		lx->quote = QUOTE_DOUBLE;
	else if (!escaped && c == '\'')
		lx->quote = QUOTE_SINGLE;
	else {
		lx->quote = QUOTE_BARE;
		lx->words->text[lx->used++] = c;
	}
}

/* One character that is no backslash, or follows one. */
static void
word_take(struct lexer *lx, char c, bool escaped)
{
	bool end = (lx->quote == QUOTE_BARE && !escaped && is_blank(c)) ||
	           (lx->quote == QUOTE_DOUBLE && !escaped && c == '"') || (lx->quote == QUOTE_SINGLE && c == '\'');

	if (end)
		word_end(lx);
	else if (lx->quote != QUOTE_NONE)
		lx->words->text[lx->used++] = c;
	else if (!is_blank(c))
		word_begin(lx, c, escaped);
}

bool
ovpn_words_read(const struct ovpn_piece *piece, struct ovpn_words *ret, const char **ret_why)
{
	struct lexer lx = { .words = ret };
	bool escaped = false;

	ret->count = 0;
	for (size_t i = 0; i < piece->len && ret->count < OVPN_WORDS_MAX; i++) {
		char c = piece->text[i];

		lx.at = i;
		if (c == '\0') {
			*ret_why = "expected text, found a NUL byte";
			return false;
		}
		if (c == '\\' && !escaped && lx.quote != QUOTE_SINGLE) {
			escaped = true;
			continue;
		}
		if (lx.quote == QUOTE_NONE && (c == '#' || c == ';')) {
			escaped = false;
			break;
		}
		if (escaped && c != '\\' && c != '"' && !is_blank(c)) {
			*ret_why = "expected \\, \" or a blank behind a backslash, found another character";
			return false;
		}
		word_take(&lx, c, escaped);
		escaped = false;
	}
	lx.at = piece->len;
	if (lx.quote == QUOTE_BARE && !escaped)
		word_end(&lx);
	if (lx.quote == QUOTE_NONE)
		return true;
	*ret_why = escaped ? "expected a character behind the backslash, found the end of the line"
	                   : "expected a closing quotation mark, found none";
	return false;
}
