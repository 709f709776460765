/* SPDX-License-Identifier: ISC */
#include "bundler/profile_read.h"

#include "bundler/config.h"

#include <string.h>

/* The directive's argument, or what 2.3.2 assumes without it. */
static const char *
argument_of(const struct config *c, const char *directive, const char *otherwise)
{
	const char *argument = config_word(config_find(c, directive), 1);

	return argument != NULL ? argument : otherwise;
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
	*ret = n;
	rc = 0;
out:
	config_release(&c);
	return rc == 0 ? 0 : err_prefix(e, "profile");
}
