/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/revocation.h"
#include "cli/state.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_SERIAL,
	OPT_REASON,
};

static const struct option_def options[] = {
	[OPT_SERIAL] = { "serial", "HEX", "revoke this one certificate, 40 hex digits" },
	[OPT_REASON] = { "reason", "REASON",
	    "unspecified, keyCompromise, superseded or cessationOfOperation (unspecified)" },
	OPTION_END,
};

static const char next_step[] =
    "the OpenVPN server does not know yet: write the new CRL with 'phonevpn crl --out FILE' to "
    "where its crl-verify points\n";

/* Gathered and signed, now for good. */
static int
revoke_one(struct db *db, const struct settings *s, enum ca_reason reason, struct revocation *r, json_t *list,
    struct err *e)
{
	char hex[SERIAL_HEX_SIZE];

	if (r->count == 0)
		return 0;
	if (revocation_sign(db, s, reason, r, e) != 0 ||
	    db_revoke(db, r->authority, (const unsigned char(*)[DB_SERIAL_SIZE])r->serials, r->count, r->when,
		r->reason, &r->crl, e) != 0)
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		serial_hex(r->serials[i], hex);
		if (json_array_append_new(list, json_string(hex)) != 0)
			return err_set(e, ERR_FAILED, "JSON: no memory");
	}
	return 0;
}

static int
revoke_serial(struct db *db, const struct settings *s, enum ca_reason reason, const char *hex, json_t *list,
    struct err *e)
{
	struct revocation r = REVOCATION_INIT;
	unsigned char serial[DB_SERIAL_SIZE];
	char shown[64];
	int rc = -1;

	if (!text_unhex(hex, serial, sizeof(serial)))
		return err_set(e, ERR_USAGE, "serial: expected %d hex digits, found \"%s\"", 2 * DB_SERIAL_SIZE,
		    text_printable(hex, shown, sizeof(shown)));
	if (revocation_of_serial(db, serial, &r, e) == 0)
		rc = revoke_one(db, s, reason, &r, list, e);
	revocation_release(&r);
	return rc;
}

/* A phone may have certificates of several authorities; each has a CRL of its own. */
static int
revoke_phone(struct db *db, const struct settings *s, enum ca_reason reason, const char *argument, json_t *list,
    struct err *e)
{
	struct db_authority *all = NULL;
	char mac[DB_MAC_SIZE];
	struct db_phone p;
	size_t count = 0;
	int rc;

	if (phone_argument(argument, mac, e) != 0 || db_phone_get(db, mac, &p, e) != 0 ||
	    db_authority_all(db, &all, &count, e) != 0)
		return -1;
	rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct revocation r = REVOCATION_INIT;

		rc = revocation_of_phone(db, mac, all[i].id, &r, e);
		if (rc == 0)
			rc = revoke_one(db, s, reason, &r, list, e);
		revocation_release(&r);
	}
	db_authority_free(all, count);
	if (rc == 0 && json_array_size(list) == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no certificate that is not revoked already", mac);
	return rc;
}

static int
report(const struct invocation *in, json_t *list, struct err *e)
{
	const json_t *serial;
	size_t i;

	if (in->json)
		return command_print_json(json_pack("{s:O}", "revoked", list), e);
	if (in->quiet)
		return 0;
	json_array_foreach(list, i, serial)(void) printf("revoked %s\n", json_string_value(serial));
	(void)fputs(next_step, stdout);
	return 0;
}

static int
revoke_run(const struct invocation *in, struct err *e)
{
	enum ca_reason reason = CA_REASON_UNSPECIFIED;
	const char *hex = in->option[OPT_SERIAL];
	json_t *list = NULL;
	struct settings s;
	struct db *db = NULL;
	int rc = -1;

	if ((in->argc > 0) == (hex != NULL))
		return err_set(e, ERR_USAGE, "revoke: expected a MAC or --serial HEX, found %s",
		    hex == NULL ? "none of them" : "both");
	if (in->option[OPT_REASON] != NULL && ca_reason_parse(in->option[OPT_REASON], &reason, e) != 0) {
		if (e != NULL)
			e->code = ERR_USAGE;
		return -1;
	}
	list = json_array();
	db = state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0)
		goto out;
	rc = hex != NULL ? revoke_serial(db, &s, reason, hex, list, e)
	                 : revoke_phone(db, &s, reason, in->argv[0], list, e);
	if (rc == 0)
		rc = report(in, list, e);
out:
	json_decref(list);
	db_close(db);
	return rc;
}

const struct command command_revoke = {
	.name = "revoke",
	.arguments = "[MAC]",
	.summary = "Revoke a phone's certificates, or one by its serial",
	.details =
	    "The phone's bundles are not served any more, its XML turns the VPN off, and 'mint --all' passes it by. Its HTTP "
	    "login stays: 'phone set MAC --new-http-password' changes that. For the OpenVPN server, write the CRL anew.",
	.options = options,
	.max_arguments = 1,
	.run = revoke_run,
};
