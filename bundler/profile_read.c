/* SPDX-License-Identifier: ISC */
#include "bundler/profile_read.h"

#include "bundler/config.h"
#include "common/text.h"

#include <string.h>

/* The directive's argument, or what 2.3.2 assumes without it. */
static const char *
argument_of(const struct config *c, const char *directive, const char *otherwise)
{
	const char *argument = config_word(config_find(c, directive), 1);

	return argument != NULL ? argument : otherwise;
}

static void
ports_read(const struct config *c, struct profile_needs *n)
{
	const char *otherwise = argument_of(c, "rport", argument_of(c, "port", "1194"));
	const struct config_line *line = NULL;

	while (n->ports < PROFILE_REMOTES_MAX && (line = config_next(c, line, "remote")) != NULL) {
		const char *word = config_word(line, 2);
		unsigned long port = 0;

		(void)text_number(word != NULL ? word : otherwise, 1, 65535, "port", &port, NULL);
		n->port[n->ports++] = (unsigned int)port;
	}
}

bool
profile_needs_port(const struct profile_needs *n, unsigned int port)
{
	for (size_t i = 0; i < n->ports; i++)
		if (n->port[i] == port)
			return true;
	return false;
}

int
profile_read_needs(const void *text, size_t len, struct profile_needs *ret, struct err *e)
{
	struct profile_needs n = { .proto = PROFILE_UDP };
	struct config c;
	int rc = -1;

	if (config_read(text, len, &c, e) != 0 ||
	    profile_parse_cipher(argument_of(&c, "cipher", "BF-CBC"), &n.cipher, e) != 0 ||
	    profile_parse_auth(argument_of(&c, "auth", "SHA1"), &n.auth, e) != 0)
		goto out;
	n.comp_lzo = config_find(&c, "comp-lzo") != NULL;
	if (strncmp(argument_of(&c, "proto", "udp"), "tcp", 3) == 0)
		n.proto = PROFILE_TCP;
	ports_read(&c, &n);
	*ret = n;
	rc = 0;
out:
	config_release(&c);
	return rc == 0 ? 0 : err_prefix(e, "profile");
}
