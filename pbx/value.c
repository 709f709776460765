/* SPDX-License-Identifier: ISC */
#include "pbx/value.h"

#include "common/text.h"

#include <string.h>

/* What both forms have in common: nothing to read, another line, and blanks that the reader strips. */
static int
check(const char *value, const char *what, struct err *e)
{
	size_t len = strlen(value);

	if (len == 0)
		return err_set(e, ERR_INPUT, "%s: expected some text, found none", what);
	if (!text_is_clean(value, len))
		return err_set(e, ERR_INPUT, "%s: expected UTF-8 text without control characters, found others", what);
	if (value[0] == ' ' || value[len - 1] == ' ')
		return err_set(e, ERR_INPUT,
		    "%s: expected no blank at either end, which Asterisk would drop, found one", what);
	return 0;
}

int
value_file(const char *value, const char *what, struct buf *out, struct err *e)
{
	if (check(value, what, e) != 0)
		return -1;
	if (value[0] == '>')
		return err_set(e, ERR_INPUT,
		    "%s: expected no '>' in front, which Asterisk would drop from \"=>\", found one", what);
	/* A ';' begins a comment, and one of several lines with "--" behind it. */
	for (; *value != '\0'; value++) {
		if (*value == ';')
			buf_add_string(out, "\\");
		buf_add(out, value, 1);
	}
	return buf_check(out, what, e);
}

/* Characters of UTF-8 text. */
static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int
value_row(const char *value, size_t max, const char *what, struct buf *out, struct err *e)
{
	size_t before = out->len, found;

	if (check(value, what, e) != 0)
		return -1;
	/* A '^' of its own too: at the end of a value the decoder takes one hex digit, or none, for two. */
	for (; *value != '\0'; value++) {
		if (*value == ';' || *value == '^')
			buf_addf(out, "^%02X", (unsigned int)*value);
		else
			buf_add(out, value, 1);
	}
	if (buf_check(out, what, e) != 0)
		return -1;
	found = characters(buf_string(out) + before);
	if (max != 0 && found > max)
		return err_set(e, ERR_INPUT,
		    "%s: expected at most %zu characters, as the column holds, with 3 for each ';' and '^', found %zu",
		    what, max, found);
	return 0;
}

bool
value_is_escaped(const char *value)
{
	return strpbrk(value, ";^") != NULL;
}

void
value_callerid(const char *name, const char *number, struct buf *out)
{
	if (name[0] == '\0') {
		buf_addf(out, "<%s>", number);
		return;
	}
	buf_add_string(out, "\"");
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			buf_add_string(out, "\\");
		buf_add(out, name, 1);
	}
	buf_addf(out, "\" <%s>", number);
}

void
value_sql(const char *value, bool escapes, struct buf *out)
{
	bool marked = escapes && strchr(value, '\\') != NULL;

	buf_add_string(out, marked ? "E'" : "'");
	for (; *value != '\0'; value++) {
		if (*value == '\'' || (marked && *value == '\\'))
			buf_add(out, value, 1);
		buf_add(out, value, 1);
	}
	buf_add_string(out, "'");
}
