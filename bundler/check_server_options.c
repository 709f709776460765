/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"
#include "dseries/client.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Words of older servers that 2.6.14 ends at: each was tried. */
static const char *const removed[] = {
	"client-cert-not-required",
	"compat-names",
	"ifconfig-pool-linear",
	"inetd",
	"key-method",
	"keysize",
	"ncp-disable",
	"no-iv",
	"no-name-remapping",
	"tls-remote",
};

static void
lines_check(const struct check_server *s, struct findings *out)
{
	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_line *line = &s->config.line[i];

		if (line->fault != CONFIG_FINE)
			server_found(s, out, SERVER_LINE, line, "expected %s, found a line without",
			    line->fault == CONFIG_QUOTE_OPEN ? "a quotation to end where its line does"
							     : "a backslash to stand before what it can escape");
		else if (line->bytes > CLIENT_LINE_MAX)
			server_found(s, out, SERVER_LINE, line, "expected at most %d bytes, found %zu", CLIENT_LINE_MAX,
			    line->bytes);
		else if (line->content != NULL && !line->closed)
			server_found(s, out, SERVER_LINE, line, "expected </%s>, found the end of the file",
			    line->word[0]);
		for (size_t r = 0; r < COUNT(removed); r++)
			if (line->words > 0 && strcmp(line->word[0], removed[r]) == 0)
				server_found(s, out, SERVER_DIRECTIVE_REMOVED, line, "expected no %s, found it",
				    removed[r]);
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

/* Directives of a client, which a server ends at. */
static const struct {
	const char *name, *says;
} foreign[] = {
	{ "client", "--server and --client cannot be used together" },
	{ "pull", "--pull cannot be used with --mode server" },
	{ "remote", "--remote cannot be used with --mode server" },
	{ "connection", "<connection> cannot be used with --mode server" },
	{ "nobind", "--nobind doesn't make sense unless used with --remote" },
	{ "auth-user-pass", "--auth-user-pass cannot be used with --mode server" },
	{ "http-proxy", "--http-proxy cannot be used with --mode server" },
	{ "socks-proxy", "--socks-proxy cannot be used with --mode server" },
	{ "secret", "--server and --secret cannot be used together" },
};

static void
conflict(const struct check_server *s, struct findings *out, const char *name, const char *says)
{
	server_found(s, out, SERVER_OPTIONS, config_find(&s->config, name), "Options error: %s", says);
}

static bool
asks_for_password(const struct check_server *s)
{
	return server_has(s, "auth-user-pass-verify") || server_has(s, "plugin") ||
	       server_has(s, "management-client-auth");
}

static void
password_check(const struct check_server *s, struct findings *out)
{
	static const char needs[] = "must be used with --management-client-auth, an --auth-user-pass-verify script, or "
				    "plugin";
	char text[256];

	if (asks_for_password(s))
		return;
	if (strcmp(server_word(s, "verify-client-cert", "require"), "require") != 0) {
		(void)snprintf(text, sizeof(text), "--verify-client-cert none|optional %s", needs);
		conflict(s, out, "verify-client-cert", text);
	}
	if (server_has(s, "auth-user-pass-optional")) {
		(void)snprintf(text, sizeof(text), "--auth-user-pass-optional %s", needs);
		conflict(s, out, "auth-user-pass-optional", text);
	}
	if (server_has(s, "username-as-common-name")) {
		(void)snprintf(text, sizeof(text), "--username-as-common-name %s", needs);
		conflict(s, out, "username-as-common-name", text);
	}
}

/* helper_keepalive() in helper.c. */
static void
keepalive_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "keepalive");
	unsigned long ping, restart;

	if (line == NULL || line->words < 3)
		return;
	if (text_number(line->word[1], 1, 1 << 30, "keepalive", &ping, NULL) != 0 ||
	    text_number(line->word[2], 1, 1 << 30, "keepalive", &restart, NULL) != 0)
		conflict(s, out, "keepalive", "--keepalive parameters must be > 0");
	else if (ping * 2 > restart)
		conflict(s, out, "keepalive",
		    "the second parameter to --keepalive must be at least twice the value of the first parameter");
	else if (server_has(s, "ping") || server_has(s, "ping-restart") || server_has(s, "ping-exit"))
		conflict(s, out, "keepalive", "--keepalive conflicts with --ping, --ping-exit, or --ping-restart");
}

static void
conflicts_check(const struct check_server *s, struct findings *out)
{
	bool tcp = strncmp(server_word(s, "proto", "udp"), "tcp", 3) == 0;

	for (size_t i = 0; i < COUNT(foreign); i++)
		if (server_has(s, foreign[i].name))
			conflict(s, out, foreign[i].name, foreign[i].says);
	if (tcp && strstr(server_word(s, "proto", ""), "client") != NULL)
		conflict(s, out, "proto", "--mode server currently only supports --proto values of udp, tcp-server");
	if (tcp && server_has(s, "fragment"))
		conflict(s, out, "fragment", "--fragment can only be used with --proto udp");
	if (server_has(s, "tls-auth") && server_has(s, "tls-crypt"))
		conflict(s, out, "tls-crypt", "--tls-auth and --tls-crypt are mutually exclusive");
	if (server_has(s, "ccd-exclusive") && !server_has(s, "client-config-dir"))
		conflict(s, out, "ccd-exclusive", "--ccd-exclusive must be used with --client-config-dir");
	if (server_has(s, "server") && server_has(s, "ifconfig-pool") &&
	    strcmp(server_word(s, "server", ""), "") != 0 && config_word(config_find(&s->config, "server"), 3) == NULL)
		conflict(s, out, "ifconfig-pool", "--server already defines an ifconfig-pool");
	password_check(s, out);
	keepalive_check(s, out);
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
		conflict(s, out, "compat-mode", "cannot parse version number for --compat-mode");
}

void
server_options_open(struct check_server *s, struct findings *out)
{
	lines_check(s, out);
	missing_check(s, out);
	conflicts_check(s, out);
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
