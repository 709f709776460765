/* SPDX-License-Identifier: ISC */
#include "phone/html.h"

#include <stddef.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Length of the UTF-8 sequence at s (RFC 3629 section 4), or 0 when there is none. */
static size_t
utf8_len(const unsigned char *s)
{
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	/* Overlong forms, surrogates, and what is above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

void
html_text(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len, wide;

	for (; *s != '\0'; s += len) {
		wide = utf8_len(s);
		len = wide > 0 ? wide : 1;
		if (*s == '&')
			buf_add_string(out, "&amp;");
		else if (*s == '<')
			buf_add_string(out, "&lt;");
		else if (*s == '>')
			buf_add_string(out, "&gt;");
		else if (*s == '"')
			buf_add_string(out, "&quot;");
		else if (*s == '\'')
			buf_add_string(out, "&#39;");
		else if (wide > 0 || *s == '\n' || *s == '\t' || (*s >= ' ' && *s < 0x7f))
			buf_add(out, s, len);
		else
			buf_add_string(out, REPLACEMENT);
	}
}
