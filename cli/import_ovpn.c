/* SPDX-License-Identifier: ISC */
#include "ca/facts.h"
#include "cli/commands.h"
#include "cli/import_bundle.h"
#include "cli/import_plan.h"
#include "cli/import_report.h"
#include "cli/import_rules.h"
#include "cli/phone_report.h"
#include "cli/profile.h"
#include "cli/state.h"
#include "common/text.h"
#include "db/authority.h"
#include "dseries/mac.h"
#include "dseries/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".ovpn"

enum {
	OPT_MAC,
	OPT_MODEL,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_MAC] = { "mac", "MAC", "the phone of the one FILE, where neither its certificate nor its name says it" },
	[OPT_MODEL] = { "model", "MODEL", "add phones that are not in the fleet, of this model" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "check the files, change nothing" },
	OPTION_END,
};

/* A file and its phone. */
struct candidate {
	struct import_bundle bundle;
	struct phone_draft draft; /* when the phone has to be added */
	bool add;
	int64_t authority;
	char mac[DB_MAC_SIZE];
	char name[CA_NAME_MAX + 1]; /* the certificate's common name */
	char serial[SERIAL_HEX_SIZE];
};

struct import {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	struct findings findings;
	enum err_code first; /* of the files that are refused */
	size_t refused;      /* how many those are */
	struct db_authority *authorities;
	size_t authority_count;
	struct candidate *candidates;
	struct import_plan plan;
	struct config profile;
};

/* ---- whether it can go on ---- */

static int
issuer_find(const struct import *im, struct candidate *c, struct err *e)
{
	struct ca_cert_facts facts;
	int rc = 1;

	for (size_t i = 0; i < im->authority_count && rc == 1; i++) {
		const struct db_authority *a = &im->authorities[i];
		X509 *ca = ca_cert_decode(a->cert.data, a->cert.len, e);

		if (ca == NULL)
			return -1;
		if (ca_cert_signed_by(c->bundle.cert, ca)) {
			c->authority = a->id;
			rc = ca_cert_check_foreign(c->bundle.cert, c->bundle.key, ca, CA_KIND_PHONE, time(NULL), e);
		}
		X509_free(ca);
	}
	if (rc != 1)
		return rc;
	ca_cert_facts(c->bundle.cert, &facts);
	return err_set(e, ERR_INTEGRITY,
	    "expected a certificate that a CA of this state has signed, found one of \"%s\"; a phone of another CA needs "
	    "that CA and its key: 'phonevpn import easyrsa' makes a state around it",
	    facts.issuer);
}

/* Whose a certificate of the database is: "" for nobody's. One that was imported under another name says it apart. */
static int
owner_find(const struct import *im, const struct db_certificate *known, char ret_mac[DB_MAC_SIZE], struct err *e)
{
	struct err mine = ERR_INIT;

	if (db_certificate_owner(im->db, known->serial, ret_mac, &mine) == 0)
		return 0;
	if (mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	if (mac_parse(known->name, ret_mac, NULL) != 0)
		ret_mac[0] = '\0';
	return 0;
}

/* What the database would refuse, for a dry run to say so as well. */
static int
known_check(const struct import *im, const struct candidate *c, const unsigned char serial[DB_SERIAL_SIZE],
    struct err *e)
{
	struct db_certificate known;
	struct err mine = ERR_INIT;
	char hex[SERIAL_HEX_SIZE], owner[DB_MAC_SIZE];

	serial_hex(serial, hex);
	if (db_certificate_get(im->db, serial, &known, &mine) != 0)
		return mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
	if (known.revoked != 0)
		return err_set(e, ERR_CONFLICT, "serial %s: revoked, so it cannot serve again", hex);
	if (owner_find(im, &known, owner, e) != 0)
		return -1;
	if (owner[0] != '\0' && strcmp(owner, c->mac) != 0)
		return err_set(e, ERR_CONFLICT, "serial %s: expected a certificate of phone %s, found that of phone %s",
		    hex, c->mac, owner);
	return 0;
}

/* ---- whose it is ---- */

static int
mac_find(const struct import *im, struct candidate *c, struct err *e)
{
	const char *given = im->in->option[OPT_MAC], *slash = strrchr(c->bundle.file, '/');
	const char *name = slash != NULL ? slash + 1 : c->bundle.file;
	struct ca_cert_facts facts;
	char stem[64];
	size_t len = strlen(name);

	ca_cert_facts(c->bundle.cert, &facts);
	memcpy(c->name, facts.common_name, sizeof(c->name));
	if (given != NULL)
		return mac_parse(given, c->mac, e);
	if (mac_parse(facts.common_name, c->mac, NULL) == 0)
		return 0;
	if (len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0)
		len -= strlen(SUFFIX);
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)len, name);
	if (mac_parse(stem, c->mac, NULL) == 0)
		return 0;
	return err_set(e, ERR_INPUT,
	    "expected a MAC as the certificate's common name or as the file's, found \"%s\"; --mac says which phone's it "
	    "is",
	    facts.common_name);
}

static int
phone_new(const struct import *im, struct candidate *c, struct err *e)
{
	c->add = true;
	if (phone_field_put(&c->draft, FIELD_MAC, c->mac, e) != 0 ||
	    phone_field_put(&c->draft, FIELD_MODEL, im->in->option[OPT_MODEL], e) != 0)
		return -1;
	return phone_draft_finish(&c->draft, e);
}

static int
phone_find(const struct import *im, struct candidate *c, struct err *e)
{
	struct err mine = ERR_INIT, why = ERR_INIT;
	struct db_phone p;

	if (mac_find(im, c, e) != 0)
		return -1;
	for (const struct candidate *other = im->candidates; other != c; other++) {
		if (strcmp(other->mac, c->mac) == 0)
			return err_set(e, ERR_CONFLICT, "phone %s: expected one bundle, found another one in %s",
			    c->mac, other->bundle.file);
	}
	if (db_phone_get(im->db, c->mac, &p, &mine) != 0) {
		if (mine.code != ERR_NOT_FOUND || im->in->option[OPT_MODEL] == NULL)
			return err_set(e, mine.code, "%s%s", mine.text,
			    mine.code == ERR_NOT_FOUND ? ", or --model here" : "");
		if (phone_new(im, c, e) != 0)
			return -1;
		p = c->draft.phone;
	}
	if (phone_stand(&p, &why) == STAND_TURNED_DOWN)
		return err_set(e, why.code, "phone %s: turned down for the VPN: %s", c->mac, why.text);
	return 0;
}

/* ---- all of them ---- */

static int
candidate_plan(struct import *im, const char *file, struct candidate *c, struct err *e)
{
	struct import_plan *p = &im->plan;
	struct import_bundle *b = &c->bundle;
	struct db_certificate_imported *imported = &p->certificates[p->certificate_count];
	struct db_certificate_new *new = &imported->certificate;
	struct db_generation_new *g = &p->generations[p->generation_count];

	if (import_bundle_read(file, b, e) != 0 || issuer_find(im, c, e) != 0 || phone_find(im, c, e) != 0)
		return -1;
	*imported = (struct db_certificate_imported){
		.certificate = { .cert = &b->cert_der, .key = &b->key_der },
		.authority = c->authority,
		.name = c->name[0] != '\0' ? c->name : c->mac,
		.phone = c->mac,
		.declared = ca_cert_check_name(b->cert, c->mac, NULL) != 0,
	};
	if (ca_cert_serial(b->cert, new->serial, e) != 0 || known_check(im, c, new->serial, e) != 0 ||
	    ca_cert_validity(b->cert, &new->not_before, &new->not_after, e) != 0)
		return -1;
	serial_hex(new->serial, c->serial);
	memcpy(g->mac, c->mac, sizeof(g->mac));
	memcpy(g->serial, new->serial, sizeof(g->serial));
	if (import_generation_render(p, &b->cert_der, &b->key_der, g, e) != 0)
		return -1;
	if (c->add)
		p->phones[p->phone_count++] = phone_draft_new(&c->draft);
	p->certificate_count++;
	p->generation_count++;
	import_bundle_differences(b, &im->profile, c->mac, &im->findings);
	return 0;
}

/* The text without the file's name, which the finding's place has. */
static const char *
reason(const char *text, const char *file)
{
	size_t len = strlen(file);

	return strncmp(text, file, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2 : text;
}

/* Every file is tried, so that all that is wrong is told at once. */
static void
candidates_plan(struct import *im)
{
	for (int i = 0; i < im->in->argc; i++) {
		struct candidate *c = &im->candidates[i];
		const struct finding_place place = { .file = im->in->argv[i] };
		struct err why = ERR_INIT;

		if (candidate_plan(im, im->in->argv[i], c, &why) == 0)
			continue;
		if (im->first == ERR_NONE)
			im->first = why.code;
		im->refused++;
		findings_add(&im->findings,
		    &import_rules[c->bundle.found ? IMPORT_BUNDLE_REFUSED : IMPORT_BUNDLE_UNREADABLE], &place, "%s",
		    reason(why.text, place.file));
	}
}

static int
prepare(struct import *im, struct err *e)
{
	struct import_plan *p = &im->plan;
	size_t count = (size_t)im->in->argc;

	im->candidates = calloc(count, sizeof(*im->candidates));
	p->phones = calloc(count, sizeof(*p->phones));
	p->certificates = calloc(count, sizeof(*p->certificates));
	p->generations = calloc(count, sizeof(*p->generations));
	if (im->candidates == NULL || p->phones == NULL || p->certificates == NULL || p->generations == NULL)
		return err_set(e, ERR_FAILED, "%zu files: no memory", count);
	for (size_t i = 0; i < count; i++)
		im->candidates[i].draft = (struct phone_draft)PHONE_DRAFT_INIT;
	if (settings_load(im->db, &im->settings, e) != 0 ||
	    db_authority_list(im->db, DB_ROLES_SERVERS, &im->authorities, &im->authority_count, e) != 0 ||
	    profile_current(im->db, &im->settings, &p->profile, p->profile_hash, e) != 0)
		return -1;
	return config_read(p->profile.data, p->profile.len, &im->profile, e);
}

static int
report_json(const struct import *im, bool dry_run, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < im->plan.generation_count; i++) {
		const struct db_generation_new *g = &im->plan.generations[i];
		json_t *o = json_pack("{s:s,s:s}", "mac", g->mac, "md5", g->md5);

		if (o != NULL && !dry_run)
			(void)json_object_set_new(o, "generation", json_integer(g->ret_number));
		(void)json_array_append_new(list, o);
	}
	return command_print_json(json_pack("{s:o,s:o}", dry_run ? "importable" : "imported", list, "findings",
				      import_report_json(&im->findings)),
	    e);
}

static int
report(const struct import *im, struct err *e)
{
	bool dry_run = im->in->option[OPT_DRY_RUN] != NULL;

	if (im->in->json)
		return report_json(im, dry_run, e);
	import_report_findings(im->in, &im->findings);
	for (int i = 0; i < im->in->argc && !im->in->quiet; i++)
		(void)printf("%s: %s serial %s, from %s\n", im->candidates[i].mac,
		    dry_run ? "would be offered" : "is offered", im->candidates[i].serial, im->in->argv[i]);
	if (!im->in->quiet && !dry_run)
		(void)
		    printf("the new bundles have the profile of now, and so another md5: each phone fetches its own\n");
	return 0;
}

static int
refuse(const struct import *im, struct err *e)
{
	import_report_refused(im->in, &im->findings);
	if (im->in->json &&
	    command_print_json(json_pack("{s:[],s:o}", "imported", "findings", import_report_json(&im->findings)), e) !=
		0)
		return -1;
	if (im->in->argc == 1)
		return err_set(e, im->first, "%s: cannot be taken over; nothing was imported", im->in->argv[0]);
	return err_set(e, im->first, "%zu of %d files cannot be taken over; nothing was imported", im->refused,
	    im->in->argc);
}

static void
import_release(struct import *im)
{
	for (int i = 0; i < im->in->argc && im->candidates != NULL; i++) {
		import_bundle_release(&im->candidates[i].bundle);
		phone_draft_release(&im->candidates[i].draft);
	}
	free(im->candidates);
	config_release(&im->profile);
	import_plan_release(&im->plan);
	db_authority_free(im->authorities, im->authority_count);
	findings_release(&im->findings);
	db_close(im->db);
}

static int
ovpn_run(const struct invocation *in, struct err *e)
{
	struct import im = { .in = in, .findings = FINDINGS_INIT, .plan = IMPORT_PLAN_INIT };
	bool dry_run = in->option[OPT_DRY_RUN] != NULL;
	const struct model *model;
	struct db_import import;
	char mac[DB_MAC_SIZE];
	int rc = -1;

	if (in->option[OPT_MAC] != NULL && in->argc > 1)
		return err_set(e, ERR_USAGE, "--mac: expected one FILE with it, found %d", in->argc);
	if (in->option[OPT_MAC] != NULL && mac_parse(in->option[OPT_MAC], mac, e) != 0)
		return err_usage(e);
	if (in->option[OPT_MODEL] != NULL && model_parse(in->option[OPT_MODEL], &model, e) != 0)
		return err_usage(e);
	im.db = dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (im.db == NULL || prepare(&im, e) != 0)
		goto out;
	candidates_plan(&im);
	if (findings_check(&im.findings, e) != 0)
		goto out;
	if (im.first != ERR_NONE) {
		rc = refuse(&im, e);
		goto out;
	}
	import = import_plan_import(&im.plan);
	if (dry_run || db_import(im.db, &import, e) == 0)
		rc = report(&im, e);
out:
	import_release(&im);
	return rc;
}

const struct command command_import_ovpn = {
	.name = "import ovpn",
	.arguments = "FILE...",
	.summary = "Take the certificates and keys of phones over from their inline .ovpn files",
	.details =
	    "The certificates must be of a CA of this state: made by 'init', or taken over by 'import easyrsa'. A phone is found "
	    "by its MAC as the certificate's common name or the file's name, or by --mac. The certificate and key become its "
	    "next generation, with the profile of now: the phone fetches it, since its md5 is another. All or nothing.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = ovpn_run,
};
