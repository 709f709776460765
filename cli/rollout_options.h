/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_OPTIONS_H
#define CLI_ROLLOUT_OPTIONS_H

#include "common/command.h"
#include "rollout/plan.h"

/* The options that make a plan, first in the tables of the commands that take them. */
enum {
	OPT_PLAN_REKEY,
	OPT_PLAN_SETTINGS,
	OPT_PLAN_WAVES,
	OPT_PLAN_SUCCESS,
	OPT_PLAN_ERRORS,
	OPT_PLAN_SOAK,
	OPT_PLAN_PER_MINUTE,
	OPT_PLAN_DEADLINE,
	OPT_PLAN_QUIET,
	OPT_PLAN_COUNT,
};

#define PLAN_OPTIONS \
	[OPT_PLAN_REKEY] = { "rekey", NULL, "give each phone a new key, too" }, \
	[OPT_PLAN_SETTINGS] = { "settings", NULL, "keep the certificate, give each phone what the settings say now" }, \
	[OPT_PLAN_WAVES] = { "waves", "SIZE,...", "phones, or percent of them, in each wave but the last (" PLAN_WAVES_DEFAULT ")" }, \
	[OPT_PLAN_SUCCESS] = { "success", "PERCENT", "of a wave that has to settle before the next one begins (95)" }, \
	[OPT_PLAN_ERRORS] = { "errors", "SHARE", "phones, or percent, of a wave that may fail without a pause (" PLAN_ERRORS_DEFAULT ")" }, \
	[OPT_PLAN_SOAK] = { "soak", "TIME", "between a wave's success and the next wave (" PLAN_SOAK_DEFAULT ")" }, \
	[OPT_PLAN_PER_MINUTE] = { "per-minute", "N", "phones that are offered theirs in a minute (100); 0: no limit" }, \
	[OPT_PLAN_DEADLINE] = { "deadline", "TIME", "a phone has failed when it has not settled by then (" PLAN_DEADLINE_DEFAULT "); 0: never" }, \
	[OPT_PLAN_QUIET] = { "quiet-hours", "HH:MM-HH:MM", "nothing is offered in these hours, local time" }

/* What the options say over p, which holds what counts without them. The code is ERR_USAGE. */
int rollout_plan_parse(const struct invocation *in, struct plan *p, struct err *e);

#endif
