/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/mint_worker.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/profile.h"
#include "cli/render.h"
#include "cli/state.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64    /* generations a transaction */
#define WAIT_MS 200 /* how long a stop signal may go unseen */

enum {
	OPT_ALL,
	OPT_GROUP,
	OPT_RENEW,
	OPT_REKEY,
	OPT_JOBS,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_ALL] = { "all", NULL, "every phone of the fleet" },
	[OPT_GROUP] = { "group", "NAME", "every phone of this group" },
	[OPT_RENEW] = { "renew", NULL, "a new certificate for the same key, also where the present one is good" },
	[OPT_REKEY] = { "rekey", NULL, "a new key and a new certificate" },
	[OPT_JOBS] = { "jobs", "N", "threads that make keys (one a processor)" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be made, change nothing" },
	OPTION_END,
};

struct mint {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	struct issuer issuer;
	struct buf profile;
	char profile_hash[PROFILE_HASH_SIZE];
	struct mint_wish wish;
	bool named; /* the phone at hand was named by the admin */
	struct mint_job *jobs;
	size_t count, size;
	size_t good, turned_down, minted;
	struct err first_turned_down; /* of a named phone */
	json_t *minted_json, *turned_down_json;
};

/* ---- what is to be done ---- */

static int
turned_down(struct mint *m, const struct db_phone *p, const struct err *why)
{
	m->turned_down++;
	if (m->named && m->first_turned_down.code == ERR_NONE)
		err_set(&m->first_turned_down, why->code, "%s (%s): turned down for the VPN: %s", p->mac, p->model,
		    why->text);
	if (m->in->json)
		(void)json_array_append_new(m->turned_down_json,
		    json_pack("{s:s,s:s,s:s}", "mac", p->mac, "model", p->model, "reason", why->text));
	else if (!m->in->quiet && !m->named)
		(void)printf("%s (%s): turned down for the VPN: %s\n", p->mac, p->model, why->text);
	return 0;
}

static int
plan_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct mint *m = arg;
	struct err why = ERR_INIT;
	enum mint_action action = mint_plan(p, &m->wish, m->named, &why);
	struct mint_job *job;

	if (action == MINT_TURNED_DOWN)
		return turned_down(m, p, &why);
	if (action == MINT_NOTHING) {
		m->good++;
		return 0;
	}
	if (m->count == m->size) {
		size_t size = m->size == 0 ? 64 : m->size * 2;
		struct mint_job *jobs = reallocarray(m->jobs, size, sizeof(*jobs));

		if (jobs == NULL)
			return err_set(e, ERR_FAILED, "plan for %zu phones: no memory", m->count);
		m->jobs = jobs;
		m->size = size;
	}
	job = &m->jobs[m->count++];
	*job = (struct mint_job){ .phone = p->id, .action = action, .newest = p->newest };
	memcpy(job->mac, p->mac, sizeof(job->mac));
	memcpy(job->serial, p->serial, sizeof(job->serial));
	return 0;
}

static int
plan_named(struct mint *m, struct err *e)
{
	char mac[DB_MAC_SIZE];
	struct db_phone p;

	m->named = true;
	for (int i = 0; i < m->in->argc; i++) {
		if (phone_argument(m->in->argv[i], mac, e) != 0 || db_phone_get(m->db, mac, &p, e) != 0)
			return -1;
		for (size_t n = 0; n < m->count; n++) {
			if (m->jobs[n].phone == p.id)
				return err_set(e, ERR_USAGE, "%s: expected once, found twice", mac);
		}
		if (plan_phone(&p, m, e) != 0)
			return -1;
	}
	if (m->first_turned_down.code == ERR_NONE)
		return 0;
	/* Nothing half done: the admin asked for this phone and has to know first. */
	*e = m->first_turned_down;
	return -1;
}

static int
plan(struct mint *m, struct err *e)
{
	const struct invocation *in = m->in;
	struct db_phone_filter filter = { .group = in->option[OPT_GROUP] };
	size_t count = 0;
	int choices = (in->argc > 0) + (in->option[OPT_ALL] != NULL) + (filter.group != NULL);

	if (choices != 1)
		return err_set(e, ERR_USAGE, "mint: expected MACs, --all or --group NAME, found %s",
		    choices == 0 ? "none of them" : "more than one of them");
	if (in->argc > 0)
		return plan_named(m, e);
	if (filter.group != NULL && db_phone_count(m->db, &filter, &count, e) != 0)
		return -1;
	if (filter.group != NULL && count == 0)
		return err_set(e, ERR_NOT_FOUND, "group %s: no phone in it", filter.group);
	return db_phone_each(m->db, &filter, plan_phone, m, e);
}

/* ---- storing what the workers made ---- */

static int
generation_of(const struct mint *m, const struct mint_job *job, struct db_generation_new *g, struct err *e)
{
	*g = (struct db_generation_new){
		.phone = job->phone,
		.certificate = job->action == MINT_PROFILE ? NULL : &job->certificate,
		.authority = m->issuer.authority.id,
		.size = job->size,
	};
	memcpy(g->mac, job->mac, sizeof(g->mac));
	memcpy(g->serial, job->serial, sizeof(g->serial));
	memcpy(g->md5, job->md5, sizeof(g->md5));
	return text_copy(g->profile, sizeof(g->profile), m->profile_hash, "profile", e);
}

static int
report_minted(struct mint *m, const char *mac, int64_t number, const char *md5, struct err *e)
{
	if (m->in->json && json_array_append_new(m->minted_json, json_pack("{s:s,s:I,s:s}", "mac", mac, "generation",
								     (json_int_t)number, "md5", md5)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

/* Read the committed rows back and render them: only what came out right is offered. */
static int
verify_and_offer(struct mint *m, const struct mint_job *jobs, const struct db_offer *offers, size_t n, struct err *e)
{
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	char md5[BUNDLE_MD5_SIZE];
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		buf_clear(&bundle);
		rc = render_bundle(m->db, jobs[i].mac, offers[i].number, NULL, &bundle, md5, e);
		if (rc == 0)
			rc = report_minted(m, jobs[i].mac, offers[i].number, md5, e);
	}
	buf_release(&bundle);
	return rc == 0 ? db_generation_offer(m->db, offers, n, e) : -1;
}

static int
store(struct mint *m, const struct mint_job *jobs, size_t n, struct err *e)
{
	struct db_generation_new generations[BATCH];
	struct db_offer offers[BATCH];
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (jobs[i].error != ERR_NONE)
			return err_set(e, jobs[i].error, "%s: %s", jobs[i].mac,
			    jobs[i].error_text != NULL ? jobs[i].error_text : "no memory");
		if (jobs[i].action != MINT_OFFER && generation_of(m, &jobs[i], &generations[count++], e) != 0)
			return -1;
	}
	if (count > 0 && db_generation_commit(m->db, generations, count, e) != 0)
		return -1;
	count = 0;
	for (size_t i = 0; i < n; i++) {
		offers[i].phone = jobs[i].phone;
		offers[i].number = jobs[i].action == MINT_OFFER ? jobs[i].newest : generations[count++].ret_number;
	}
	return verify_and_offer(m, jobs, offers, n, e);
}

static int
make(struct mint *m, struct mint_pool *pool, struct err *e)
{
	struct progress progress;
	int rc = 0;

	progress_start(&progress, "minting", m->count, m->in->quiet || m->in->json);
	while (rc == 0 && !mint_pool_finished(pool)) {
		size_t n = mint_pool_next(pool, BATCH, WAIT_MS);

		if (n > 0)
			rc = store(m, m->jobs + m->minted, n, e);
		if (n > 0 && rc == 0) {
			mint_pool_release(pool, n);
			m->minted += n;
		}
		if (n == 0 && rc == 0)
			rc = mint_pool_failed(pool, e);
		if (process_stop_pending() != 0)
			mint_pool_stop(pool);
		progress_set(&progress, m->minted);
	}
	progress_end(&progress);
	/* Also when the workers were gone before the first look. */
	return rc == 0 ? mint_pool_failed(pool, e) : rc;
}

/* What had to be made is found done the next time; a wish is begun anew. */
static int
interrupted(const struct mint *m, struct err *e)
{
	bool wish = m->wish.renew || m->wish.rekey;

	return err_set(e, ERR_FAILED, "interrupted: %zu of %zu phones are done; the same command %s", m->minted,
	    m->count, wish ? "begins anew with all of them" : "goes on with the rest");
}

static int
make_all(struct mint *m, unsigned int threads, struct err *e)
{
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;
	struct mint_common common = {
		.where = &where,
		.issuer = &m->issuer,
		.organization = m->settings.value[SET_ORG],
		.not_before = settings_time(&m->settings, SET_NOT_BEFORE),
		.not_after = issuer_days(time(NULL), settings_number(&m->settings, SET_PHONE_DAYS)),
		.profile = &m->profile,
	};
	struct mint_pool *pool;
	int rc;

	if (m->count == 0)
		return 0;
	if (db_profile_put(m->db, m->profile_hash, m->profile.data, m->profile.len, e) != 0)
		return -1;
	state_location(m->in, actor, &where);
	process_stop_block();
	pool = mint_pool_start(&common, m->jobs, m->count, threads < m->count ? threads : (unsigned int)m->count, e);
	if (pool == NULL)
		return -1;
	rc = make(m, pool, e);
	mint_pool_free(pool);
	if (rc == 0 && m->minted < m->count)
		rc = interrupted(m, e);
	return rc;
}

/* ---- the command ---- */

static const char *
action_name(enum mint_action action)
{
	static const char *const names[] = {
		[MINT_NOTHING] = "nothing",
		[MINT_OFFER] = "offer what is minted",
		[MINT_PROFILE] = "new profile",
		[MINT_CERTIFICATE] = "new certificate",
		[MINT_KEY] = "new key and certificate",
		[MINT_TURNED_DOWN] = "turned down",
	};

	return names[action];
}

static int
report_dry_run(const struct mint *m, struct err *e)
{
	json_t *list;

	if (!m->in->json) {
		for (size_t i = 0; i < m->count; i++)
			(void)printf("%s: %s\n", m->jobs[i].mac, action_name(m->jobs[i].action));
		(void)printf("would mint %zu, leave %zu as they are, turn down %zu\n", m->count, m->good,
		    m->turned_down);
		return 0;
	}
	list = json_array();
	for (size_t i = 0; i < m->count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s}", "mac", m->jobs[i].mac, "action", action_name(m->jobs[i].action)));
	return command_print_json(json_pack("{s:o,s:I,s:O}", "would_mint", list, "unchanged", (json_int_t)m->good,
				      "turned_down", m->turned_down_json),
	    e);
}

static int
report(const struct mint *m, struct err *e)
{
	if (m->in->option[OPT_DRY_RUN] != NULL)
		return report_dry_run(m, e);
	if (m->in->json)
		return command_print_json(json_pack("{s:O,s:I,s:O}", "minted", m->minted_json, "unchanged",
					      (json_int_t)m->good, "turned_down", m->turned_down_json),
		    e);
	if (!m->in->quiet)
		(void)printf("minted %zu, left %zu as they are, turned down %zu\n", m->minted, m->good, m->turned_down);
	return 0;
}

static int
prepare(struct mint *m, struct err *e)
{
	unsigned long days;
	time_t begin, end;

	if (settings_load(m->db, &m->settings, e) != 0 || issuer_open(m->db, &m->issuer, e) != 0 ||
	    profile_current(m->db, &m->settings, &m->profile, m->profile_hash, e) != 0)
		return -1;
	m->wish.profile = m->profile_hash;
	m->wish.authority = m->issuer.authority.id;
	if (ca_cert_validity(m->issuer.cert, &begin, &end, e) != 0)
		return -1;
	/* Of a short life not more than its last third, or a fresh certificate would be renewed at once. */
	days = settings_number(&m->settings, SET_RENEW_DAYS);
	if (days > settings_number(&m->settings, SET_PHONE_DAYS) / 3)
		days = settings_number(&m->settings, SET_PHONE_DAYS) / 3;
	m->wish.renew_before = issuer_days(time(NULL), days);
	/* A certificate that ends with its CA cannot be renewed to last longer: to try each time would help nobody. */
	if (m->wish.renew_before > end)
		m->wish.renew_before = end;
	return 0;
}

static int
mint_run(const struct invocation *in, struct err *e)
{
	struct mint m = {
		.in = in,
		.profile = BUF_INIT(DB_DER_MAX),
		.wish = { .renew = in->option[OPT_RENEW] != NULL, .rekey = in->option[OPT_REKEY] != NULL },
	};
	unsigned long threads = process_cpus();
	int rc = -1;

	if (command_number(in->option[OPT_JOBS], 1, 256, "jobs", &threads, e) != 0)
		return -1;
	m.minted_json = json_array();
	m.turned_down_json = json_array();
	m.db = in->option[OPT_DRY_RUN] != NULL ? state_open(in, e) : state_open_writer(in, e);
	if (m.db == NULL || prepare(&m, e) != 0 || plan(&m, e) != 0)
		goto out;
	if (in->option[OPT_DRY_RUN] == NULL && make_all(&m, (unsigned int)threads, e) != 0)
		goto out;
	rc = report(&m, e);
out:
	json_decref(m.minted_json);
	json_decref(m.turned_down_json);
	free(m.jobs);
	issuer_release(&m.issuer);
	buf_release(&m.profile);
	db_close(m.db);
	return rc;
}

const struct command command_mint = {
	.name = "mint",
	.arguments = "[MAC...]",
	.summary = "Make the next generation of each phone that needs one",
	.details =
	    "A phone needs one when it has none, when the profile has changed (its certificate is kept then), when its "
	    "certificate ends soon (renew-days) or was issued by a former CA. A generation is offered to its phone after it "
	    "was stored, read back and its md5 compared. Former generations stay valid and keep their URLs. Interrupted at "
	    "any moment, the same command goes on with the rest.",
	.options = options,
	.max_arguments = -1,
	.run = mint_run,
};
