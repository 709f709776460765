/* SPDX-License-Identifier: ISC */
#include "bundler/bundle.h"
#include "cli/check_clock.h"
#include "cli/check_server_fleet.h"
#include "cli/commands.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/text.h"

#include <stdio.h>

enum {
	OPT_AGAINST,
	OPT_FLEET,
	OPT_MODEL,
	OPT_CLOCK,
	OPT_REPORT = OPT_CLOCK + CHECK_CLOCK_COUNT,
};

static const struct option_def options[] = {
	[OPT_AGAINST] = { "against", "BUNDLE", "judge it against this .ovpn file of a phone" },
	[OPT_FLEET] = { "fleet", NULL, "judge it against every phone of the state that a bundle is offered to" },
	[OPT_MODEL] = { "model", "MODEL", "the phone's model, with --against" },
	CHECK_CLOCK_OPTIONS(OPT_CLOCK),
	CHECK_OPTIONS(OPT_REPORT),
	OPTION_END,
};

static int
model_option(const struct invocation *in, const struct model **ret, struct err *e)
{
	const char *name = in->option[OPT_MODEL];

	*ret = NULL;
	if (name == NULL)
		return 0;
	if (in->option[OPT_AGAINST] == NULL)
		return err_set(e, ERR_USAGE, "--model: expected --against BUNDLE beside it, found none");
	if (model_parse(name, ret, e) != 0)
		return err_usage(e);
	return model_check_openvpn(*ret, NULL, e);
}

static int
against(const struct invocation *in, const struct model *m, struct check_server *server, struct findings *f,
    struct err *e)
{
	const char *name = in->option[OPT_AGAINST];
	struct buf text = BUF_INIT(BUNDLE_MAX);
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	int rc = -1;

	if (file_read(name, &text, e) != 0)
		goto out;
	if (config_read(text.data, text.len, &config, e) != 0 || client_side_read(&config, &side, e) != 0) {
		err_prefix(e, "%s", name);
		goto out;
	}
	/* An empty file, or another kind of file, would be a phone with OpenVPN's defaults. */
	if (config_find(&config, "client") == NULL && config_find(&config, "remote") == NULL) {
		err_set(e, ERR_INPUT, "%s: expected a phone's OpenVPN file, found neither client nor remote in it",
		    name);
		goto out;
	}
	check_server_against(server, name, &side, m, f);
	if (side.cert != NULL)
		check_server_phone(server, name, side.cert, f);
	rc = 0;
out:
	client_side_release(&side);
	config_release(&config);
	buf_release(&text);
	return rc;
}

static int
fleet(const struct invocation *in, struct check_server *server, const struct check_clock *clock,
    struct check_report *report, struct findings *f, size_t *ret_count, struct err *e)
{
	struct db *db = state_open(in, e);
	int rc = db == NULL ? -1 : check_server_walk(server, db, clock, report, f, ret_count, in->quiet || in->json, e);

	db_close(db);
	return rc;
}

static int
server_run(const struct invocation *in, struct err *e)
{
	static const struct finding_rule *const tables[] = { check_server_rules, NULL };
	struct findings f = FINDINGS_INIT;
	struct check_server *server = NULL;
	struct check_report report;
	struct check_clock clock;
	const struct model *m;
	char checked[512];
	size_t phones = 0;
	int rc;

	if (in->option[OPT_AGAINST] != NULL && in->option[OPT_FLEET] != NULL)
		return err_set(e, ERR_USAGE, "check server: expected --against or --fleet, found both");
	if (model_option(in, &m, e) != 0 || check_clock_parse(in, OPT_CLOCK, &clock, e) != 0 ||
	    check_report_begin(&report, in, OPT_REPORT, tables, e) != 0)
		return -1;
	rc = check_server_open(in->argv[0], &clock, &f, &server, e);
	if (rc == 0 && in->option[OPT_FLEET] != NULL)
		rc = fleet(in, server, &clock, &report, &f, &phones, e);
	else if (rc == 0 && in->option[OPT_AGAINST] != NULL)
		rc = against(in, m, server, &f, e);
	else if (rc == 0)
		check_server_alone(server, &f);
	if (rc == 0)
		rc = check_report_add(&report, &f, e);
	(void)snprintf(checked, sizeof(checked), "%s", in->argv[0]);
	if (in->option[OPT_FLEET] != NULL)
		(void)snprintf(checked, sizeof(checked), "%.400s against %zu phone%s", in->argv[0], phones,
		    phones == 1 ? "" : "s");
	rc = check_report_end(&report, checked, rc, e);
	check_server_close(server);
	findings_release(&f);
	return rc;
}

const struct command command_check_server = {
	.name = "check server",
	.arguments = "FILE",
	.summary = "Tell what in an OpenVPN server's configuration would keep phones off, or their data out",
	.details =
	    "FILE is a server.conf; the files that it names are read as well, from the folder that it is in or its own "
	    "\"cd\", so root should run this. It is judged as OpenVPN 2.6 reads it, for phones with OpenVPN 2.3.2 and TLS "
	    "1.0: by itself, against one phone's bundle, or against the whole fleet. Each finding has the line that the "
	    "server or the phone would log, and the line to write. The exit status is 5 when there is an error, and with "
	    "--strict also when there is a warning.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = server_run,
};
