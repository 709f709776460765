/* SPDX-License-Identifier: ISC */
#include "ca/key.h"
#include "cli/commands.h"
#include "cli/import_pki_internal.h"
#include "cli/import_plan.h"
#include "cli/import_report.h"
#include "cli/init_options.h"
#include "cli/issuer.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

#define PASSPHRASE_MAX 1024 /* PEM_BUFSIZE */

enum {
	OPT_PASSPHRASE_FILE = INIT_OPTION_COUNT,
	OPT_FLEET,
	OPT_MODEL,
	OPT_SERVER_NAME,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	INIT_OPTIONS,
	[OPT_PASSPHRASE_FILE] = { "passphrase-file", "FILE",
	    "file with the CA key's passphrase, - for standard input" },
	[OPT_FLEET] = { "fleet", "FILE.csv", "the phones, as fleet.csv(5); column certificate: a common name" },
	[OPT_MODEL] = { "model", "MODEL", "of phones that no fleet names, but a certificate whose name is a MAC" },
	[OPT_SERVER_NAME] = { "server-name", "NAME",
	    "common name of the server's certificate, where there are several" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "do all but write, and report" },
	OPTION_END,
};

struct import {
	const struct invocation *in;
	struct settings settings;
	struct findings findings;
	struct pki pki;
	struct fleet fleet;
	struct import_phones phones;
	struct import_server server;
	bool server_made;
	struct import_plan plan;
	struct db_crl crl;
};

/* ---- reading ---- */

static int
fleet_read(struct import *im, struct err *e)
{
	const char *file = im->in->option[OPT_FLEET];
	struct buf text = BUF_INIT(FLEET_CSV_MAX);
	int rc = -1;

	if (file == NULL)
		return 0;
	im->fleet.certificates = true;
	if (file_read(file, &text, e) != 0)
		goto out;
	rc = fleet_parse(text.data, text.len, &im->fleet, e);
	if (rc != 0)
		err_prefix(e, "%s", file);
	for (size_t i = 0; i < im->fleet.problem_count; i++) {
		const struct fleet_problem *problem = &im->fleet.problems[i];
		const struct finding_place place = { .file = file, .line = (unsigned int)problem->line };

		findings_add(&im->findings, &import_rules[IMPORT_FLEET_ROW], &place, "%s", problem->text);
	}
out:
	buf_release(&text);
	return rc;
}

static int
folder_read(struct import *im, struct err *e)
{
	const char *file = im->in->option[OPT_PASSPHRASE_FILE];
	struct buf passphrase = BUF_INIT(PASSPHRASE_MAX);
	int rc = -1;

	if (file == NULL || file_read_secret(file, &passphrase, e) == 0)
		rc = pki_read(im->in->argv[0], file != NULL ? buf_string(&passphrase) : NULL, &im->findings, &im->pki,
		    e);
	buf_release(&passphrase);
	return rc;
}

static int
options_check(const struct invocation *in, struct err *e)
{
	struct phone_draft draft = PHONE_DRAFT_INIT;
	const char *fleet = in->option[OPT_FLEET], *passphrase = in->option[OPT_PASSPHRASE_FILE];

	if (fleet != NULL && passphrase != NULL && strcmp(fleet, "-") == 0 && strcmp(passphrase, "-") == 0)
		return err_set(e, ERR_USAGE,
		    "--fleet and --passphrase-file: expected standard input for one, found both");
	if (in->option[OPT_MODEL] != NULL && phone_field_put(&draft, FIELD_MODEL, in->option[OPT_MODEL], e) != 0)
		return err_usage(e);
	return 0;
}

/* ---- what is made new ---- */

static int
server_make(struct import *im, struct err *e)
{
	struct identity *id = &im->server.identity;

	if (im->server.chosen != NULL)
		return 0;
	id->params = identity_server(&im->settings, time(NULL));
	/* Present bundles may ask for the name that the server had. */
	if (im->server.name != NULL)
		id->params.common_name = im->server.name;
	im->server.name = id->params.common_name;
	im->server_made = true;
	return identity_make(id, CA_KEY_BITS_DEFAULT, &im->settings, im->pki.ca.cert, im->pki.ca.key, e);
}

static int
crl_make(struct import *im, struct err *e)
{
	time_t now = time(NULL);
	struct ca_crl_params params = {
		.number = im->pki.crl_number + 1,
		.this_update = now,
		.next_update = issuer_days(now, settings_number(&im->settings, SET_CRL_DAYS)),
		.entries = im->plan.revoked,
		.count = im->plan.revoked_count,
	};

	/* The database counts up to there. */
	if (im->pki.crl_number >= INT64_MAX)
		return err_set(e, ERR_INPUT, "%s/crl.pem: expected a CRL number below 2^63 - 1, found %llu",
		    im->pki.dir, (unsigned long long)im->pki.crl_number);
	im->crl.number = params.number;
	im->crl.this_update = params.this_update;
	im->crl.next_update = params.next_update;
	return ca_crl_issue(&params, im->pki.ca.cert, im->pki.ca.key, &im->crl.der, e);
}

static int
state_create(struct import *im, const struct db_location *where, struct err *e)
{
	const struct db_certificate_new server = identity_certificate(&im->server.identity);
	struct db_import import = import_plan_import(&im->plan);
	struct db_setting list[SET_COUNT];
	const struct db_init init = {
		.settings = list,
		.setting_count = SET_COUNT,
		.authority_name = im->pki.ca_name,
		.authority_cert = &im->pki.ca.cert_der,
		.authority_key = &im->pki.ca.key_der,
		.crl = &im->crl,
		.server_name = im->server.name,
		.server = &server,
		.import = &import,
	};

	import.server = !im->server_made;
	settings_list(&im->settings, list);
	return db_create(where, &init, e);
}

/* ---- the report ---- */

static void
note_rest(struct import *im)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < im->pki.count; i++) {
		const struct pki_certificate *c = im->pki.list[i];

		if (c != im->server.chosen && c->line != 0 && pki_in_force(c, now) &&
		    import_phone_of(&im->phones, c) == NULL)
			pki_note(&im->pki, IMPORT_NO_PHONE, "index.txt", c->line, c->name,
			    "expected a MAC or a name of the fleet, found %s",
			    c->server && !c->client ? "a server's certificate" : "neither");
	}
}

/* Told before it is refused: all that has to be corrected. */
static int
refuse(const struct import *im, struct err *e)
{
	import_report_refused(im->in, &im->findings);
	if (im->in->json &&
	    command_print_json(json_pack("{s:b,s:o}", "imported", 0, "findings", import_report_json(&im->findings)),
		e) != 0)
		return -1;
	return err_set(e, ERR_INPUT, "%s: found errors in its index or the fleet; nothing was imported", im->pki.dir);
}

static size_t
count_valid(const struct pki *pki)
{
	time_t now = time(NULL);
	size_t count = 0;

	for (size_t i = 0; i < pki->count; i++)
		count += pki_in_force(pki->list[i], now);
	return count;
}

static int
report_json(const struct import *im, const char *dir, const char *ca_end, struct err *e)
{
	const struct import_plan *p = &im->plan;
	size_t valid = count_valid(&im->pki);

	return command_print_json(
	    json_pack("{s:b,s:s,s:{s:s,s:s},s:{s:s,s:b},s:{s:I,s:I,s:I},s:{s:I,s:I},s:{s:I},s:o,s:I}",
		im->in->option[OPT_DRY_RUN] != NULL ? "importable" : "imported", 1, "dir", dir, "ca", "name",
		im->pki.ca_name, "not_after", ca_end, "server", "name", im->server.name, "taken_over", !im->server_made,
		"certificates", "valid", (json_int_t)valid, "revoked", (json_int_t)p->revoked_count, "expired",
		(json_int_t)(im->pki.count - valid - p->revoked_count), "phones", "added", (json_int_t)p->phone_count,
		"taken_over", (json_int_t)p->generation_count, "crl", "number", (json_int_t)im->crl.number, "findings",
		import_report_json(&im->findings), "left_off", (json_int_t)im->findings.left_off),
	    e);
}

static int
report(const struct import *im, const char *dir, struct err *e)
{
	const struct import_plan *p = &im->plan;
	bool dry_run = im->in->option[OPT_DRY_RUN] != NULL;
	size_t valid = count_valid(&im->pki);
	char end[TEXT_TIME_SIZE];

	text_time(im->pki.ca.not_after, end);
	if (im->in->json)
		return report_json(im, dir, end, e);
	if (im->in->quiet)
		return 0;
	import_report_findings(im->in, &im->findings);
	(void)printf("%s: %s around the CA \"%s\", which ends %s\n", dir, dry_run ? "would be made" : "made",
	    im->pki.ca_name, end);
	(void)printf("server %s: %s\n", im->server.name,
	    im->server_made ? "a new certificate" : "its certificate is taken over");
	(void)printf("certificates: %zu valid, %zu revoked, %zu expired; CRL number %llu\n", valid, p->revoked_count,
	    im->pki.count - valid - p->revoked_count, (unsigned long long)im->crl.number);
	(void)printf("phones: %zu, %zu of them with the certificate that they have\n", p->phone_count,
	    p->generation_count);
	if (!dry_run)
		(void)printf(
		    "next: phonevpn mint --all, then phonevpn emit server; easy-rsa must not issue or revoke any "
		    "more\n");
	return 0;
}

/* ---- the command ---- */

static int
prepare(struct import *im, struct err *e)
{
	const struct invocation *in = im->in;
	bool quiet = in->quiet || in->json;

	if (fleet_read(im, e) != 0 || folder_read(im, e) != 0)
		return -1;
	if (im->findings.worst == FINDING_ERROR)
		return refuse(im, e);
	if (import_server_choose(&im->pki, in->option[OPT_SERVER_NAME], &im->server, e) != 0 ||
	    import_phones_begin(&im->phones, &im->fleet, in->option[OPT_MODEL], e) != 0 ||
	    import_phones_match(&im->phones, &im->pki, quiet, e) != 0)
		return -1;
	note_rest(im);
	if (server_make(im, e) != 0 ||
	    import_plan_make(&im->pki, &im->phones, &im->server, &im->settings, quiet, &im->plan, e) != 0 ||
	    crl_make(im, e) != 0)
		return -1;
	return findings_check(&im->findings, e);
}

static int
easyrsa_run(const struct invocation *in, struct err *e)
{
	struct import im = {
		.in = in,
		.findings = FINDINGS_INIT,
		.pki = PKI_INIT,
		.fleet = FLEET_INIT,
		.phones = IMPORT_PHONES_INIT,
		.server = IMPORT_SERVER_INIT,
		.plan = IMPORT_PLAN_INIT,
		.crl = { .der = BUF_INIT(DB_CRL_MAX) },
	};
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;
	int rc = -1;

	state_location(in, actor, &where);
	if (init_settings(in, &im.settings, e) != 0 || options_check(in, e) != 0 || init_state_absent(&where, e) != 0)
		return -1;
	if (prepare(&im, e) == 0 && (in->option[OPT_DRY_RUN] != NULL || state_create(&im, &where, e) == 0))
		rc = report(&im, where.dir, e);
	buf_release(&im.crl.der);
	import_plan_release(&im.plan);
	identity_release(&im.server.identity);
	import_phones_release(&im.phones);
	fleet_release(&im.fleet);
	pki_release(&im.pki);
	findings_release(&im.findings);
	return rc;
}

const struct command command_import_easyrsa = {
	.name = "import easyrsa",
	.arguments = "PKI_DIR",
	.summary = "Make the state folder around the CA, the certificates and the revocations of easy-rsa 3",
	.details =
	    "In place of 'init'. PKI_DIR is only read. Serials and revocations are kept, and a phone whose certificate and key "
	    "are there gets them as its first generation. A phone is found by --fleet, or by a certificate or file whose name "
	    "is its MAC; the others are recorded, so that they can be revoked. What is odd is reported. All or nothing.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = easyrsa_run,
};
