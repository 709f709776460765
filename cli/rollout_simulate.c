/* SPDX-License-Identifier: ISC */
#include "cli/rollout_simulate.h"

#include "cli/commands.h"
#include "cli/state.h"
#include "rollout/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PHONES_MAX 10000000

/* ---- phones that there are not ---- */

static int
fleet_make(struct simulation_run *s, struct err *e)
{
	size_t sizes[DB_WAVES_MAX], waves, at = 0;
	unsigned long phones = 0, canaries = 0;

	if (command_number(s->in->option[OPT_SIM_PHONES], 1, PHONES_MAX, "phones", &phones, e) != 0 ||
	    command_number(s->in->option[OPT_SIM_CANARIES], 0, phones, "canaries", &canaries, e) != 0)
		return -1;
	s->members = calloc(phones, sizeof(*s->members));
	if (s->members == NULL)
		return err_set(e, ERR_FAILED, "simulation of %lu phones: no memory", phones);
	s->count = phones;
	waves = plan_waves(&s->plan, phones, canaries, sizes);
	for (size_t wave = 0; wave < waves; wave++) {
		for (size_t i = 0; i < sizes[wave]; i++)
			s->members[at++] = (struct simulate_member){ .wave = (unsigned char)(wave + 1),
				.state = DB_MEMBER_WAITING };
	}
	return 0;
}

/* ---- a rollout that there is ---- */

struct loaded {
	int64_t phone;
	struct simulate_member member;
};

struct load {
	struct loaded *all;
	size_t count, size;
};

static int
member_load(const struct db_member *m, void *arg, struct err *e)
{
	struct load *l = arg;

	if (m->wave < 1 || m->wave > DB_WAVES_MAX)
		return err_set(e, ERR_INTEGRITY, "phone %s: expected one of %d waves, found %d", m->mac, DB_WAVES_MAX,
		    m->wave);
	if (l->count == l->size) {
		size_t size = l->size == 0 ? 1024 : l->size * 2;
		struct loaded *more = reallocarray(l->all, size, sizeof(*more));

		if (more == NULL)
			return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", size);
		l->all = more;
		l->size = size;
	}
	l->all[l->count++] = (struct loaded){ .phone = m->phone,
		.member = { .wave = (unsigned char)m->wave,
		    .state = (unsigned char)m->state,
		    .why = (unsigned char)m->why,
		    .since = m->since } };
	return 0;
}

static int
compare_phones(const void *left, const void *right)
{
	const struct loaded *a = left, *b = right;

	return (a->phone > b->phone) - (a->phone < b->phone);
}

static int
compare_waves(const void *left, const void *right)
{
	const struct loaded *a = left, *b = right;

	return a->member.wave != b->member.wave ? a->member.wave - b->member.wave : compare_phones(left, right);
}

static int
proof_load(const struct db_member_proof *p, void *arg, struct err *e)
{
	const struct load *l = arg;
	const struct loaded key = { .phone = p->member.phone };
	struct loaded *found = bsearch(&key, l->all, l->count, sizeof(*l->all), compare_phones);

	(void)e;
	if (found != NULL)
		found->member.rung = (unsigned char)p->rung;
	return 0;
}

/* In the order in which the engine offers them. */
static int
members_take(struct simulation_run *s, struct load *l, struct err *e)
{
	s->members = calloc(l->count + 1, sizeof(*s->members));
	if (s->members == NULL)
		return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", l->count);
	s->count = l->count;
	if (l->count > 0)
		qsort(l->all, l->count, sizeof(*l->all), compare_waves);
	for (size_t i = 0; i < l->count; i++)
		s->members[i] = l->all[i].member;
	return 0;
}

static int
rollout_read(struct db *db, struct simulation_run *s, struct load *l, struct err *e)
{
	struct db_member_filter filter = { 0 };

	if (db_rollout_get(db, s->in->argv[0], &s->rollout, e) != 0 || plan_read(s->rollout.plan, &s->plan, e) != 0)
		return -1;
	if (s->rollout.state > DB_ROLLOUT_PAUSED)
		return err_set(e, ERR_CONFLICT, "rollout %s: expected one that is not over, found one that is %s",
		    s->rollout.name, db_rollout_state_name(s->rollout.state));
	/* What the admin has to do first is taken as done. */
	if (s->rollout.stage == STAGE_TRUST)
		s->rollout.stage = STAGE_PHONES;
	filter.rollout = s->rollout.id;
	if (db_member_each(db, &filter, member_load, l, e) != 0 ||
	    db_member_proof_each(db, s->rollout.id, proof_load, l, e) != 0)
		return -1;
	return members_take(s, l, e);
}

static int
rollout_load(struct simulation_run *s, struct err *e)
{
	struct load l = { .all = NULL };
	struct db *db = state_open(s->in, e);
	int rc = db != NULL ? rollout_read(db, s, &l, e) : -1;

	free(l.all);
	db_close(db);
	if (rc != 0 || s->rollout.state == DB_ROLLOUT_DRAFT)
		return rc;
	/* Its phones have been on their way for as long as it says. */
	if (s->in->option[OPT_SIM_START] != NULL)
		return err_set(e, ERR_USAGE,
		    "start: expected with a draft or --phones only, found with one that was started");
	s->start = time(NULL) / 60 * 60;
	return 0;
}

static int
source_check(const struct invocation *in, struct err *e)
{
	static const int fixed[] = { OPT_PLAN_REKEY, OPT_PLAN_SETTINGS, OPT_PLAN_WAVES, OPT_SIM_CANARIES };

	if ((in->option[OPT_SIM_PHONES] != NULL) == (in->argc == 1))
		return err_set(e, ERR_USAGE, "rollout simulate: expected a rollout's NAME or --phones, found %s",
		    in->argc == 1 ? "both" : "neither");
	for (size_t i = 0; in->argc == 1 && i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (in->option[fixed[i]] != NULL)
			return err_set(e, ERR_USAGE,
			    "--%s: expected with --phones only, found with a rollout that there is",
			    simulate_options[fixed[i]].name);
	}
	return 0;
}

/* ---- the command ---- */

static int
play(const struct simulation_run *s, unsigned long seed, struct simulate_result *ret, struct err *e)
{
	return simulate(&s->plan, &s->rollout, s->members, s->count, &s->model, seed, s->start, ret, e);
}

static int
play_once(const struct simulation_run *s, struct err *e)
{
	struct simulate_result *result = malloc(sizeof(*result));
	int rc = -1;

	if (result == NULL)
		(void)err_set(e, ERR_FAILED, "simulation: no memory");
	else if (play(s, s->seed, result, e) == 0)
		rc = simulate_report(s, result, e);
	free(result);
	return rc;
}

static int
play_all(const struct simulation_run *s, struct err *e)
{
	struct simulate_outcome *outcomes = calloc(s->runs, sizeof(*outcomes));
	struct simulate_result *result = malloc(sizeof(*result));
	int rc = outcomes != NULL && result != NULL ? 0 : err_set(e, ERR_FAILED, "simulation: no memory");

	for (unsigned long i = 0; i < s->runs && rc == 0; i++) {
		rc = play(s, s->seed + i, result, e);
		outcomes[i] = (struct simulate_outcome){ .end = result->end,
			.wave = result->wave,
			.took = result->took,
			.failed = result->tally.phones[0][DB_MEMBER_FAILED] };
	}
	if (rc == 0)
		rc = simulate_report_runs(s, outcomes, e);
	free(outcomes);
	free(result);
	return rc;
}

static int
simulate_run(const struct invocation *in, struct err *e)
{
	struct simulation_run s = { .in = in };
	int rc = -1;

	plan_default(&s.plan);
	if (source_check(in, e) == 0 && simulate_options_parse(in, &s, e) == 0 &&
	    (in->argc == 0 || rollout_load(&s, e) == 0) && rollout_plan_parse(in, &s.plan, e) == 0 &&
	    (in->argc == 1 || fleet_make(&s, e) == 0))
		rc = s.runs == 1 ? play_once(&s, e) : play_all(&s, e);
	free(s.members);
	return rc;
}

const struct command command_rollout_simulate = {
	.name = "rollout simulate",
	.arguments = "[NAME]",
	.summary = "Play a rollout against model phones: how long it takes, what load it makes, whom it leaves over",
	.details =
	    "By the rules that the real one goes by, in seconds, and nothing is changed. It is played of a rollout that there "
	    "is, from where it stands, with other limits if options say so, or with --phones of one that there is not. It ends "
	    "where it would pause, and where a stage would wait for the admin. TIME is a number with s, m, h or d.",
	.options = simulate_options,
	.max_arguments = 1,
	.run = simulate_run,
};
