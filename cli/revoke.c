/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/crl_publish.h"
#include "cli/revoke_now.h"
#include "cli/state.h"
#include "db/authority.h"
#include "db/bar.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_SERIAL,
	OPT_REASON,
	OPT_NOW,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_SERIAL] = { "serial", "HEX", "revoke this one certificate, its serial in hex" },
	[OPT_REASON] = { "reason", "REASON",
	    "unspecified, keyCompromise, superseded or cessationOfOperation (unspecified)" },
	[OPT_NOW] = { "now", NULL, "have 'phonevpn watch' end its VPN session, and each that it begins, at once" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be revoked, change nothing" },
	OPTION_END,
};

struct revoke {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	enum ca_reason reason;
	bool dry_run, is_now;
	struct revoke_now now;
	const char *todo; /* for the server to know, or NULL */
	json_t *serials;  /* that are revoked, in hex */
};

/* Gathered; now for good. */
static int
revoke_gathered(struct revoke *v, struct revocation *r, struct err *e)
{
	char hex[SERIAL_HEX_SIZE];

	if (r->count == 0)
		return 0;
	if (!v->dry_run && (revocation_sign(v->db, &v->settings, v->reason, r, e) != 0 ||
			       db_revoke(v->db, r->authority, (const unsigned char(*)[DB_SERIAL_SIZE])r->serials,
				   r->count, r->when, r->reason, &r->crl, e) != 0))
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		serial_hex(r->serials[i], hex);
		if (json_array_append_new(v->serials, json_string(hex)) != 0)
			return err_set(e, ERR_FAILED, "JSON: no memory");
	}
	return 0;
}

/* Before anything is revoked: then the phone is off, whatever fails next. */
static int
bar_gathered(struct revoke *v, struct err *e)
{
	const struct revocation *r = &v->now.bar;

	if (v->dry_run)
		return 0;
	return db_bar(v->db, (const unsigned char(*)[DB_SERIAL_SIZE])r->serials, r->count, time(NULL), &v->now.event,
	    e);
}

static int
revoke_serial(struct revoke *v, const char *hex, struct err *e)
{
	struct revocation r = REVOCATION_INIT;
	unsigned char serial[DB_SERIAL_SIZE];
	struct err why = ERR_INIT;
	int rc;

	if (serial_parse(hex, serial, e) != 0)
		return -1;
	rc = revocation_of_serial(v->db, serial, &r, &why);
	/* That it is revoked already does not mean that its session has ended. */
	if (rc != 0 && !(v->is_now && why.code == ERR_CONFLICT))
		return err_set(e, why.code, "%s", why.text);
	rc = v->is_now && (revoke_now_of_serial(v->db, serial, &v->now, e) != 0 || bar_gathered(v, e) != 0) ? -1 : 0;
	if (rc == 0)
		rc = revoke_gathered(v, &r, e);
	revocation_release(&r);
	return rc;
}

/* A phone may have certificates of several authorities; each has a CRL of its own. */
static int
revoke_phone(struct revoke *v, const char *argument, struct err *e)
{
	struct db_authority *all = NULL;
	char mac[DB_MAC_SIZE];
	struct db_phone p;
	size_t count = 0;
	int rc = 0;

	if (phone_argument(argument, mac, e) != 0 || db_phone_get(v->db, mac, &p, e) != 0 ||
	    (v->is_now && (revoke_now_of_phone(v->db, &p, &v->now, e) != 0 || bar_gathered(v, e) != 0)) ||
	    db_authority_list(v->db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct revocation r = REVOCATION_INIT;

		rc = revocation_of_phone(v->db, mac, all[i].id, &r, e);
		if (rc == 0)
			rc = revoke_gathered(v, &r, e);
		revocation_release(&r);
	}
	db_authority_free(all, count);
	if (rc == 0 && json_array_size(v->serials) == 0 && v->now.bar.count == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no certificate that is not revoked already", mac);
	return rc;
}

static int
report_json(const struct revoke *v, struct err *e)
{
	json_t *o = json_pack("{s:O}", v->dry_run ? "would_revoke" : "revoked", v->serials);

	if (o != NULL && v->is_now && !v->dry_run &&
	    json_object_set_new(o, "now",
		json_pack("{s:I,s:s,s:I}", "barred", (json_int_t)v->now.bar.count, "session",
		    revoke_now_outcome(&v->now), "servers", (json_int_t)v->now.attached)) != 0) {
		json_decref(o);
		o = NULL;
	}
	return command_print_json(o, e);
}

static int
report(const struct revoke *v, struct err *e)
{
	const json_t *serial;
	size_t i;

	if (v->in->json)
		return report_json(v, e);
	if (v->in->quiet)
		return 0;
	json_array_foreach(v->serials, i, serial)(void)
	    printf("%s %s\n", v->dry_run ? "would revoke" : "revoked", json_string_value(serial));
	if (v->dry_run)
		return 0;
	if (v->is_now && v->now.outcome == NOW_ENDED && v->now.attached > 0)
		(void)printf("no session of it goes on at the %zu servers that are watched\n", v->now.attached);
	(void)printf("%s\n", v->todo != NULL ? v->todo : "the OpenVPN server's folder has it");
	return 0;
}

static int
revoke_run(const struct invocation *in, struct err *e)
{
	struct revoke v = {
		.in = in,
		.dry_run = in->option[OPT_DRY_RUN] != NULL,
		.is_now = in->option[OPT_NOW] != NULL,
		.now = REVOKE_NOW_INIT,
	};
	const char *hex = in->option[OPT_SERIAL];
	int rc = -1;

	if ((in->argc > 0) == (hex != NULL))
		return err_set(e, ERR_USAGE, "revoke: expected a MAC or --serial HEX, found %s",
		    hex == NULL ? "none of them" : "both");
	if (in->option[OPT_REASON] != NULL && ca_reason_parse(in->option[OPT_REASON], &v.reason, e) != 0)
		return err_usage(e);
	v.serials = json_array();
	v.db = v.dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (v.db == NULL || settings_load(v.db, &v.settings, e) != 0)
		goto out;
	rc = hex != NULL ? revoke_serial(&v, hex, e) : revoke_phone(&v, in->argv[0], e);
	if (rc == 0 && !v.dry_run)
		rc = crl_tell(v.db, &v.settings, &v.todo, e);
	/* Who watches writes as well. */
	db_close(v.db);
	v.db = NULL;
	if (rc == 0 && v.is_now && !v.dry_run)
		rc = revoke_now_wait(in, &v.now, e);
	if (rc == 0)
		rc = report(&v, e);
	if (rc == 0 && v.is_now && !v.dry_run)
		rc = revoke_now_check(&v.now, e);
out:
	revocation_release(&v.now.bar);
	json_decref(v.serials);
	db_close(v.db);
	return rc;
}

const struct command command_revoke = {
	.name = "revoke",
	.arguments = "[MAC]",
	.summary = "Revoke a phone's certificates, or one by its serial",
	.details =
	    "The phone's bundles are not served any more, its XML turns the VPN off, and 'mint --all' passes it by. Its HTTP "
	    "login stays: 'phone set MAC --new-http-password' changes that. For the OpenVPN server, write the CRL anew. A "
	    "session that goes on would do so until the server next asks for its certificate, an hour later or never. With "
	    "--now, for a stolen phone, a running 'phonevpn watch' has the server end it within seconds, by the client's "
	    "number, and again whenever it comes back; so it does for a session whose certificate nobody saw, if that name "
	    "has no other certificate. Exit status 1: revoked, but no watch has seen the session end.",
	.options = options,
	.max_arguments = 1,
	.run = revoke_run,
};
