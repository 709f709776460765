/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/rollout_change.h"
#include "cli/rollout_guard.h"
#include "cli/rollout_options.h"
#include "cli/rollout_stranded.h"
#include "rollout/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	OPT_START_FORCE,
};

static const struct option_def start_options[] = {
	[OPT_START_FORCE] = { "force", "MAC,...", "the lock-out guard does not hold these phones back" },
	OPTION_END,
};

/* What the lock-out guard says of all that wait, now that it begins. */
struct start {
	struct rollout_change *c;
	struct mint_means means;
	struct rollout_guard *guard;
	struct stranded_report stranded, forced;
	json_t *force, *notes;
	struct db_member_change *changes; /* of phones that are forced only now */
	size_t change_count;
	size_t sizes[DB_WAVES_MAX];
	time_t now;
};

static int
force_take(struct start *s, const struct db_candidate *c, const char *detail, struct err *e)
{
	json_t *note = json_string(detail[0] != '\0' ? detail : "the lock-out guard has nothing against it");

	s->changes[s->change_count++] = (struct db_member_change){
		.phone = c->phone.id, .state = DB_MEMBER_WAITING, .forced = true, .detail = json_string_value(note)
	};
	(void)json_object_del(s->force, c->phone.mac);
	return json_array_append_new(s->notes, note) == 0 ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

static int
waiting_guard(const struct db_candidate *c, void *arg, struct err *e)
{
	struct start *s = arg;
	const struct plan *plan = &s->c->plan;
	const struct guard_kind *kind = rollout_guard_kind(s->guard, c, NULL, e);
	struct guard_phone p = { .not_after = c->offered_end, .is_revoked = c->is_seen_revoked };
	const bool is_named = json_object_get(s->force, c->phone.mac) != NULL;
	char detail[GUARD_DETAIL_SIZE];
	enum guard_reason reason;

	if (kind == NULL)
		return -1;
	p.offered = s->now + (time_t)guard_wave_offered(plan, s->sizes, (size_t)c->wave - 1);
	p.settled = s->now + (time_t)guard_wave_over(plan, s->sizes, (size_t)c->wave - 1);
	reason = rollout_guard_judge(s->guard, kind, &p, detail);
	if (is_named && force_take(s, c, detail, e) != 0)
		return -1;
	if (reason == GUARD_FINE)
		return 0;
	return stranded_report_add(is_named || c->forced ? &s->forced : &s->stranded, c->phone.mac, reason, detail, e);
}

static int
start_guard(struct start *s, struct err *e)
{
	struct rollout_change *c = s->c;

	for (int wave = 1; wave <= c->tally.waves; wave++)
		s->sizes[wave - 1] = decide_wave_size(&c->tally, wave);
	s->force = stranded_force_parse(c->in->option[OPT_START_FORCE], e);
	s->notes = json_array();
	if (s->force == NULL)
		return -1;
	s->changes = calloc(json_object_size(s->force) + 1, sizeof(*s->changes));
	if (s->changes == NULL)
		return err_set(e, ERR_FAILED, "force: no memory");
	if (mint_means_open(c->db, NULL, &s->means, e) != 0)
		return -1;
	s->guard = rollout_guard_open(c->db, &s->means, &c->plan, s->now, e);
	return s->guard != NULL && db_candidate_each_waiting(c->db, c->rollout.id, waiting_guard, s, e) == 0
	           ? stranded_force_check(s->force, e)
	           : -1;
}

static int
start_report(const struct start *s, bool started, struct err *e)
{
	const struct rollout_change *c = s->c;

	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:s,s:I,s:O,s:O}", "name", c->rollout.name, "state",
					      db_rollout_state_name(c->rollout.state), "phones", (json_int_t)c->count,
					      "stranded", s->stranded.groups, "forced", s->forced.groups),
		    e);
	if (c->in->quiet)
		return 0;
	stranded_report_print(&s->stranded, "would strand");
	stranded_report_print(&s->forced, "forced");
	(void)printf("%s %s\n", started ? "started" : "did not start", c->rollout.name);
	return 0;
}

static int
start_all(struct start *s, struct err *e)
{
	struct rollout_change *c = s->c;

	c->count = decide_wave_size(&c->tally, 0);
	if (start_guard(s, e) != 0)
		return -1;
	if (s->stranded.phones > 0)
		return start_report(s, false, e) == 0 ? stranded_refuse(&s->stranded, c->rollout.name, e) : -1;
	if ((s->change_count > 0 &&
		db_member_change(c->db, &c->rollout, s->changes, s->change_count, s->now, e) != 0) ||
	    rollout_state_store(c, DB_ROLLOUT_RUNNING, "rollout.start", "", e) != 0)
		return -1;
	return start_report(s, true, e);
}

static int
start(struct rollout_change *c, struct err *e)
{
	struct start s = { .c = c, .now = time(NULL) };
	int rc = -1;

	if (c->rollout.state != DB_ROLLOUT_DRAFT)
		return rollout_expected(c, "a draft", e);
	if (stranded_report_init(&s.stranded, e) == 0 && stranded_report_init(&s.forced, e) == 0)
		rc = start_all(&s, e);
	rollout_guard_free(s.guard);
	mint_means_release(&s.means);
	free(s.changes);
	json_decref(s.force);
	json_decref(s.notes);
	stranded_report_release(&s.stranded);
	stranded_report_release(&s.forced);
	return rc;
}

static int
start_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, start, e);
}

static int
pause_it(struct rollout_change *c, struct err *e)
{
	if (c->rollout.state != DB_ROLLOUT_RUNNING)
		return rollout_expected(c, "running", e);
	(void)snprintf(c->rollout.why, sizeof(c->rollout.why), "by the admin");
	if (rollout_state_store(c, DB_ROLLOUT_PAUSED, "rollout.pause", c->rollout.why, e) != 0)
		return -1;
	return rollout_change_report(c, "paused", e);
}

static int
pause_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, pause_it, e);
}

/* It would pause again at once. */
static int
check_thresholds(struct rollout_change *c, struct err *e)
{
	struct decision d;

	decide(&c->plan, &c->rollout, &c->tally, time(NULL), &d);
	if (d.what != DECIDE_PAUSE)
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "rollout %s: it would pause again: %s; 'rollout retry' gives those that failed another try, 'rollout drop' "
	    "takes them out, --errors and --success move the limits",
	    c->rollout.name, d.why);
}

static int
resume(struct rollout_change *c, struct err *e)
{
	if (c->rollout.state != DB_ROLLOUT_PAUSED)
		return rollout_expected(c, "paused", e);
	if (rollout_plan_parse(c->in, &c->plan, e) != 0 || check_thresholds(c, e) != 0 ||
	    plan_write(&c->plan, c->rollout.plan, e) != 0 ||
	    rollout_state_store(c, DB_ROLLOUT_RUNNING, "rollout.resume", c->rollout.plan, e) != 0)
		return -1;
	return rollout_change_report(c, "resumed", e);
}

static const struct option_def resume_options[] = {
	PLAN_OPTIONS,
	OPTION_END,
};

static int
resume_run(const struct invocation *in, struct err *e)
{
	static const int fixed[] = { OPT_PLAN_REKEY, OPT_PLAN_SETTINGS, OPT_PLAN_WAVES };

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (in->option[fixed[i]] != NULL)
			return err_set(e, ERR_USAGE,
			    "--%s: expected at 'rollout create' only, found at 'rollout resume'",
			    resume_options[fixed[i]].name);
	}
	return rollout_change_run(in, resume, e);
}

static int
abort_it(struct rollout_change *c, struct err *e)
{
	if (c->rollout.state > DB_ROLLOUT_PAUSED)
		return rollout_expected(c, "not over", e);
	if (rollout_state_store(c, DB_ROLLOUT_ABORTED, "rollout.abort", "", e) != 0)
		return -1;
	return rollout_change_report(c, "aborted", e);
}

static int
abort_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, abort_it, e);
}

const struct command command_rollout_start = {
	.name = "rollout start",
	.arguments = "NAME",
	.summary = "Begin a rollout",
	.details =
	    "'phonevpn serve' then moves it on, or 'phonevpn rollout step' from a timer. What would strand phones is looked for "
	    "once more, as by 'rollout create', and again for each phone right before its offer: one that would be stranded "
	    "then fails, and is left as it is.",
	.options = start_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = start_run,
};

const struct command command_rollout_pause = {
	.name = "rollout pause",
	.arguments = "NAME",
	.summary = "Offer no further phone anything until 'rollout resume'",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = pause_run,
};

const struct command command_rollout_resume = {
	.name = "rollout resume",
	.arguments = "NAME",
	.summary = "Go on with a rollout that is paused",
	.details =
	    "The options change what the rollout was created with, from here on. One that would pause again at once is not "
	    "resumed.",
	.options = resume_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = resume_run,
};

const struct command command_rollout_abort = {
	.name = "rollout abort",
	.arguments = "NAME",
	.summary = "End a rollout where it is: what phones were offered stays so",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = abort_run,
};
