/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_rules.h"

#include <stddef.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool
listed(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (ovpn_is(list[i], word))
			return true;
	}
	return false;
}

enum ovpn_effect
ovpn_effect(const char *directive)
{
	static const char *const own[] = { "daemon", "errors-to-stderr", "group", "log", "log-append", "mlock", "nice",
		"remap-usr1", "script-security", "status", "status-version", "suppress-timestamps", "syslog", "user",
		"writepid" };
	static const char *const file[] = { "capath", "cd", "chroot", "config", "crl-verify", "dev-node",
		"replay-persist", "tls-export-cert", "tmp-dir" };

	if (strncmp(directive, "management", strlen("management")) == 0 || listed(own, COUNT(own), directive))
		return EFFECT_OWN;
	return listed(file, COUNT(file), directive) ? EFFECT_FILE : EFFECT_NONE;
}

bool
ovpn_is_connection_directive(const char *directive)
{
	static const char *const names[] = { "bind", "connect-retry", "connect-retry-max", "connect-timeout",
		"explicit-exit-notify", "float", "fragment", "http-proxy", "http-proxy-option", "http-proxy-retry",
		"http-proxy-timeout", "link-mtu", "local", "lport", "mssfix", "mtu-disc", "nobind", "port", "proto",
		"remote", "rport", "socks-proxy", "socks-proxy-retry", "tun-mtu", "tun-mtu-extra", "udp-mtu" };

	return listed(names, COUNT(names), directive);
}

enum ovpn_modern
ovpn_modern(const char *directive, size_t arguments)
{
	/* From runs of 2.6.14: "Unrecognized option", and of compat-names "was removed in OpenVPN 2.5". */
	static const char *const gone[] = { "compat-names", "ifconfig-pool-linear", "key-method", "keysize", "no-iv" };
	/* Without an argument they say the default, and 2.6 wants one. */
	static const char *const defaults[] = { "auth", "cipher" };

	if (listed(gone, COUNT(gone), directive))
		return MODERN_GONE;
	if (ovpn_is(directive, "tls-remote") || ovpn_is(directive, "proto-force") ||
	    (arguments == 0 && listed(defaults, COUNT(defaults), directive)))
		return MODERN_ELSEWHERE;
	return MODERN_SAME;
}

const char *
ovpn_modern_proto(const struct ovpn_words *w)
{
	static const char *const names[][2] = { { "udp", "udp4" }, { "udp6", "udp6" }, { "tcp", "tcp4-client" },
		{ "tcp-client", "tcp4-client" }, { "tcp6", "tcp6-client" }, { "tcp6-client", "tcp6-client" } };
	size_t at = ovpn_is(w->word[0], "proto") ? 1 : ovpn_is(w->word[0], "remote") ? 3 : 0;

	for (size_t i = 0; at > 0 && at < w->count && i < COUNT(names); i++) {
		if (ovpn_is(names[i][0], w->word[at]))
			return names[i][1];
	}
	return NULL;
}

bool
ovpn_name_is_plain(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@";
	size_t len = strlen(name);

	/* X.520's upper bound of a common name. */
	return len > 0 && len <= 64 && strspn(name, plain) == len;
}

const char *
ovpn_shown(const char *word)
{
	size_t len = strlen(word);

	return len <= 32 && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len ? word : "(not shown)";
}
