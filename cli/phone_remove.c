/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/crl_publish.h"
#include "cli/phone_fields.h"
#include "cli/revocation.h"
#include "cli/state.h"
#include "db/authority.h"

#include <stdio.h>

enum {
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be revoked with it, change nothing" },
	OPTION_END,
};

/*
 * What the phone has of former authorities is revoked first, each in its own CRL; what the current one has issued goes
 * together with the phone itself.
 */
static int
remove_phone(struct db *db, const struct settings *s, const struct db_phone *p, bool dry_run, size_t *ret_revoked,
    struct err *e)
{
	struct revocation r = REVOCATION_INIT;
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc;

	rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		bool last = i + 1 == count;

		revocation_release(&r);
		rc = revocation_of_phone(db, p->mac, all[i].id, &r, e);
		if (rc != 0 || (r.count == 0 && !last))
			continue;
		*ret_revoked += r.count;
		if (dry_run)
			continue;
		if (revocation_sign(db, s, CA_REASON_CESSATION, &r, e) != 0)
			rc = -1;
		else if (last)
			rc = db_phone_remove(db, p->id, r.authority, (const unsigned char(*)[DB_SERIAL_SIZE])r.serials,
			    r.count, r.when, r.reason, &r.crl, e);
		else
			rc = db_revoke(db, r.authority, (const unsigned char(*)[DB_SERIAL_SIZE])r.serials, r.count,
			    r.when, r.reason, &r.crl, e);
	}
	revocation_release(&r);
	db_authority_free(all, count);
	return rc;
}

static int
remove_run(const struct invocation *in, struct err *e)
{
	bool dry_run = in->option[OPT_DRY_RUN] != NULL;
	char mac[DB_MAC_SIZE];
	struct settings s;
	struct db_phone p;
	size_t revoked = 0;
	const char *todo = NULL;
	struct db *db;
	int rc = -1;

	if (phone_argument(in->argv[0], mac, e) != 0)
		return -1;
	db = dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || db_phone_get(db, mac, &p, e) != 0 ||
	    remove_phone(db, &s, &p, dry_run, &revoked, e) != 0 ||
	    (!dry_run && revoked > 0 && crl_tell(db, &s, &todo, e) != 0))
		goto out;
	rc = 0;
	if (in->json)
		rc = command_print_json(json_pack("{s:s,s:I}", dry_run ? "would_remove" : "removed", mac, "revoked",
					    (json_int_t)revoked),
		    e);
	else if (dry_run)
		(void)printf("%s: would be removed, and %zu certificate%s revoked\n", mac, revoked,
		    revoked == 1 ? "" : "s");
	else if (!in->quiet)
		(void)printf("%s: removed, %zu certificate%s revoked%s\n", mac, revoked, revoked == 1 ? "" : "s",
		    todo != NULL ? "; tell the OpenVPN server with 'phonevpn emit server --out DIR'" : "");
out:
	db_close(db);
	return rc;
}

const struct command command_phone_remove = {
	.name = "phone remove",
	.arguments = "MAC",
	.summary = "Take a phone out of the fleet and revoke its certificates",
	.details = "The certificates stay on record: a serial is never used again, and the CRL goes on listing them.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = remove_run,
};
