/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "common/text.h"
#include "dseries/client.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SHOWN 48

bool
ovpn_names_file(const char *directive)
{
	static const char *const names[] = { "capath", "cd", "chroot", "config", "crl-verify", "dev-node",
		"replay-persist", "tls-export-cert", "tmp-dir" };

	return ovpn_listed(names, COUNT(names), directive);
}

static bool
acts_on_phone(const char *directive)
{
	static const char *const names[] = { "daemon", "errors-to-stderr", "group", "log", "log-append", "mlock",
		"nice", "remap-usr1", "status", "status-version", "suppress-timestamps", "syslog", "user", "writepid" };

	return strncmp(directive, "management", strlen("management")) == 0 ||
	       ovpn_listed(names, COUNT(names), directive);
}

/* OPT_P_CONNECTION in 2.3.2's options.c. */
static bool
is_of_connection(const char *directive)
{
	static const char *const names[] = { "local", "remote", "connect-retry", "connect-timeout", "connect-retry-max",
		"float", "link-mtu", "udp-mtu", "tun-mtu", "tun-mtu-extra", "fragment", "mtu-disc", "port", "lport",
		"rport", "bind", "nobind", "proto", "http-proxy", "http-proxy-retry", "http-proxy-timeout",
		"http-proxy-option", "socks-proxy", "socks-proxy-retry", "explicit-exit-notify", "mssfix" };

	return ovpn_listed(names, COUNT(names), directive);
}

/* Runs of these clients, and the Changes.rst of later ones. */
static const char *
first_version(const char *directive)
{
	static const struct {
		const char *name, *version;
	} known[] = {
		{ "data-ciphers", "2.5" },
		{ "allow-compression", "2.5" },
		{ "providers", "2.6" },
		{ "ncp-ciphers", "2.4" },
		{ "tls-crypt", "2.4" },
		{ "compress", "2.4" },
		{ "tls-cert-profile", "2.4" },
		{ "pull-filter", "2.4" },
		{ "ignore-unknown-option", "2.3.3" },
		{ "tls-version-min", "2.3.3" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].name, directive) == 0)
			return known[i].version;
	return NULL;
}

static void
overlooked(const struct ovpn_check *ck, const struct config_line *line, const char *what)
{
	ovpn_found(ck, OVPN_OVERLOOKED, line->number, line->word[0],
	    "%s, overlooked because of setenv FORWARD_COMPATIBLE 1", what);
}

static void
unknown(struct ovpn_check *ck, const struct config_line *line)
{
	const char *name = line->word[0];

	if (!ovpn_is_directive_like(name)) {
		/* A lost key has many such lines, and one is enough to find it. */
		if (!ck->no_directive)
			ovpn_found(ck, OVPN_NO_DIRECTIVE, line->number, NULL,
			    "expected a directive, found what is none (not shown: it may be part of a key)");
		ck->no_directive = true;
	} else if (ck->forward) {
		overlooked(ck, line, "unknown");
	} else {
		ovpn_found(ck, OVPN_UNKNOWN, line->number, name,
		    "expected a directive of a client, found one that OpenVPN " CLIENT_VERSION
		    " does not know, or that is a server's");
	}
}

static void
too_new(const struct ovpn_check *ck, const struct config_line *line)
{
	const char *version = first_version(line->word[0]);

	if (ck->forward)
		overlooked(ck, line, "of a later OpenVPN");
	else
		ovpn_found(ck, OVPN_TOO_NEW, line->number, line->word[0],
		    "expected a directive of OpenVPN " CLIENT_VERSION ", found one that came with %s",
		    version != NULL ? version : "a later version");
}

/* False when the line counts for nothing, or for the end of the client. */
static bool
kind_check(struct ovpn_check *ck, const struct config_line *line, const struct client_directive *d)
{
	const char *name = line->word[0];

	switch (d == NULL ? CLIENT_UNKNOWN : d->kind) {
	case CLIENT_UNKNOWN:
		unknown(ck, line);
		return false;
	case CLIENT_TOO_NEW:
		too_new(ck, line);
		return false;
	case CLIENT_NEEDS_PROMPT:
		ovpn_found(ck, OVPN_PASSWORD, line->number, name,
		    "expected nothing that a person has to enter, found it");
		return false;
	case CLIENT_RUNS_PROGRAMS:
		ovpn_found(ck, OVPN_PROGRAM, line->number, name,
		    "expected nothing that starts programs or loads code, found it");
		return false;
	case CLIENT_TAKES_2_3:
		ovpn_found(ck, OVPN_SINCE_2_3, line->number, name, "expected what 2.1 and 2.2 take as well, found not");
		break;
	case CLIENT_TAKES:
		break;
	}
	return true;
}

/* What follows is another directive with its arguments, to those versions that know it. */
static bool
is_setenv_opt(const struct config_line *line)
{
	return strcmp(line->word[0], "setenv") == 0 && line->words > 1 && strcmp(line->word[1], "opt") == 0;
}

/* False when the client ends. */
static bool
arguments_check(const struct ovpn_check *ck, const struct config_line *line, const struct client_directive *d)
{
	const size_t count = line->words - 1;

	if (count < d->min_arguments && ck->forward) {
		overlooked(ck, line, "too few arguments");
		return false;
	}
	if (count < d->min_arguments) {
		ovpn_found(ck, OVPN_ARGUMENTS, line->number, d->name, "expected %d argument%s or more, found %zu",
		    d->min_arguments, d->min_arguments == 1 ? "" : "s", count);
		return false;
	}
	if (count > d->max_arguments && !is_setenv_opt(line))
		ovpn_found(ck, OVPN_ARGUMENTS_MANY, line->number, d->name, "expected at most %d argument%s, found %zu",
		    d->max_arguments, d->max_arguments == 1 ? "" : "s", count);
	return true;
}

static void
fault_found(const struct ovpn_check *ck, const struct config_line *line)
{
	const char *name = line->words > 0 && ovpn_is_directive_like(line->word[0]) ? line->word[0] : NULL;

	if (line->fault == CONFIG_LONG)
		ovpn_found(ck, OVPN_LINE_LONG, line->number, name, "expected at most %d bytes in a line, found %zu",
		    CLIENT_LINE_MAX, line->bytes);
	else if (line->fault == CONFIG_QUOTE_OPEN)
		ovpn_found(ck, OVPN_QUOTING, line->number, name, "expected a closing quotation mark, found none");
	else
		ovpn_found(ck, OVPN_QUOTING, line->number, name,
		    "expected \\, \" or a blank behind a backslash, found something else");
}

/* A tag where a directive belongs: one without its other half, or with something behind it. */
static bool
is_tag(const char *word)
{
	size_t len = strlen(word);

	return word[0] == '<' && word[len - 1] == '>' &&
	       strspn(word, "</>-abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

void
ovpn_directive_check(struct ovpn_check *ck, const struct config_line *line)
{
	const struct client_directive *d = line->words > 0 ? client_directive_find(line->word[0]) : NULL;
	char shown[SHOWN];

	if (line->fault != CONFIG_FINE) {
		fault_found(ck, line);
		return;
	}
	if (is_tag(line->word[0])) {
		ovpn_found(ck, OVPN_TAG, line->number, text_printable(line->word[0], shown, sizeof(shown)),
		    "expected an opening tag alone on its line, found another tag, or something behind it");
		return;
	}
	if (d != NULL && ck->inside && !is_of_connection(d->name)) {
		ovpn_found(ck, OVPN_CONNECTION, line->number, d->name,
		    "expected outside of <connection>, found inside");
		return;
	}
	if (!kind_check(ck, line, d) || !arguments_check(ck, line, d))
		return;
	if (acts_on_phone(d->name))
		ovpn_found(ck, OVPN_PHONE_ITSELF, line->number, d->name,
		    "expected what is about the connection, found it to act on the phone");
	else if (ovpn_names_file(d->name))
		ovpn_found(ck, OVPN_OTHER_FILE, line->number, d->name,
		    "expected all in the one file, found the name of another file or folder");
	else
		ovpn_value_check(ck, line);
}
