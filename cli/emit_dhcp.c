/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/text.h"
#include "provisioner/dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 65536

enum {
	OPT_SERVER,
	OPT_MATCH,
};

static const struct option_def options[] = {
	[OPT_SERVER] = { "server", "NAME", "whose language: isc, kea or dnsmasq (required)" },
	[OPT_MATCH] = { "match", "HOW", "what phones are told by: oui or class (oui)" },
	OPTION_END,
};

static int
server_parse(const char *s, enum dhcp_server *ret, struct err *e)
{
	static const struct {
		const char *name;
		enum dhcp_server server;
	} table[] = { { "isc", DHCP_ISC }, { "kea", DHCP_KEA }, { "dnsmasq", DHCP_DNSMASQ } };
	char shown[64];

	if (s == NULL)
		return err_set(e, ERR_USAGE, "emit dhcp: expected --server isc, kea or dnsmasq, found none");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(s, table[i].name) == 0) {
			*ret = table[i].server;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "server: expected isc, kea or dnsmasq, found \"%s\"",
	    text_printable(s, shown, sizeof(shown)));
}

static int
match_parse(const char *s, enum dhcp_match *ret, struct err *e)
{
	char shown[64];

	if (s == NULL || strcmp(s, "oui") == 0)
		*ret = DHCP_MATCH_OUI;
	else if (strcmp(s, "class") == 0)
		*ret = DHCP_MATCH_CLASS;
	else
		return err_set(e, ERR_USAGE, "match: expected oui or class, found \"%s\"",
		    text_printable(s, shown, sizeof(shown)));
	return 0;
}

static int
dhcp_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	enum dhcp_server server;
	enum dhcp_match match;
	struct settings s;
	struct db *db;
	int rc = -1;

	if (server_parse(in->option[OPT_SERVER], &server, e) != 0 || match_parse(in->option[OPT_MATCH], &match, e) != 0)
		return -1;
	db = state_open(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || dhcp_render(server, match, s.value[SET_URL], &out, e) != 0)
		goto out;
	rc = fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : err_errno(e, ERR_FAILED, errno, "standard output");
out:
	buf_release(&out);
	db_close(db);
	return rc;
}

const struct command command_emit_dhcp = {
	.name = "emit dhcp",
	.summary = "Print what a DHCP server needs to send phones from the factory here, by option 66",
	.details =
	    "For isc a class to be included in dhcpd.conf, for kea the client class within its \"Dhcp4\", for dnsmasq a "
	    "file for its conf-dir. A phone is told by its address block, 00:0f:d3, or with --match class by option 60, "
	    "which begins with digium_D. The URL has no login, since every client on the network can read it: the phone "
	    "has to be given its own on its screen, or it gets it by its first fetch, while 'phonevpn enroll open' lets it. A phone that has a configuration server already does not ask DHCP for another.",
	.options = options,
	.run = dhcp_run,
};
