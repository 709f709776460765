/* SPDX-License-Identifier: ISC */
#include "bundler/server_path.h"

#include "common/text.h"

#include <stdbool.h>
#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:=@%"

int
server_path_check(const char *dir, struct err *e)
{
	char shown[64];

	if (dir[0] != '/' || !text_is_clean(dir, strlen(dir)))
		return err_set(e, ERR_INPUT,
		    "folder of the OpenVPN server: expected an absolute path in UTF-8 without control characters, found "
		    "\"%s\"",
		    text_printable(dir, shown, sizeof(shown)));
	return 0;
}

/* Inside of double quotes OpenVPN's parse_line() takes a backslash before quote and backslash (options.c). */
static void
quoted_add(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_add_string(out, "\\");
		buf_add(out, s, 1);
	}
}

void
server_path_add(struct buf *out, const char *directive, const char *dir, const char *name, const char *argument)
{
	bool plain = dir[strspn(dir, PLAIN)] == '\0';

	buf_addf(out, "%s %s", directive, plain ? "" : "\"");
	quoted_add(out, dir);
	buf_addf(out, "%s%s%s%s%s\n", strcmp(dir, "/") == 0 ? "" : "/", name, plain ? "" : "\"",
	    argument != NULL ? " " : "", argument != NULL ? argument : "");
}
