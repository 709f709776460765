/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/rollout_change.h"
#include "cli/rollout_options.h"
#include "rollout/decide.h"

#include <stdio.h>
#include <time.h>

static int
start(struct rollout_change *c, struct err *e)
{
	if (c->rollout.state != DB_ROLLOUT_DRAFT)
		return rollout_expected(c, "a draft", e);
	c->count = decide_wave_size(&c->tally, 0);
	if (rollout_state_store(c, DB_ROLLOUT_RUNNING, "rollout.start", "", e) != 0)
		return -1;
	return rollout_change_report(c, "started", e);
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
	.details = "'phonevpn serve' then moves it on, or 'phonevpn rollout step' from a timer.",
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
