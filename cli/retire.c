/* SPDX-License-Identifier: ISC */
#include "rollout/retire.h"

#include "cli/commands.h"
#include "cli/crl_publish.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/revocation.h"
#include "cli/state.h"
#include "common/progress.h"
#include "common/table.h"
#include "db/authority.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	OPT_ALL,
	OPT_GROUP,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_ALL] = { "all", NULL, "every phone of the fleet" },
	[OPT_GROUP] = { "group", "NAME", "every phone of this group" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be revoked, change nothing" },
	OPTION_END,
};

/* A certificate of several authorities' goes into the CRL of its own. */
struct retire {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	bool dry_run;
	struct db_authority *authorities;
	struct revocation *revocations; /* of each of them */
	size_t authority_count;
	json_t *retired, *waiting;
	const char *todo; /* for the OpenVPN server to know, or NULL */
	struct progress progress;
};

static int
listed(json_t *list, json_t *entry, struct err *e)
{
	return json_array_append_new(list, entry) == 0 ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

static int
item_take(const struct retire_item *item, void *arg, struct err *e)
{
	struct retire *r = arg;
	char serial[SERIAL_HEX_SIZE];

	serial_hex(item->certificate.serial, serial);
	if (item->wait != RETIRE_READY)
		return listed(r->waiting,
		    json_pack("{s:s,s:s,s:I,s:s}", "mac", item->phone->mac, "serial", serial, "successor",
			(json_int_t)item->successor, "waits_for", retire_wait_name(item->wait)),
		    e);
	for (size_t i = 0; i < r->authority_count; i++) {
		if (r->authorities[i].id == item->certificate.authority &&
		    revocation_add(&r->revocations[i], item->certificate.serial, e) != 0)
			return -1;
	}
	return listed(r->retired,
	    json_pack("{s:s,s:s,s:I}", "mac", item->phone->mac, "serial", serial, "successor",
		(json_int_t)item->successor),
	    e);
}

static int
phone_take(const struct db_phone *p, void *arg, struct err *e)
{
	struct retire *r = arg;

	progress_set(&r->progress, r->progress.done + 1);
	return retire_each(r->db, p, item_take, r, e);
}

static int
phones_take(struct retire *r, struct err *e)
{
	const struct db_phone_filter filter = { .group = r->in->option[OPT_GROUP] };
	char mac[DB_MAC_SIZE];
	struct db_phone p;
	size_t count = (size_t)r->in->argc;
	int rc = 0;

	if (count == 0 && db_phone_count(r->db, &filter, &count, e) != 0)
		return -1;
	if (count == 0 && filter.group != NULL)
		return err_set(e, ERR_NOT_FOUND, "group %s: no phone is in it", filter.group);
	progress_start(&r->progress, "looking at phones", count, r->in->quiet);
	if (r->in->argc == 0)
		rc = db_phone_each(r->db, &filter, phone_take, r, e);
	for (int i = 0; i < r->in->argc && rc == 0; i++)
		rc = phone_argument(r->in->argv[i], mac, e) == 0 && db_phone_get(r->db, mac, &p, e) == 0
		         ? phone_take(&p, r, e)
		         : -1;
	progress_end(&r->progress);
	return rc;
}

static int
authorities_load(struct retire *r, struct err *e)
{
	if (db_authority_list(r->db, DB_ROLES_SERVERS, &r->authorities, &r->authority_count, e) != 0)
		return -1;
	r->revocations = calloc(r->authority_count, sizeof(*r->revocations));
	if (r->revocations == NULL)
		return err_set(e, ERR_FAILED, "CRLs: no memory");
	for (size_t i = 0; i < r->authority_count; i++) {
		r->revocations[i] = (struct revocation)REVOCATION_INIT;
		r->revocations[i].authority = r->authorities[i].id;
	}
	return 0;
}

static int
revoke_all(struct retire *r, struct err *e)
{
	for (size_t i = 0; i < r->authority_count && !r->dry_run; i++) {
		struct revocation *v = &r->revocations[i];

		if (v->count > 0 &&
		    (revocation_sign(r->db, &r->settings, CA_REASON_SUPERSEDED, v, e) != 0 ||
			db_revoke(r->db, v->authority, (const unsigned char(*)[DB_SERIAL_SIZE])v->serials, v->count,
			    v->when, v->reason, &v->crl, e) != 0))
			return -1;
	}
	return 0;
}

static int
waiting_print(const struct retire *r, struct err *e)
{
	static const char *const headings[] = { "PHONE", "SERIAL", "WAITS FOR THE PHONE" };
	struct table *table;
	int rc;

	if (json_array_size(r->waiting) == 0)
		return 0;
	table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (table == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	for (size_t i = 0; i < json_array_size(r->waiting); i++) {
		const json_t *w = json_array_get(r->waiting, i);

		table_row(table, (const char *[]){ json_string_value(json_object_get(w, "mac")),
				     json_string_value(json_object_get(w, "serial")),
				     json_string_value(json_object_get(w, "waits_for")) });
	}
	rc = table_print(table, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
	table_free(table);
	return rc;
}

static int
report(const struct retire *r, struct err *e)
{
	size_t retired = json_array_size(r->retired);

	if (r->in->json)
		return command_print_json(json_pack("{s:O,s:O}", r->dry_run ? "would_revoke" : "revoked", r->retired,
					      "waiting", r->waiting),
		    e);
	if (r->in->quiet)
		return 0;
	for (size_t i = 0; i < retired; i++) {
		const json_t *one = json_array_get(r->retired, i);

		(void)printf("%s %s %s\n", r->dry_run ? "would revoke" : "revoked",
		    json_string_value(json_object_get(one, "mac")), json_string_value(json_object_get(one, "serial")));
	}
	if (waiting_print(r, e) != 0)
		return -1;
	(void)printf("%zu certificate%s %s, %zu wait%s\n", retired, retired == 1 ? "" : "s",
	    r->dry_run ? "would be revoked" : "revoked", json_array_size(r->waiting),
	    json_array_size(r->waiting) == 1 ? "s" : "");
	if (retired > 0 && !r->dry_run)
		(void)printf("%s\n", r->todo != NULL ? r->todo : "the OpenVPN server's folder has it");
	return 0;
}

static int
tell(struct retire *r, struct err *e)
{
	if (r->dry_run || json_array_size(r->retired) == 0)
		return 0;
	return crl_tell(r->db, &r->settings, &r->todo, e);
}

static int
retire_run(const struct invocation *in, struct err *e)
{
	struct retire r = { .in = in, .dry_run = in->option[OPT_DRY_RUN] != NULL };
	int named = (in->argc > 0) + (in->option[OPT_ALL] != NULL) + (in->option[OPT_GROUP] != NULL);
	int rc = -1;

	if (named != 1)
		return err_set(e, ERR_USAGE, "retire: expected MACs, --all or --group NAME, found %s",
		    named == 0 ? "none of them" : "several of them");
	r.retired = json_array();
	r.waiting = json_array();
	r.db = r.dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (r.db != NULL && settings_load(r.db, &r.settings, e) == 0 && authorities_load(&r, e) == 0 &&
	    phones_take(&r, e) == 0 && revoke_all(&r, e) == 0 && tell(&r, e) == 0)
		rc = report(&r, e);
	for (size_t i = 0; r.revocations != NULL && i < r.authority_count; i++)
		revocation_release(&r.revocations[i]);
	free(r.revocations);
	db_authority_free(r.authorities, r.authority_count);
	json_decref(r.retired);
	json_decref(r.waiting);
	db_close(r.db);
	return rc;
}

const struct command command_retire = {
	.name = "retire",
	.arguments = "[MAC...]",
	.summary = "Revoke superseded certificates whose phones are on the VPN with the next one",
	.details =
	    "A phone keeps its former certificate until 'phonevpn watch' has seen it stay connected with the newer one, and "
	    "as long as it was not seen with another one since: it could not come back with a certificate that is revoked. "
	    "All others are listed with what they wait for. For a phone that was stolen, 'phonevpn revoke' does not wait.",
	.options = options,
	.max_arguments = -1,
	.run = retire_run,
};
