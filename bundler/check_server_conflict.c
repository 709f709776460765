/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define REPLAY_SIZE 64 /* the defaults */
#define REPLAY_SECONDS 15

/* Directives that OpenVPN 2.6.14 does not take beside others, by options_postprocess_verify_ce() in options.c. */

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
	{ "http-proxy-option", "--http-proxy MUST be used in TCP Client mode" },
	{ "http-proxy-user-pass", "--http-proxy MUST be used in TCP Client mode" },
	{ "socks-proxy", "--socks-proxy cannot be used with --mode server" },
	{ "secret", "--server and --secret cannot be used together" },
	{ "tls-client", "specify only one of --tls-server, --tls-client, or --secret" },
	{ "allow-recursive-routing", "--allow-recursive-routing cannot be used with --mode server" },
	{ "ipchange", "--ipchange cannot be used with --mode server (use --client-connect instead)" },
	{ "route-delay", "--route-delay cannot be used with --mode server" },
	{ "shaper", "--shaper cannot be used with --mode server" },
	{ "up-delay", "--up-delay cannot be used with --mode server" },
};

#define MANAGEMENT "--management is not specified, however one or more options which modify the behavior of it were"

/* The first without the second; with the word "but", which is its default, it counts for nothing. */
static const struct {
	const char *name, *needs, *but, *says;
} needed[] = {
	{ "ccd-exclusive", "client-config-dir", NULL, "--ccd-exclusive must be used with --client-config-dir" },
	{ "management-client", "management", NULL, MANAGEMENT },
	{ "management-client-auth", "management", NULL, MANAGEMENT },
	{ "management-external-cert", "management", NULL, MANAGEMENT },
	{ "management-external-key", "management", NULL, MANAGEMENT },
	{ "management-forget-disconnect", "management", NULL, MANAGEMENT },
	{ "management-hold", "management", NULL, MANAGEMENT },
	{ "management-log-cache", "management", "250", MANAGEMENT },
	{ "management-query-passwords", "management", NULL, MANAGEMENT },
	{ "management-query-proxy", "management", NULL, MANAGEMENT },
	{ "management-query-remote", "management", NULL, MANAGEMENT },
	{ "management-signal", "management", NULL, MANAGEMENT },
	{ "management-up-down", "management", NULL, MANAGEMENT },
	{ "management-external-cert", "management-external-key", NULL,
	    "--management-external-cert must be used with --management-external-key" },
	{ "vlan-accept", "vlan-tagging", "all", "--vlan-accept requires --vlan-tagging" },
	{ "vlan-pvid", "vlan-tagging", "1", "--vlan-pvid requires --vlan-tagging" },
};

/* The first beside the second. */
static const struct {
	const char *name, *beside, *says;
} excluded[] = {
	{ "ifconfig-ipv6-pool", "server-ipv6",
	    "--server-ipv6 already defines an ifconfig-ipv6-pool, so you can't also specify it explicitly" },
	{ "tls-crypt", "tls-auth", "--tls-auth and --tls-crypt are mutually exclusive" },
	{ "server-bridge", "server", "--server and --server-bridge cannot be used together" },
	{ "link-mtu", "tun-mtu", "only one of --tun-mtu or --link-mtu may be defined" },
	{ "cert", "pkcs12", "Parameter --cert cannot be used when --pkcs12 is also specified." },
	{ "key", "pkcs12", "Parameter --key cannot be used when --pkcs12 is also specified." },
	{ "capath", "pkcs12", "Parameter --capath cannot be used when --pkcs12 is also specified." },
	{ "cert", "pkcs11-providers", "Parameter --cert cannot be used when --pkcs11-provider is also specified." },
	{ "key", "pkcs11-providers", "Parameter --key cannot be used when --pkcs11-provider is also specified." },
	{ "key", "management-external-key", "--key and --management-external-key are mutually exclusive" },
	{ "verify-hash", "peer-fingerprint", "--verify-hash and --peer-fingerprint are mutually exclusive" },
	{ "cert", "management-external-cert", "--cert and --management-external-cert are mutually exclusive" },
};

/* What only one transport or device has. */
static const struct {
	const char *name;
	enum { UDP, TCP, TAP } only;
	const char *says;
} bound[] = {
	{ "connect-freq", UDP, "--connect-freq only works with --mode server --proto udp" },
	{ "fragment", UDP, "--fragment can only be used with --proto udp" },
	{ "mtu-test", UDP, "--mtu-test only makes sense with --proto udp" },
	{ "port-share", TCP, "--port-share only works in TCP server mode" },
	{ "lladdr", TAP, "--lladdr can only be used in --dev tap mode" },
	{ "server-bridge", TAP, "--server-bridge directive only makes sense with --dev tap" },
	{ "vlan-tagging", TAP, "--vlan-tagging must be used with --dev tap" },
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

/* dns_options_verify() in dns.c: of one number, in any line. */
static bool
dns_has_address(const struct check_server *s, long priority)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "dns")) != NULL)
		if (line->words > 4 && strcmp(line->word[1], "server") == 0 && strcmp(line->word[3], "address") == 0 &&
		    server_number(line->word[2]) == priority)
			return true;
	return false;
}

static void
dns_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "dns")) != NULL) {
		if (line->words < 5 || strcmp(line->word[1], "server") != 0 ||
		    dns_has_address(s, server_number(line->word[2])))
			continue;
		server_found(s, out, SERVER_OPTIONS, line,
		    "Options error: dns server %s does not have an address assigned", line->word[2]);
		return;
	}
}

/* helper_keepalive() in helper.c; with two zeros it counts as missing. */
static void
keepalive_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "keepalive");
	long ping, restart;

	if (line == NULL || line->words < 3)
		return;
	ping = server_number(line->word[1]);
	restart = server_number(line->word[2]);
	if (ping == 0 && restart == 0)
		return;
	if (ping <= 0 || restart <= 0)
		conflict(s, out, "keepalive", "--keepalive parameters must be > 0");
	else if (ping * 2 > restart)
		conflict(s, out, "keepalive",
		    "the second parameter to --keepalive must be at least twice the value of the first parameter");
	else if (server_has(s, "ping") || server_has(s, "ping-restart") || server_has(s, "ping-exit"))
		conflict(s, out, "keepalive", "--keepalive conflicts with --ping, --ping-exit, or --ping-restart");
}

static void
pool_check(const struct check_server *s, struct findings *out)
{
	bool server = server_has(s, "server"), pool = config_word(config_find(&s->config, "server"), 3) == NULL;
	bool six = server_has(s, "server-ipv6") || server_has(s, "ifconfig-ipv6-pool");
	bool bridge = config_word(config_find(&s->config, "server-bridge"), 4) != NULL;

	if (server && pool && server_has(s, "ifconfig-pool"))
		conflict(s, out, "ifconfig-pool", "--server already defines an ifconfig-pool");
	if (!(server && pool) && !(six && pool) && !bridge && !server_has(s, "ifconfig-pool") &&
	    server_has(s, "ifconfig-pool-persist"))
		conflict(s, out, "ifconfig-pool-persist",
		    "--ifconfig-pool-persist must be used with --ifconfig-pool or --ifconfig-ipv6-pool");
	if (server_has(s, "ifconfig-ipv6-pool") && !server_has(s, "server-ipv6") && !server_has(s, "ifconfig-ipv6"))
		conflict(s, out, "ifconfig-ipv6-pool", "--ifconfig-ipv6-pool needs --ifconfig-ipv6");
}

static void
management_check(const struct check_server *s, struct findings *out)
{
	static const char *const names[] = { "management-client-user", "management-client-group" };
	const char *kind = config_word(config_find(&s->config, "management"), 2);

	for (size_t i = 0; i < COUNT(names); i++)
		if (server_has(s, names[i]) && (kind == NULL || strcmp(kind, "unix") != 0))
			conflict(s, out, names[i],
			    "--management-client-(user|group) can only be used on unix domain sockets");
}

static void
token_check(const struct check_server *s, struct findings *out)
{
	const char *renewal = config_word(config_find(&s->config, "auth-gen-token"), 2);
	long seconds = renewal == NULL ? 0 : server_number(renewal);

	if (!server_has(s, "auth-gen-token"))
		return;
	if (server_number(server_word(s, "reneg-sec", "3600")) <= 0)
		conflict(s, out, "auth-gen-token",
		    "--auth-gen-token needs a non-infinite --renegotiate_seconds setting");
	if (seconds > 0 && seconds < 2 * server_number(server_word(s, "hand-window", "60")))
		conflict(s, out, "auth-gen-token",
		    "--auth-gen-token renewal time needs to be at least two times --hand-window");
}

/* "allow-compression no" is for good. */
static void
compression_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = NULL;
	bool no = false;

	while ((line = config_next(&s->config, line, "allow-compression")) != NULL) {
		bool is_no = line->words > 1 && strcmp(line->word[1], "no") == 0;

		if (no && !is_no)
			server_found(s, out, SERVER_OPTIONS, line,
			    "Options error: Cannot set allow-compression after set to 'no'");
		no = no || is_no;
	}
}

/* "!ipv4" takes back what it stands in, for the server itself. */
static void
redirect_check(const struct check_server *s, struct findings *out)
{
	static const char *const names[] = { "redirect-gateway", "redirect-private" };

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct config_line *line = config_find(&s->config, names[i]);
		bool taken_back = false;

		for (size_t a = 1; line != NULL && a < line->words; a++)
			taken_back = taken_back || strcmp(line->word[a], "!ipv4") == 0;
		if (line != NULL && !taken_back)
			conflict(s, out, names[i],
			    "--redirect-gateway cannot be used with --mode server (however --push \"redirect-gateway\" is "
			    "fine)");
	}
}

static void
replay_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "replay-window");
	const char *size = config_word(line, 1), *seconds = config_word(line, 2);

	if (server_has(s, "no-replay") && size != NULL &&
	    (server_number(size) != REPLAY_SIZE || (seconds != NULL && server_number(seconds) != REPLAY_SECONDS)))
		conflict(s, out, "replay-window",
		    "--replay-window doesn't make sense when replay protection is disabled with --no-replay");
}

static void
tables_check(const struct check_server *s, struct findings *out)
{
	for (size_t i = 0; i < COUNT(foreign); i++)
		if (server_has(s, foreign[i].name))
			conflict(s, out, foreign[i].name, foreign[i].says);
	for (size_t i = 0; i < COUNT(needed); i++)
		if (server_has(s, needed[i].name) && !server_has(s, needed[i].needs) &&
		    (needed[i].but == NULL || strcmp(server_word(s, needed[i].name, ""), needed[i].but) != 0))
			conflict(s, out, needed[i].name, needed[i].says);
	for (size_t i = 0; i < COUNT(excluded); i++)
		if (server_has(s, excluded[i].name) && server_has(s, excluded[i].beside))
			conflict(s, out, excluded[i].name, excluded[i].says);
	for (size_t i = 0; i < COUNT(bound); i++)
		if (server_has(s, bound[i].name) && !(bound[i].only == TAP ? s->tap : s->tcp == (bound[i].only == TCP)))
			conflict(s, out, bound[i].name, bound[i].says);
}

void
server_conflicts_open(const struct check_server *s, struct findings *out)
{
	if (s->tcp && strstr(server_word(s, "proto", ""), "client") != NULL)
		conflict(s, out, "proto", "--mode server currently only supports --proto values of udp, tcp-server");
	tables_check(s, out);
	pool_check(s, out);
	management_check(s, out);
	password_check(s, out);
	dns_check(s, out);
	keepalive_check(s, out);
	token_check(s, out);
	compression_check(s, out);
	replay_check(s, out);
	redirect_check(s, out);
}
