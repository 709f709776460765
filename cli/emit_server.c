/* SPDX-License-Identifier: ISC */
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/crl_renew.h"
#include "cli/server_dir.h"
#include "cli/server_write.h"
#include "cli/state.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_OUT,
	OPT_OFFERED,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_OUT] = { "out", "DIR", "the server's folder, where it shall find the files (required)" },
	[OPT_OFFERED] = { "offered", NULL, "admit what phones are offered now, and no ciphers of bundles before that" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be changed, change nothing" },
	OPTION_END,
};

struct emit {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	struct server_fleet fleet;
	struct server_files files;
	struct server_change change;
	size_t assigned, without; /* phones that were given an address now, and that get none */
	bool dry_run;
};

static int
load(struct emit *m, struct addresses *addresses, struct err *e)
{
	server_fleet_release(&m->fleet);
	if (settings_load(m->db, &m->settings, e) != 0 || addresses_of(&m->settings, addresses, e) != 0 ||
	    server_fleet_load(m->db, &m->settings, m->in->option[OPT_OFFERED] != NULL, &m->fleet, e) != 0 ||
	    addresses_room(m->db, addresses, m->fleet.without_count, &m->assigned, e) != 0)
		return -1;
	m->without = m->fleet.without_count - m->assigned;
	return 0;
}

/* What has to be in the database before the files are made of it: an address for each phone, CRLs with a life. */
static int
prepare(struct emit *m, struct err *e)
{
	struct addresses addresses;
	bool crl_due = false;

	m->db = state_open(m->in, e);
	if (m->db == NULL || load(m, &addresses, e) != 0 || crl_is_due(m->db, false, &crl_due, e) != 0)
		return -1;
	/* Only for these changes; else a long mint would keep this from its work. */
	if (m->dry_run || (m->assigned == 0 && !crl_due))
		return 0;
	db_close(m->db);
	m->db = state_open_writer(m->in, e);
	/* Once more, now that nobody else can change it. */
	if (m->db == NULL || crl_renew_due(m->db, false, e) != 0 || load(m, &addresses, e) != 0)
		return -1;
	return db_host_assign(m->db, m->fleet.without, m->assigned, &addresses.range, e);
}

/* To some phones comp-lzo is what to others is its absence. */
static bool
has_both_framings(const struct server_fleet *f)
{
	for (size_t i = 1; i < f->count; i++)
		if (f->clients[i].comp_lzo != f->clients[0].comp_lzo)
			return true;
	return false;
}

static void
warn(const struct emit *m, const char *dir)
{
	char user[SETTINGS_USER_SIZE], group[SETTINGS_USER_SIZE];
	struct err why = ERR_INIT;

	/* It is told this once: afterwards the mode is right. */
	if (m->change.key_mode != 0)
		log_warn("%s/%s: expected mode 0600, found %04o: others could read the server's key and pose as the "
			 "server; 'phonevpn server renew --rekey' makes a new one",
		    dir, server_file_name(SERVER_FILE_KEY), (unsigned int)m->change.key_mode);
	if (m->in->quiet)
		return;
	settings_server_user(&m->settings, user, group);
	if (user[0] != '\0' && server_dir_is_open(dir, user, group, &why) != 0)
		log_warn("%s", why.text);
	if (m->without > 0)
		log_warn("%zu phones have no fixed VPN address: all of %s are taken; they use the pool", m->without,
		    m->settings.value[SET_VPN_NETWORK]);
	if (m->fleet.other_proto > 0)
		log_warn(
		    "bundles that phones may still have (%zu) are not for %s: those phones find no server until they "
		    "have fetched a new one",
		    m->fleet.other_proto, m->settings.value[SET_VPN_PROTO]);
	if (m->fleet.other_port > 0)
		log_warn(
		    "bundles that phones may still have (%zu) are not for port %s: those phones find no server until "
		    "they have fetched a new one",
		    m->fleet.other_port, m->settings.value[SET_VPN_PORT]);
	if (has_both_framings(&m->fleet))
		log_warn("bundles that phones may still have are with comp-lzo and without: %s/" SERVER_CONF " expects "
			 "OpenVPN 2.6 or later, which serves both at once; 2.4 and 2.5 do not start with it",
		    dir);
	if (m->fleet.other_auth > 0)
		log_warn(
		    "bundles that phones may still have (%zu) say another auth than %s: those phones connect, and no "
		    "packet passes, until they have fetched a new one",
		    m->fleet.other_auth, m->settings.value[SET_VPN_AUTH]);
}

/* "server.conf, ccd: 4 files" */
static void
report_changed(const struct server_change *c)
{
	const char *separator = "";
	const json_t *name;
	size_t i;

	json_array_foreach(c->changed, i, name)
	{
		if (strchr(json_string_value(name), '/') != NULL)
			continue;
		(void)printf("%s%s", separator, json_string_value(name));
		separator = ", ";
	}
	if (c->clients > 0 || c->clients_removed > 0) {
		(void)printf("%s" SERVER_CCD ": %zu written, %zu removed", separator, c->clients, c->clients_removed);
		separator = ", ";
	}
	if (c->serials > 0) {
		(void)printf("%s" SERVER_CRL_DIR ": %zu written", separator, c->serials);
		separator = ", ";
	}
	(void)puts(separator[0] == '\0' ? "nothing changed" : "");
}

static void
report_then(const struct server_change *c, const char *dir)
{
	if (c->is_new)
		(void)printf("start it with: openvpn --config %s/" SERVER_CONF "\n", dir);
	else if (c->then == SERVER_THEN_RELOAD)
		(void)printf("then: send the running server SIGHUP; phones are away for some seconds\n");
	else if (c->then == SERVER_THEN_RESTART)
		(void)printf("then: restart the running server; phones are away for some seconds\n");
	else
		(void)printf("then: nothing; a running server sees by itself what has changed\n");
	/* reneg-sec, 3600 by default. */
	if (c->serials > 0 && !c->is_new)
		(void)printf("a revoked phone that is connected stays so until its next key exchange, an hour at most; "
			     "restart the server to end that now\n");
}

static int
report(const struct emit *m, const char *dir, struct err *e)
{
	const struct server_change *c = &m->change;

	if (m->in->json)
		return command_print_json(json_pack("{s:s,s:O,s:O,s:O,s:s,s:b,s:I,s:I}", "dir", dir, "changed",
					      c->changed, "removed", c->removed, "foreign", c->foreign, "then",
					      server_then_name(c->then), "new", c->is_new, "assigned",
					      (json_int_t)m->assigned, "without_address", (json_int_t)m->without),
		    e);
	if (m->in->quiet)
		return 0;
	(void)printf("%s%s", dir, m->dry_run ? " would be changed: " : ": ");
	report_changed(c);
	if (m->assigned > 0)
		(void)printf("%zu phones %s given a VPN address\n", m->assigned, m->dry_run ? "would be" : "were");
	report_then(c, dir);
	return 0;
}

/* Behind the report: the rest is done, and what the running server has to be told was said. */
static int
foreign_check(const struct emit *m, const char *dir, struct err *e)
{
	size_t count = json_array_size(m->change.foreign);
	char more[64] = "";

	if (count == 0)
		return 0;
	if (count > 1)
		(void)snprintf(more, sizeof(more), " (and %zu more like it)", count - 1);
	return err_set(e, ERR_CONFLICT,
	    "%s/%s: expected phonevpn's own file or none, found another%s: that phone does not get its fixed VPN address; "
	    "everything else %s; move the file away, and run it again",
	    dir, json_string_value(json_array_get(m->change.foreign, 0)), more,
	    m->dry_run ? "would be written" : "is written");
}

static int
server_run(const struct invocation *in, struct err *e)
{
	struct emit m = { .in = in, .dry_run = in->option[OPT_DRY_RUN] != NULL, .fleet = SERVER_FLEET_INIT };
	char *dir = NULL;
	int rc = -1;

	if (in->option[OPT_OUT] == NULL)
		return err_set(e, ERR_USAGE, "emit server: expected --out DIR, found none");
	server_files_init(&m.files);
	if (prepare(&m, e) != 0)
		goto out;
	dir = server_dir_make(in->option[OPT_OUT], m.dry_run, e);
	if (dir == NULL || server_files_render(m.db, &m.settings, &m.fleet, dir, &m.files, e) != 0 ||
	    server_write(m.db, &m.settings, dir, &m.files, m.dry_run, &m.change, e) != 0)
		goto out;
	warn(&m, dir);
	rc = report(&m, dir, e) != 0 ? -1 : foreign_check(&m, dir, e);
out:
	server_change_release(&m.change);
	server_files_release(&m.files);
	server_fleet_release(&m.fleet);
	free(dir);
	db_close(m.db);
	return rc;
}

const struct command command_emit_server = {
	.name = "emit server",
	.summary = "Write what an OpenVPN server needs to take the phones",
	.details =
	    "server.conf, ca.crt, server.crt, server.key (0600), the revocations as crl.pem and as the folder crl, and in "
	    "ccd a file for each phone with its address. Run it after each change of the fleet, of revocations or of a vpn- "
	    "setting: it writes only what differs, and says what the running server has to be told. Another's file in the "
	    "place of a phone's is left as it is: all the rest is written, and the exit status is 4.",
	.options = options,
	.run = server_run,
};
