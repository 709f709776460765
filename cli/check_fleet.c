/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "cli/check_clock.h"
#include "cli/check_live.h"
#include "cli/check_report.h"
#include "cli/check_rules.h"
#include "cli/check_server_fleet.h"
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/profile.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/process.h"
#include "common/progress.h"
#include "db/authority.h"

#include <libxml/parser.h>
#include <stdio.h>

enum {
	OPT_GROUP,
	OPT_BASE_DIR,
	OPT_SERVER,
	OPT_LIVE,
	OPT_LIVE_CA,
	OPT_JOBS,
	OPT_CLOCK,
	OPT_REPORT = OPT_CLOCK + CHECK_CLOCK_COUNT,
};

static const struct option_def options[] = {
	[OPT_GROUP] = { "group", "NAME", "only phones of this group" },
	[OPT_BASE_DIR] = { "base-dir", "DIR", "the admin's own <mac>.cfg files, as for 'serve'" },
	[OPT_SERVER] = { "server", "FILE", "a server.conf to judge against all phones, too, as 'check server' does" },
	[OPT_LIVE] = { "live", "URL", "also what this server gives the phones; the base, as in the setting url" },
	[OPT_LIVE_CA] = { "live-ca", "FILE", "PEM certificates of CAs to trust for it (the system's)" },
	[OPT_JOBS] = { "jobs", "N", "threads that check (one a processor), each with 16 transfers of --live" },
	CHECK_CLOCK_OPTIONS(OPT_CLOCK),
	CHECK_OPTIONS(OPT_REPORT),
	OPTION_END,
};

#define WAIT_MS 1000 /* how long what is done may lie untold */
#define JOBS_MAX 32
#define TRANSFERS 16 /* of --live at once, for each job */

struct fleet_check {
	const struct invocation *in;
	struct db *db;
	struct fleet_common common;
	char actor[STATE_ACTOR_SIZE];
	struct check_report report;
	struct pool *pool;
	struct fleet_tally *tally;
	struct check_server *server;
	struct live *live;
	struct live_params live_params;
	struct progress progress;
	size_t phones, asked;
	bool emits; /* "emit server" has a certificate to write */
};

static bool
has_rule(const struct findings *f, enum fleet_rule rule)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->list[i].rule == &check_fleet_rules[rule])
			return true;
	return false;
}

/* ---- the phones ---- */

/* Take over what came of the oldest phone under way. */
static int
take(struct fleet_check *f, struct fleet_job *job, struct err *e)
{
	if (job->error.code != ERR_NONE) {
		*e = job->error;
		return -1;
	}
	if (job->found.count > 0)
		progress_hide(&f->progress);
	if (check_report_add(&f->report, &job->found, e) != 0 || fleet_tally_share(f->tally, job, e) != 0 ||
	    fleet_tally_extension(f->tally, &job->phone, e) != 0)
		return -1;
	if (job->profile[0] != '\0' && fleet_tally_profile(f->tally, &job->phone, job->profile, e) != 0)
		return -1;
	progress_set(&f->progress, ++f->phones);
	return 0;
}

/* Wait for the oldest ones, a batch of them where there are so many, and take what is done. */
static int
drain(struct fleet_check *f, struct err *e)
{
	size_t held = pool_held(f->pool), done;

	if (pool_wait(f->pool, held < FLEET_BATCH ? held : FLEET_BATCH, WAIT_MS, &done, e) != 0)
		return -1;
	for (size_t i = 0; i < done; i++) {
		if (take(f, pool_job(f->pool, i), e) != 0)
			return -1;
	}
	pool_take(f->pool, done);
	return 0;
}

static int
check_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct fleet_check *f = arg;
	struct fleet_job *job;

	while ((job = pool_room(f->pool)) == NULL) {
		if (drain(f, e) != 0)
			return -1;
	}
	job->phone = *p;
	pool_put(f->pool);
	return 0;
}

/* Every phone that was asked for, in the order of the MACs or of the arguments. */
static int
each_phone(struct fleet_check *f, int (*each)(const struct db_phone *p, void *arg, struct err *e), struct err *e)
{
	const struct invocation *in = f->in;
	const struct db_phone_filter filter = { .group = in->option[OPT_GROUP] };
	char mac[DB_MAC_SIZE];
	struct db_phone p;

	if (in->argc == 0)
		return db_phone_each(f->db, &filter, each, f, e);
	for (int i = 0; i < in->argc; i++) {
		if (phone_argument(in->argv[i], mac, e) != 0 || db_phone_get(f->db, mac, &p, e) != 0 ||
		    each(&p, f, e) != 0)
			return -1;
	}
	return 0;
}

static int
check_phones(struct fleet_check *f, struct err *e)
{
	int rc = each_phone(f, check_phone, e);

	while (rc == 0 && pool_held(f->pool) > 0)
		rc = drain(f, e);
	return rc;
}

/* ---- what is really served ---- */

static int
live_take(struct fleet_check *f, struct fleet_job *job, struct err *e)
{
	if (job->found.count > 0)
		progress_hide(&f->progress);
	if (check_report_add(&f->report, &job->found, e) != 0 || fleet_tally_share(f->tally, job, e) != 0)
		return -1;
	live_pop(f->live);
	progress_set(&f->progress, ++f->asked);
	return 0;
}

static int
live_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct fleet_check *f = arg;
	struct fleet_job *job;

	if (live_is_full(f->live)) {
		job = live_head(f->live, e);
		if (job == NULL || live_take(f, job, e) != 0)
			return -1;
	}
	return live_put(f->live, p, e);
}

static int
live_phones(struct fleet_check *f, struct findings *rest, struct err *e)
{
	struct err why = ERR_INIT;
	struct fleet_job *job;

	if (each_phone(f, live_phone, e) != 0)
		return -1;
	while ((job = live_head(f->live, &why)) != NULL) {
		if (live_take(f, job, e) != 0)
			return -1;
	}
	return why.code == ERR_NONE ? live_report(f->live, rest, e) : err_set(e, why.code, "%s", why.text);
}

static int
check_live(struct fleet_check *f, size_t total, struct err *e)
{
	struct findings rest = FINDINGS_INIT;
	int rc = -1;

	fleet_tally_free(f->tally);
	f->tally = fleet_tally_new(e);
	if (f->tally == NULL)
		return -1;
	process_raise_files();
	progress_start(&f->progress, "fetching", total, f->in->quiet);
	rc = live_phones(f, &rest, e);
	progress_end(&f->progress);
	if (rc == 0) {
		fleet_tally_report(f->tally, &rest);
		rc = check_report_add(&f->report, &rest, e);
	}
	findings_release(&rest);
	return rc;
}

/* ---- the whole ---- */

static int
check_server(struct fleet_check *f, struct findings *out, struct err *e)
{
	if (fleet_check_server(f->db, f->tally, f->server, out, e) != 0 ||
	    check_server_revocations(f->server, f->db, &f->common.clock, out, e) != 0)
		return -1;
	check_server_fleet(f->server, fleet_tally_offered(f->tally), f->common.settings.value[SET_VPN_NETWORK], out);
	return 0;
}

static int
report_rest(struct fleet_check *f, struct err *e)
{
	struct findings found = FINDINGS_INIT;
	int rc = fleet_check_profiles(f->db, &f->common.clock, f->tally, &found, e);

	/* Without a sound certificate it would not start, and that is told. */
	if (rc == 0 && f->emits)
		rc = fleet_check_emitted(f->db, &f->common, f->tally, &found, e);
	if (rc == 0 && f->server != NULL)
		rc = check_server(f, &found, e);
	fleet_tally_report(f->tally, &found);
	if (f->phones == 0)
		FLEET_FOUND(&found, FLEET_EMPTY, &(struct finding_place){ .line = 0 }, "expected phones, found none");
	if (rc == 0)
		rc = check_report_add(&f->report, &found, e);
	findings_release(&found);
	return rc;
}

static int
check_state(struct fleet_check *f, struct err *e)
{
	struct findings found = FINDINGS_INIT;
	int rc = fleet_check_state(f->db, &f->common, &found, e);

	f->emits = !has_rule(&found, FLEET_SERVER_BROKEN) && !has_rule(&found, FLEET_SERVER_ENDED);
	if (rc == 0 && f->common.server != NULL)
		rc = check_server_open(f->common.server, &f->common.clock, &found, &f->server, e);
	if (rc == 0)
		rc = check_report_add(&f->report, &found, e);
	findings_release(&found);
	return rc;
}

static int
count_phones(const struct fleet_check *f, size_t *ret, struct err *e)
{
	const struct db_phone_filter filter = { .group = f->in->option[OPT_GROUP] };

	*ret = (size_t)f->in->argc;
	if (f->in->argc > 0)
		return 0;
	if (db_phone_count(f->db, &filter, ret, e) != 0)
		return -1;
	if (filter.group != NULL && *ret == 0)
		return err_set(e, ERR_NOT_FOUND, "group %s: no phone in it", filter.group);
	return 0;
}

static int
prepare(struct fleet_check *f, struct err *e)
{
	struct fleet_common *c = &f->common;
	struct buf profile = BUF_INIT(DB_DER_MAX);
	struct db_authority authority;
	int rc = -1;

	if (settings_load(f->db, &c->settings, e) != 0 ||
	    check_network_parse(c->settings.value[SET_VPN_NETWORK], settings_name(SET_VPN_NETWORK), &c->vpn, e) != 0 ||
	    db_authority_current(f->db, &authority, e) != 0)
		return -1;
	c->authority = authority.id;
	db_authority_release(&authority);
	rc = profile_current(f->db, &c->settings, &profile, c->profile, e);
	buf_release(&profile);
	return rc;
}

static int
open_live(struct fleet_check *f, unsigned long jobs, struct err *e)
{
	f->live_params = (struct live_params){
		.db = f->db,
		.common = &f->common,
		.base = f->in->option[OPT_LIVE],
		.ca_file = f->in->option[OPT_LIVE_CA],
		.transfers = jobs * TRANSFERS,
	};
	if (f->live_params.base == NULL)
		return f->live_params.ca_file == NULL
		           ? 0
		           : err_set(e, ERR_USAGE, "check fleet: expected --live beside --live-ca, found none");
	f->live = live_open(&f->live_params, e);
	return f->live != NULL ? 0 : -1;
}

static int
check(struct fleet_check *f, unsigned int threads, struct err *e)
{
	size_t total;
	int rc;

	if (count_phones(f, &total, e) != 0 || check_state(f, e) != 0)
		return -1;
	f->tally = fleet_tally_new(e);
	if (f->tally == NULL)
		return -1;
	f->pool = pool_start(&fleet_pool_kind, &f->common, threads < total ? threads : (unsigned int)total, e);
	if (f->pool == NULL)
		return -1;
	progress_start(&f->progress, "checking", total, f->in->quiet);
	rc = check_phones(f, e);
	progress_end(&f->progress);
	if (rc == 0)
		rc = report_rest(f, e);
	return rc == 0 && f->live != NULL ? check_live(f, total, e) : rc;
}

static int
check_fleet_run(const struct invocation *in, struct err *e)
{
	struct fleet_check f = { .in = in,
		.common = { .base_dir = in->option[OPT_BASE_DIR], .server = in->option[OPT_SERVER] } };
	unsigned long threads = process_cpus();
	char checked[64];
	int rc = -1;

	if (in->argc > 0 && in->option[OPT_GROUP] != NULL)
		return err_set(e, ERR_USAGE, "check fleet: expected MACs or --group, found both");
	if (command_number(in->option[OPT_JOBS], 1, JOBS_MAX, "jobs", &threads, e) != 0 ||
	    check_clock_parse(in, OPT_CLOCK, &f.common.clock, e) != 0)
		return -1;
	if (f.common.base_dir != NULL && file_check_dir(f.common.base_dir, e) != 0)
		return err_prefix(e, "base-dir");
	if (check_report_begin(&f.report, in, OPT_REPORT, check_rule_tables, e) != 0)
		return -1;
	xmlInitParser();
	state_location(in, f.actor, &f.common.where);
	f.db = db_open(&f.common.where, e);
	if (f.db != NULL && prepare(&f, e) == 0 && open_live(&f, threads, e) == 0)
		rc = check(&f, (unsigned int)threads, e);
	pool_free(f.pool);
	live_close(f.live);
	check_server_close(f.server);
	fleet_tally_free(f.tally);
	db_close(f.db);
	(void)snprintf(checked, sizeof(checked), "%zu phone%s", f.phones, f.phones == 1 ? "" : "s");
	return check_report_end(&f.report, checked, rc, e);
}

const struct command command_check_fleet = {
	.name = "check fleet",
	.arguments = "[MAC...]",
	.summary = "Tell what in the database would keep phones off the VPN",
	.details =
	    "Every phone, or those named: what was minted and is offered, whether its bundle still is what its md5 was taken "
	    "of, its certificate, and its XML; beside them the CA, its CRL and the server's certificate. What many phones "
	    "share is told once, with their number. The server that 'emit server' would write now has to take what they are "
	    "offered. With --live each phone's files are also fetched, as it does, with its "
	    "own login, and held against the database. The exit status is 5 when there is an error among the findings, with "
	    "--strict also a warning.",
	.options = options,
	.max_arguments = -1,
	.run = check_fleet_run,
};
