/* SPDX-License-Identifier: ISC */
#include "cli/rollout_options.h"

#include "common/text.h"

#define SECONDS_MAX (366UL * 24 * 3600)
#define PER_MINUTE_MAX 1000000

static int
duration_parse(const char *option, const char *name, unsigned long *ret, struct err *e)
{
	if (option == NULL || text_duration(option, SECONDS_MAX, name, ret, e) == 0)
		return 0;
	return err_usage(e);
}

int
rollout_plan_parse(const struct invocation *in, struct plan *p, struct err *e)
{
	const char *const *option = in->option;

	if (option[OPT_PLAN_REKEY] != NULL && option[OPT_PLAN_SETTINGS] != NULL)
		return err_set(e, ERR_USAGE, "%s: expected --rekey or --settings, found both", in->command->name);
	if (option[OPT_PLAN_REKEY] != NULL)
		p->what = PLAN_REKEY;
	if (option[OPT_PLAN_SETTINGS] != NULL)
		p->what = PLAN_SETTINGS;
	if (option[OPT_PLAN_WAVES] != NULL && plan_waves_parse(option[OPT_PLAN_WAVES], p, e) != 0)
		return -1;
	if (option[OPT_PLAN_ERRORS] != NULL && plan_share_parse(option[OPT_PLAN_ERRORS], "errors", &p->errors, e) != 0)
		return -1;
	if (option[OPT_PLAN_QUIET] != NULL && plan_quiet_parse(option[OPT_PLAN_QUIET], p, e) != 0)
		return -1;
	if (command_number(option[OPT_PLAN_SUCCESS], 0, 100, "success", &p->success, e) != 0 ||
	    command_number(option[OPT_PLAN_PER_MINUTE], 0, PER_MINUTE_MAX, "per-minute", &p->per_minute, e) != 0)
		return -1;
	return duration_parse(option[OPT_PLAN_SOAK], "soak", &p->soak, e) == 0 &&
	               duration_parse(option[OPT_PLAN_DEADLINE], "deadline", &p->deadline, e) == 0
	           ? 0
	           : -1;
}
