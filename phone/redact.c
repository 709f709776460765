/* SPDX-License-Identifier: ISC */
#include "phone/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define CERTIFICATE "CERTIFICATE-----"
#define KEY "KEY"
#define WORD_MAX 39      /* a longer word of base64 or hex may be part of a key; a SHA-1 in hex has 40 */
#define HEX_GROUPS_MAX 3 /* OpenVPN shows keys as groups of 8 hex digits; and a time as two numbers */

struct span {
	const char *at;
	size_t len;
};

static bool
contains(struct span line, const char *what)
{
	size_t len = strlen(what);

	for (size_t i = 0; i + len <= line.len; i++) {
		if (strncasecmp(line.at + i, what, len) == 0)
			return true;
	}
	return false;
}

/* Where OpenVPN names a login or a key: options.c, manage.c, misc.c, crypto.c and ssl.c of 2.6. */
static bool
speaks_of_secret(struct span line)
{
	static const char *const words[] = { "auth-user-pass", "auth_user_pass", "auth-token", "auth_token",
		"authorization", "password", "passwd", "passphrase", "username", "secret", "pre_master", "master key",
		"master encrypt", "master decrypt", "encrypt key", "cipher key", "hmac key", "random1", "random2",
		"private_key", "tls-crypt", "tls-auth key", "static key" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (contains(line, words[i]))
			return true;
	}
	return false;
}

static bool
is_key_letter(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
}

/* Groups of hex digits, one blank between them. */
static bool
is_hex_dump(struct span line)
{
	unsigned int groups = 0;
	size_t digits = 0;

	for (size_t i = 0; i <= line.len; i++) {
		char c = i < line.len ? line.at[i] : ' ';

		if (isxdigit((unsigned char)c)) {
			digits++;
		} else if (c == ' ' && digits >= 4) {
			if (++groups > HEX_GROUPS_MAX)
				return true;
			digits = 0;
		} else {
			groups = 0;
			digits = 0;
		}
	}
	return false;
}

/* Length of "user:password@" behind "://", or 0. */
static size_t
userinfo_len(const char *at, size_t len)
{
	size_t end = 0, last = 0;

	for (; end < len && !isspace((unsigned char)at[end]) && strchr("/?#\"'", at[end]) == NULL; end++) {
		if (at[end] == '@')
			last = end + 1;
	}
	return last;
}

/* A word of letters that a key may have, and its length. */
static size_t
word_len(struct span rest)
{
	size_t len = 0;

	while (len < rest.len && is_key_letter(rest.at[len]))
		len++;
	return len;
}

static void
line_add(struct span line, struct buf *out)
{
	size_t i = 0, word;

	while (i < line.len) {
		word = word_len((struct span){ line.at + i, line.len - i });
		if (word > WORD_MAX) {
			buf_add_string(out, "(removed)");
			i += word;
		} else if (word > 0) {
			buf_add(out, line.at + i, word);
			i += word;
		} else if (line.len - i > 3 && memcmp(line.at + i, "://", 3) == 0) {
			buf_add_string(out, "://");
			i += 3;
			word = userinfo_len(line.at + i, line.len - i);
			if (word > 0)
				buf_add_string(out, "(removed)@");
			i += word;
		} else {
			buf_add(out, line.at + i++, 1);
		}
	}
	buf_add_string(out, "\n");
}

static struct span
line_take(struct span *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct span line = { rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };
	size_t taken = line.len + (end != NULL);

	rest->at += taken;
	rest->len -= taken;
	return line;
}

/* The text begins in the middle of a block: its end comes before any beginning. */
static bool
begins_inside(struct span rest)
{
	while (rest.len > 0) {
		struct span line = line_take(&rest);

		if (contains(line, BEGIN))
			return false;
		if (contains(line, END))
			return true;
	}
	return false;
}

void
redact_log(const char *text, size_t len, struct buf *out)
{
	struct span rest = { text, len };
	bool inside = begins_inside(rest);
	const char *instead, *before = NULL;

	while (rest.len > 0) {
		struct span line = line_take(&rest);

		/* A certificate is no secret, and nobody needs it here: its lines go as all long words do. */
		if (contains(line, BEGIN) && (!contains(line, CERTIFICATE) || contains(line, KEY)))
			inside = true;
		instead = inside                   ? "(removed: a key)\n"
		          : speaks_of_secret(line) ? "(removed: about a key or a login)\n"
		          : is_hex_dump(line)      ? "(removed: digits that may be a key)\n"
		                                   : NULL;
		if (instead == NULL)
			line_add(line, out);
		else if (instead != before)
			buf_add_string(out, instead);
		before = instead;
		inside = inside && !contains(line, END);
	}
}
