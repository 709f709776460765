/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <string.h>

/* What wraps the control channel: tls-auth, and tls-crypt, which the phone does not have. */

static const struct config_line *
auth_line(const struct check_server *s)
{
	const struct config_line *line = NULL, *last = NULL;

	/* A directive with the direction may stand beside the block. */
	while ((line = config_next(&s->config, line, "tls-auth")) != NULL)
		if (last == NULL || line->content != NULL ||
		    strcmp(line->words > 1 ? line->word[1] : "", "[inline]") != 0)
			last = line;
	return last;
}

/* 0, 1, or -1 for both ways: the directive's own argument, else key-direction. */
static int
direction_of(const struct check_server *s)
{
	const struct config_line *line = NULL;
	const char *direction = server_word(s, "key-direction", NULL);

	while ((line = config_next(&s->config, line, "tls-auth")) != NULL)
		if (line->words > 2)
			direction = line->word[2];
	if (direction == NULL || (strcmp(direction, "0") != 0 && strcmp(direction, "1") != 0))
		return -1;
	return direction[0] - '0';
}

static const char *
direction_name(int direction)
{
	return direction < 0 ? "none" : direction == 0 ? "0" : "1";
}

/* False when there is no file, or no key in it. */
static bool
key_read(const struct check_server *s, unsigned char ret_key[CLIENT_STATIC_KEY_SIZE])
{
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	bool ok = server_file_text(s, auth_line(s), &text) && client_static_key(buf_string(&text), ret_key);

	buf_release(&text);
	return ok;
}

void
server_wrap_open(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "tls-crypt");
	struct buf text = BUF_INIT(SERVER_FILE_MAX);
	unsigned char key[CLIENT_STATIC_KEY_SIZE];

	/* A server with tls-crypt-v2 alone has nothing for a client without it. */
	if (line == NULL && auth_line(s) == NULL)
		line = config_find(&s->config, "tls-crypt-v2");
	if (line != NULL)
		server_found(s, out, SERVER_TLS_CRYPT, line, "expected tls-auth or nothing, found %s", line->word[0]);
	if (server_file_text(s, auth_line(s), &text) && !client_static_key(buf_string(&text), key))
		server_found(s, out, SERVER_FILE_BROKEN, auth_line(s), "expected an OpenVPN static key, found none");
	OPENSSL_cleanse(key, sizeof(key));
	buf_release(&text);
}

static void
key_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	unsigned char key[CLIENT_STATIC_KEY_SIZE];

	if (c->has_tls_auth_key && key_read(s, key) && CRYPTO_memcmp(key, c->tls_auth_key, sizeof(key)) != 0)
		server_found(s, out, SERVER_TLS_AUTH, auth_line(s), "expected the key of %s, found another", name);
	OPENSSL_cleanse(key, sizeof(key));
}

void
server_wrap_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	const struct config_line *line = auth_line(s);
	int here = direction_of(s), there = c->key_direction;

	if (server_has(s, "tls-crypt"))
		return;
	if ((line != NULL) != c->tls_auth) {
		server_found(s, out, SERVER_TLS_AUTH, line, "expected %s, as in %s, found %s",
		    c->tls_auth ? "tls-auth" : "no tls-auth", name, line != NULL ? "it" : "none");
		return;
	}
	if (line == NULL)
		return;
	if (here < 0 ? there >= 0 : there != 1 - here)
		server_found(s, out, SERVER_TLS_AUTH, line, "expected direction %s, as %s has %s, found %s",
		    there < 0 ? "none" : direction_name(1 - there), name, direction_name(there), direction_name(here));
	key_against(s, name, c, out);
}
