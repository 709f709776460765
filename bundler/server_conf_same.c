/* SPDX-License-Identifier: ISC */
#include "bundler/server_conf.h"

#include <string.h>

/* The next line that says something; its length, 0 at the end. */
static size_t
next_directive(const char **s)
{
	while (**s == '\n' || **s == '#')
		*s += **s == '#' ? strcspn(*s, "\n") : 1;
	return strcspn(*s, "\n");
}

bool
server_conf_is_same(const struct buf *a, const struct buf *b)
{
	const char *s = buf_string(a), *t = buf_string(b);
	size_t len;

	do {
		len = next_directive(&s);
		if (next_directive(&t) != len || memcmp(s, t, len) != 0)
			return false;
		s += len;
		t += len;
	} while (len > 0);
	return true;
}
