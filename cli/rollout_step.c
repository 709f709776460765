/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/rollout_engine.h"
#include "cli/rollout_notify.h"
#include "cli/state.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <stdio.h>

/* Small steps, so that others get at the state in between. */
static int
steps_run(const struct db_location *where, struct rollout_progress *ret, struct err *e)
{
	struct rollout_progress step;

	*ret = (struct rollout_progress){ .has_more = true };
	while (ret->has_more && !process_end_is_asked()) {
		bool has_more;

		if (rollout_engine_step(where, &step, e) != 0 || rollout_notify(where, &has_more, e) != 0)
			return -1;
		ret->has_more = step.has_more || has_more;
		ret->until = step.until;
		ret->open = step.open;
		ret->offered += step.offered;
		ret->settled += step.settled;
		ret->failed += step.failed;
	}
	return 0;
}

static int
step_run(const struct invocation *in, struct err *e)
{
	char actor[STATE_ACTOR_SIZE], until[TEXT_TIME_SIZE];
	struct rollout_progress p;
	struct db_location where;

	state_location(in, actor, &where);
	process_stop_block();
	if (in->quiet)
		log_set_level(LOG_LEVEL_WARN);
	if (steps_run(&where, &p, e) != 0)
		return -1;
	text_time(p.until, until);
	if (in->json)
		return command_print_json(json_pack("{s:I,s:I,s:I,s:I,s:s?}", "running", (json_int_t)p.open, "offered",
					      (json_int_t)p.offered, "settled", (json_int_t)p.settled, "failed",
					      (json_int_t)p.failed, "next", p.until != 0 ? until : NULL),
		    e);
	if (!in->quiet)
		(void)printf("%zu running: offered %zu, settled %zu, failed %zu\n", p.open, p.offered, p.settled,
		    p.failed);
	return 0;
}

const struct command command_rollout_step = {
	.name = "rollout step",
	.summary = "Do what there is to do for all rollouts now, and end",
	.details =
	    "For a timer, where 'phonevpn serve' does not run; once a minute is often enough. With the setting notify-command, "
	    "it is run by /bin/sh for each phone that was offered its generation, with PHONEVPN_ENDPOINT (the phone's extension, "
	    "which 'emit pjsip' makes its endpoint), PHONEVPN_MAC and PHONEVPN_ROLLOUT in its environment, and has 10 seconds. "
	    "asterisk -rx \"pjsip send notify digium-check-cfg endpoint $PHONEVPN_ENDPOINT\" makes a phone restart, and fetch "
	    "what it is offered: mind those who are on the telephone, by --quiet-hours and --per-minute.",
	.run = step_run,
};
