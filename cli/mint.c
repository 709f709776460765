/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/mint_means.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/state.h"
#include "common/process.h"
#include "db/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_ALL,
	OPT_GROUP,
	OPT_RENEW,
	OPT_REKEY,
	OPT_KEYGEN,
	OPT_JOBS,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_ALL] = { "all", NULL, "every phone of the fleet" },
	[OPT_GROUP] = { "group", "NAME", "every phone of this group" },
	[OPT_RENEW] = { "renew", NULL, "a new certificate for the same key, also where the present one is good" },
	[OPT_REKEY] = { "rekey", NULL, "a new key and a new certificate" },
	[OPT_KEYGEN] = { "keygen", "HOW", "how keys are made: native or library (the setting keygen)" },
	[OPT_JOBS] = { "jobs", "N", "threads that make keys (one a processor)" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say what would be made, change nothing" },
	OPTION_END,
};

struct mint {
	const struct invocation *in;
	struct db *db;
	struct mint_means means;
	char (*named)[DB_MAC_SIZE]; /* phones that the admin named, or NULL */
	size_t planned, good, turned_down;
	bool has_rollouts;
	struct mint_maker maker;
	struct json_stream stream;
};

/* ---- the phones ---- */

static int
name_all(struct mint *m, struct err *e)
{
	const struct invocation *in = m->in;

	m->named = calloc((size_t)in->argc, sizeof(*m->named));
	if (m->named == NULL)
		return err_set(e, ERR_FAILED, "plan for %d phones: no memory", in->argc);
	for (int i = 0; i < in->argc; i++) {
		if (phone_argument(in->argv[i], m->named[i], e) != 0)
			return -1;
		for (int n = 0; n < i; n++) {
			if (strcmp(m->named[n], m->named[i]) == 0)
				return err_set(e, ERR_USAGE, "%s: expected once, found twice", m->named[i]);
		}
	}
	return 0;
}

static int
choose(struct mint *m, struct err *e)
{
	const struct invocation *in = m->in;
	struct db_phone_filter filter = { .group = in->option[OPT_GROUP] };
	size_t count = 0;
	int choices = (in->argc > 0) + (in->option[OPT_ALL] != NULL) + (filter.group != NULL);

	if (choices != 1)
		return err_set(e, ERR_USAGE, "mint: expected MACs, --all or --group NAME, found %s",
		    choices == 0 ? "none of them" : "more than one of them");
	if (in->argc > 0)
		return name_all(m, e);
	if (filter.group != NULL && db_phone_count(m->db, &filter, &count, e) != 0)
		return -1;
	if (filter.group != NULL && count == 0)
		return err_set(e, ERR_NOT_FOUND, "group %s: no phone in it", filter.group);
	return 0;
}

static int
phones_each(struct mint *m, int (*each)(const struct db_phone *p, void *arg, struct err *e), struct err *e)
{
	const struct db_phone_filter filter = { .group = m->in->option[OPT_GROUP] };
	struct db_phone p;

	if (m->named == NULL)
		return db_phone_each(m->db, &filter, each, m, e);
	for (int i = 0; i < m->in->argc; i++) {
		if (db_phone_get(m->db, m->named[i], &p, e) != 0 || each(&p, m, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- what is to be done ---- */

static int
turned_down(struct mint *m, const struct db_phone *p, const struct err *why, struct err *e)
{
	m->turned_down++;
	/* Nothing half done: the admin asked for this phone and has to know first. */
	if (m->named != NULL)
		return err_set(e, why->code, "%s (%s): turned down for the VPN: %s", p->mac, p->model, why->text);
	if (m->in->json)
		return json_stream_add(&m->stream,
		    json_pack("{s:s,s:s,s:s}", "mac", p->mac, "model", p->model, "reason", why->text), e);
	if (!m->in->quiet)
		(void)printf("%s (%s): turned down for the VPN: %s\n", p->mac, p->model, why->text);
	return 0;
}

/*
 * A rollout that has the phone makes what is next for it, when its turn comes; and what one took back is not offered again
 * for nothing.
 */
static int
rollout_judge(struct mint *m, const struct db_phone *p, enum mint_action *action, struct err *why, struct err *e)
{
	struct err mine = ERR_INIT;
	struct db_rollout r;

	if (!m->has_rollouts || !mint_makes(*action))
		return 0;
	if (db_member_of(m->db, p->id, &r, &mine) != 0) {
		if (mine.code == ERR_NOT_FOUND)
			return 0;
		*e = mine;
		return -1;
	}
	if (r.state <= DB_ROLLOUT_PAUSED)
		err_set(why, ERR_CONFLICT, "it is in the rollout %s, which is not over", r.name);
	else if (*action == MINT_OFFER)
		err_set(why, ERR_CONFLICT,
		    "the rollout %s was rolled back; --renew or --rekey makes another generation", r.name);
	else
		return 0;
	*action = MINT_TURNED_DOWN;
	return 0;
}

static int
action_of(struct mint *m, const struct db_phone *p, enum mint_action *ret, struct err *why, struct err *e)
{
	*ret = mint_plan(p, &m->means.wish, m->named != NULL, why);
	return rollout_judge(m, p, ret, why, e);
}

static int
plan_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct mint *m = arg;
	struct err why = ERR_INIT;
	enum mint_action action;

	if (action_of(m, p, &action, &why, e) != 0)
		return -1;
	if (action == MINT_TURNED_DOWN)
		return turned_down(m, p, &why, e);
	if (mint_makes(action))
		m->planned++;
	else
		m->good++;
	return 0;
}

static int
plan(struct mint *m, struct err *e)
{
	/* For a phone that was named it is an error, and then nothing is printed beside it. */
	if (m->in->json && m->named == NULL)
		json_stream_list(&m->stream, "turned_down");
	if (phones_each(m, plan_phone, e) != 0)
		return -1;
	if (m->in->json && m->named != NULL)
		json_stream_list(&m->stream, "turned_down");
	if (m->in->json)
		json_stream_list_end(&m->stream);
	return 0;
}

/* ---- doing it ---- */

static int
make_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct mint *m = arg;
	enum mint_action action;

	if (action_of(m, p, &action, NULL, e) != 0)
		return -1;
	if (!mint_makes(action))
		return 0;
	return mint_maker_put(&m->maker, p, action, e);
}

/* What had to be made is found done the next time; a wish is begun anew. */
static int
interrupted(const struct mint *m, struct err *e)
{
	bool wish = m->means.wish.renew || m->means.wish.rekey;

	return err_set(e, ERR_FAILED, "interrupted: %zu of %zu phones are done; the same command %s", m->maker.minted,
	    m->planned, wish ? "begins anew with all of them" : "goes on with the rest");
}

static int
make_all(struct mint *m, struct err *e)
{
	int rc;

	if (m->planned == 0)
		return 0;
	rc = mint_maker_start(&m->maker, e);
	if (rc == 0)
		rc = phones_each(m, make_phone, e);
	if (rc == 0 || m->maker.is_stopped)
		rc = mint_maker_finish(&m->maker, e);
	mint_maker_release(&m->maker);
	if (rc != 0 && m->maker.minted > 0)
		err_prefix(e, "%zu of %zu phones are done; the next ones", m->maker.minted, m->planned);
	if (rc == 0 && m->maker.is_stopped && m->maker.minted < m->planned)
		rc = interrupted(m, e);
	return rc;
}

static int
make(struct mint *m, unsigned int threads, struct err *e)
{
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;
	int rc;

	state_location(m->in, actor, &where);
	mint_means_maker(&m->means, &where, m->planned, &m->maker);
	m->maker.threads = threads;
	m->maker.quiet = m->in->quiet || m->in->json;
	m->maker.report = m->in->json ? &m->stream : NULL;
	if (m->in->json)
		json_stream_list(&m->stream, "minted");
	rc = make_all(m, e);
	if (m->in->json)
		json_stream_list_end(&m->stream);
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
show_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct mint *m = arg;
	enum mint_action action;

	if (action_of(m, p, &action, NULL, e) != 0)
		return -1;
	if (!mint_makes(action))
		return 0;
	if (m->in->json)
		return json_stream_add(&m->stream, json_pack("{s:s,s:s}", "mac", p->mac, "action", action_name(action)),
		    e);
	(void)printf("%s: %s\n", p->mac, action_name(action));
	return 0;
}

static int
show(struct mint *m, struct err *e)
{
	int rc;

	if (m->in->json)
		json_stream_list(&m->stream, "would_mint");
	rc = phones_each(m, show_phone, e);
	if (m->in->json)
		json_stream_list_end(&m->stream);
	else if (rc == 0)
		(void)printf("would mint %zu, leave %zu as they are, turn down %zu\n", m->planned, m->good,
		    m->turned_down);
	return rc;
}

static int
rollout_seen(const struct db_rollout *r, void *arg, struct err *e)
{
	struct mint *m = arg;

	(void)r;
	(void)e;
	m->has_rollouts = true;
	return 0;
}

static int
prepare(struct mint *m, struct err *e)
{
	if (mint_means_open(m->db, m->in->option[OPT_KEYGEN], &m->means, e) != 0)
		return -1;
	if (db_rollout_each(m->db, rollout_seen, m, e) != 0)
		return -1;
	m->means.wish.renew = m->in->option[OPT_RENEW] != NULL;
	m->means.wish.rekey = m->in->option[OPT_REKEY] != NULL;
	return 0;
}

static int
mint_run(const struct invocation *in, struct err *e)
{
	struct mint m = { .in = in };
	const bool dry = in->option[OPT_DRY_RUN] != NULL;
	unsigned long threads = process_cpus();
	int rc = -1;

	if (command_number(in->option[OPT_JOBS], 1, 256, "jobs", &threads, e) != 0)
		return -1;
	m.db = dry ? state_open(in, e) : state_open_writer(in, e);
	if (m.db == NULL || prepare(&m, e) != 0 || choose(&m, e) != 0 || plan(&m, e) != 0)
		goto out;
	rc = dry ? show(&m, e) : make(&m, (unsigned int)threads, e);
	if (in->json)
		json_stream_number(&m.stream, "unchanged", m.good);
	else if (rc == 0 && !dry && !in->quiet)
		(void)printf("minted %zu, left %zu as they are, turned down %zu\n", m.maker.minted, m.good,
		    m.turned_down);
out:
	json_stream_end(&m.stream);
	free(m.named);
	mint_means_release(&m.means);
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
