/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <stdio.h>
#include <string.h>

/* With its line feed it must not fill OPTION_LINE_SIZE: read_config_file() in options.c of 2.6.14. */
#define LINE_MAX_BYTES 254

static void
lines_check(const struct check_server *s, struct findings *out)
{
	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_line *line = &s->config.line[i];

		if (line->fault == CONFIG_LONG || line->bytes > LINE_MAX_BYTES)
			server_found(s, out, SERVER_LINE, line, "expected at most %d bytes, found %zu", LINE_MAX_BYTES,
			    line->bytes);
		else if (line->fault != CONFIG_FINE)
			server_found(s, out, SERVER_LINE, line, "expected %s, found a line without",
			    line->fault == CONFIG_QUOTE_OPEN ? "a quotation to end where its line does"
							     : "a backslash to stand before what it can escape");
		else if (line->content != NULL && !line->closed)
			server_found(s, out, SERVER_LINE, line, "expected </%s>, found the end of the file",
			    line->word[0]);
	}
}

static void
missing(const struct check_server *s, struct findings *out, const char *what)
{
	server_found(s, out, SERVER_DIRECTIVE_MISSING, NULL, "expected %s, found none", what);
}

/* options_postprocess_verify_ce() in options.c of 2.6.14. 2.7 takes a server without dh for "dh none". */
static void
missing_check(const struct check_server *s, struct findings *out)
{
	bool helper = server_has(s, "server") || server_has(s, "server-bridge") || server_has(s, "server-ipv6");
	bool bundled = server_has(s, "pkcs12") || server_has(s, "pkcs11-providers");

	if (!helper && strcmp(server_word(s, "mode", "p2p"), "server") != 0)
		missing(s, out, "server, as \"server 10.8.0.0 255.255.255.0\"");
	else if (!helper && !server_has(s, "tls-server"))
		missing(s, out, "tls-server beside \"mode server\"");
	if (!server_has(s, "dev"))
		missing(s, out, "dev, as \"dev tun\"");
	if (!server_has(s, "dh"))
		missing(s, out, "dh, as \"dh none\"");
	if (!bundled && !server_has(s, "ca") && !server_has(s, "capath") && !server_has(s, "peer-fingerprint"))
		missing(s, out, "ca, as \"ca ca.crt\"");
	if (!bundled && !server_has(s, "cert") && !server_has(s, "management-external-cert"))
		missing(s, out, "cert, as \"cert server.crt\"");
	if (!bundled && !server_has(s, "key") && !server_has(s, "management-external-key"))
		missing(s, out, "key, as \"key server.key\"");
}

/* "2.3.0" as 20300; 0 without one. */
static void
compat_read(struct check_server *s, struct findings *out)
{
	const char *version = server_word(s, "compat-mode", NULL);
	unsigned int major, minor, patch;

	if (version == NULL)
		return;
	if (sscanf(version, "%u.%u.%u", &major, &minor, &patch) == 3)
		s->compat = major * 10000 + minor * 100 + patch;
	else
		server_found(s, out, SERVER_OPTIONS, config_find(&s->config, "compat-mode"),
		    "Options error: cannot parse version number for --compat-mode");
}

void
server_options_open(struct check_server *s, struct findings *out)
{
	lines_check(s, out);
	missing_check(s, out);
	compat_read(s, out);
	if (server_has(s, "persist-key"))
		server_found(s, out, SERVER_PERSIST_KEY, config_find(&s->config, "persist-key"),
		    "a renewed certificate needs SIGHUP or a restart");
	if (server_has(s, "opt-verify"))
		server_found(s, out, SERVER_OPT_VERIFY, config_find(&s->config, "opt-verify"),
		    "expected no opt-verify, found it");
	if (server_has(s, "duplicate-cn"))
		server_found(s, out, SERVER_DUPLICATE_CN, config_find(&s->config, "duplicate-cn"),
		    "expected no duplicate-cn, found it");
	if (strcmp(server_word(s, "reneg-sec", ""), "0") == 0)
		server_found(s, out, SERVER_RENEG, config_find(&s->config, "reneg-sec"),
		    "expected seconds, as the default of 3600, found 0");
}
