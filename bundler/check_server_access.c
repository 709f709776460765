/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Who may come in, beyond certificates: passwords and scripts. */

/* A failure of these is the client's failure; that of "up" is the server's. */
static const char *const scripts[] = { "auth-user-pass-verify", "client-connect", "tls-verify", "learn-address", "up" };

/* Plugins that ask for a password, by a part of their file's name. */
static const char *const askers[] = { "auth-pam", "auth-ldap", "ldap", "radius" };

static void
scripts_check(const struct check_server *s, struct findings *out)
{
	unsigned long security = 1;

	if (text_number(server_word(s, "script-security", "1"), 0, 3, "script-security", &security, NULL) != 0)
		return;
	for (size_t i = 0; i < COUNT(scripts) && security < 2; i++)
		if (server_has(s, scripts[i]))
			server_found(s, out, SERVER_SCRIPT_SECURITY, config_find(&s->config, scripts[i]),
			    "expected script-security 2, found %s%lu",
			    server_has(s, "script-security") ? "" : "none, which is ", security);
}

static bool
plugin_asks(const struct config_line *line)
{
	const char *path = config_word(line, 1), *slash = path == NULL ? NULL : strrchr(path, '/');

	if (path == NULL)
		return false;
	for (size_t i = 0; i < COUNT(askers); i++)
		if (strstr(slash != NULL ? slash + 1 : path, askers[i]) != NULL)
			return true;
	return false;
}

static void
password_check(const struct check_server *s, struct findings *out)
{
	static const char *const names[] = { "auth-user-pass-verify", "management-client-auth" };
	const struct config_line *line = NULL;

	if (server_has(s, "auth-user-pass-optional"))
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		if (server_has(s, names[i]))
			server_found(s, out, SERVER_PASSWORD, config_find(&s->config, names[i]),
			    "expected auth-user-pass-optional beside it, found none");
	while ((line = config_next(&s->config, line, "plugin")) != NULL)
		if (plugin_asks(line))
			server_found(s, out, SERVER_PASSWORD, line,
			    "expected auth-user-pass-optional beside %s, found none", line->word[1]);
}

void
server_access_open(struct check_server *s, struct findings *out)
{
	static const char *const deciding[] = { "client-connect", "tls-verify" };
	const char *required = server_word(s, "verify-client-cert", "require");

	scripts_check(s, out);
	password_check(s, out);
	if (strcmp(required, "require") != 0)
		server_found(s, out, SERVER_CLIENT_CERT, config_find(&s->config, "verify-client-cert"),
		    "expected require, found %s", required);
	for (size_t i = 0; i < sizeof(deciding) / sizeof(deciding[0]); i++)
		if (server_has(s, deciding[i]))
			server_found(s, out, SERVER_CLIENT_CONNECT, config_find(&s->config, deciding[i]), "%s decides",
			    server_word(s, deciding[i], ""));
}
