/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_SIMULATE_H
#define CLI_ROLLOUT_SIMULATE_H

#include "cli/rollout_options.h"
#include "rollout/simulate.h"

/* What a simulation is of, and what came out of it. */
enum {
	OPT_SIM_PHONES = OPT_PLAN_COUNT,
	OPT_SIM_CANARIES,
	OPT_SIM_ASKS_EVERY,
	OPT_SIM_ASKS_AT_RANDOM,
	OPT_SIM_NOTIFY,
	OPT_SIM_RESTARTS_IN,
	OPT_SIM_CONNECTS_IN,
	OPT_SIM_SETTLES_IN,
	OPT_SIM_OFF,
	OPT_SIM_OFF_FOR,
	OPT_SIM_NEVER_ASKS,
	OPT_SIM_NEVER_FETCHES,
	OPT_SIM_DISCARDS,
	OPT_SIM_FLAPS,
	OPT_SIM_FALLS_BACK,
	OPT_SIM_SERVER_ERRORS,
	OPT_SIM_START,
	OPT_SIM_SEED,
	OPT_SIM_RUNS,
};

struct simulation_run {
	const struct invocation *in;
	struct db_rollout rollout;	/* where it stands at the start */
	struct plan plan;
	struct simulate_model model;
	struct simulate_member *members;
	size_t count;
	time_t start;
	unsigned long seed, runs;
};

extern const struct option_def simulate_options[];

/* The model, start (0: not given), seed and runs that the options say. The code is ERR_USAGE. */
int simulate_options_parse(const struct invocation *in, struct simulation_run *s, struct err *e);

/* Print what one run has given. */
int simulate_report(const struct simulation_run *s, const struct simulate_result *result, struct err *e);

/* What counts of each of several runs. */
struct simulate_outcome {
	enum simulate_end end;
	int wave;
	time_t took;
	size_t failed;
};
/* And what all have: outcomes[runs], whose order it changes. */
int simulate_report_runs(const struct simulation_run *s, struct simulate_outcome *outcomes, struct err *e);

#endif
