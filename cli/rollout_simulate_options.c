/* SPDX-License-Identifier: ISC */
#include "cli/rollout_simulate.h"
#include "common/text.h"
#include "rollout/random.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX (366UL * 24 * 3600)
#define RUNS_MAX 100000
#define SHARE_DIGITS 4 /* of a percent: parts of a million */
#define START_HOUR 8

const struct option_def simulate_options[] = {
	PLAN_OPTIONS,
	[OPT_SIM_PHONES] = { "phones", "N", "of so many phones, without a state, instead of a rollout that there is" },
	[OPT_SIM_CANARIES] = { "canaries", "N", "with --phones: so many first, as a wave of their own" },
	[OPT_SIM_ASKS_EVERY] = { "asks-every", "TIME",
	    "between two restarts of a phone, at which it asks for its XML (24h)" },
	[OPT_SIM_ASKS_AT_RANDOM] = { "asks-at-random", NULL,
	    "at any time, so often on average, and not each at its own hour" },
	[OPT_SIM_NOTIFY] = { "notify", NULL, "phones are told to restart when they are offered theirs, by check-sync" },
	[OPT_SIM_RESTARTS_IN] = { "restarts-in", "TIME", "then, half as much more or less (90s)" },
	[OPT_SIM_CONNECTS_IN] = { "connects-in", "TIME", "from the fetch to the VPN, half as much more or less (30s)" },
	[OPT_SIM_SETTLES_IN] = { "settles-in", "TIME", "on the VPN, as of 'watch --soak' (15m)" },
	[OPT_SIM_OFF] = { "off", "PERCENT", "of the phones that are switched off when they are offered theirs (2)" },
	[OPT_SIM_OFF_FOR] = { "off-for", "TIME", "they stay so, on average (48h)" },
	[OPT_SIM_NEVER_ASKS] = { "never-asks", "PERCENT", "of the phones that do not restart, ever (0)" },
	[OPT_SIM_NEVER_FETCHES] = { "never-fetches", "PERCENT", "that ask, and do not fetch the bundle (0)" },
	[OPT_SIM_DISCARDS] = { "discards", "PERCENT", "that fetch it, discard it and stay with the old one (0)" },
	[OPT_SIM_FLAPS] = { "flaps", "PERCENT", "that connect with the new one and do not stay connected (0)" },
	[OPT_SIM_FALLS_BACK] = { "falls-back", "PERCENT", "that come back with the old one within an hour (0)" },
	[OPT_SIM_SERVER_ERRORS] = { "server-errors", "PERCENT",
	    "of requests that fail, and are made again at the next restart (0)" },
	[OPT_SIM_START] = { "start", "TIME",
	    "HH:MM today or YYYY-MM-DDTHH:MM, local time, for the quiet hours (08:00)" },
	[OPT_SIM_SEED] = { "seed", "N", "another number is another course; the same one is the same (1)" },
	[OPT_SIM_RUNS] = { "runs", "N", "so many seeds from that one on: how long it takes in most cases (1)" },
	OPTION_END,
};

/* "2", "2%" or "0.5%", as parts of a million. */
static int
share_parse(const char *s, const char *name, unsigned long *ret, struct err *e)
{
	const size_t whole = s != NULL ? strcspn(s, ".%") : 0;
	char digits[16], shown[32];
	size_t len, fraction;

	if (s == NULL)
		return 0;
	len = strlen(s) - (strlen(s) > 0 && s[strlen(s) - 1] == '%');
	fraction = whole < len ? len - whole - 1 : 0;
	if (whole > 0 && whole <= 3 && fraction <= SHARE_DIGITS && (whole == len || fraction > 0)) {
		(void)snprintf(digits, sizeof(digits), "%.*s%.*s%0*d", (int)whole, s, (int)fraction,
		    s + whole + (fraction > 0), (int)(SHARE_DIGITS - fraction), 0);
		/* %0*d of no width is still a digit. */
		digits[whole + SHARE_DIGITS] = '\0';
		if (text_number(digits, 0, RANDOM_ALL, name, ret, NULL) == 0)
			return 0;
	}
	return err_set(e, ERR_USAGE, "%s: expected a percentage such as 2 or 0.5%%, found \"%s\"", name,
	    text_printable(s, shown, sizeof(shown)));
}

static int
shares_parse(const struct invocation *in, struct simulate_model *m, struct err *e)
{
	const struct {
		int option;
		unsigned long *share;
	} shares[] = {
		{ OPT_SIM_OFF, &m->off },
		{ OPT_SIM_NEVER_ASKS, &m->never_asks },
		{ OPT_SIM_NEVER_FETCHES, &m->never_fetches },
		{ OPT_SIM_DISCARDS, &m->discards },
		{ OPT_SIM_FLAPS, &m->flaps },
		{ OPT_SIM_FALLS_BACK, &m->falls_back },
		{ OPT_SIM_SERVER_ERRORS, &m->server_errors },
	};

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		if (share_parse(in->option[shares[i].option], simulate_options[shares[i].option].name, shares[i].share,
			e) != 0)
			return -1;
	}
	if (m->never_asks + m->never_fetches + m->discards + m->flaps + m->falls_back > RANDOM_ALL)
		return err_set(e, ERR_USAGE, "simulate: expected faults of at most 100%% of the phones, found more");
	return 0;
}

static int
times_parse(const struct invocation *in, struct simulate_model *m, struct err *e)
{
	const struct {
		int option;
		unsigned long *seconds, least;
	} times[] = {
		{ OPT_SIM_ASKS_EVERY, &m->asks_every, 60 },
		{ OPT_SIM_RESTARTS_IN, &m->restarts_in, 0 },
		{ OPT_SIM_CONNECTS_IN, &m->connects_in, 0 },
		{ OPT_SIM_SETTLES_IN, &m->settles_in, 0 },
		{ OPT_SIM_OFF_FOR, &m->off_for, 0 },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char *value = in->option[times[i].option], *name = simulate_options[times[i].option].name;

		if (value != NULL && text_duration(value, SECONDS_MAX, name, times[i].seconds, e) != 0)
			return err_usage(e);
		if (*times[i].seconds < times[i].least)
			return err_set(e, ERR_USAGE, "%s: expected at least %lus, found %lus", name, times[i].least,
			    *times[i].seconds);
	}
	return 0;
}

/* Today at 08:00, unless it is said. */
static int
start_parse(const char *s, time_t *ret, struct err *e)
{
	time_t now = time(NULL);
	const char *end = "";
	char shown[40];
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return err_set(e, ERR_FAILED, "start: the time of day cannot be told");
	tm.tm_hour = START_HOUR;
	tm.tm_min = 0;
	if (s != NULL)
		end = strptime(s, strchr(s, 'T') != NULL ? "%Y-%m-%dT%H:%M" : "%H:%M", &tm);
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*ret = end != NULL && end[0] == '\0' ? mktime(&tm) : -1;
	if (*ret >= 0)
		return 0;
	return err_set(e, ERR_USAGE, "start: expected HH:MM or YYYY-MM-DDTHH:MM, found \"%s\"",
	    text_printable(s != NULL ? s : "", shown, sizeof(shown)));
}

int
simulate_options_parse(const struct invocation *in, struct simulation_run *s, struct err *e)
{
	simulate_default(&s->model);
	s->model.notify = in->option[OPT_SIM_NOTIFY] != NULL;
	s->model.asks_at_random = in->option[OPT_SIM_ASKS_AT_RANDOM] != NULL;
	s->seed = s->runs = 1;
	if (shares_parse(in, &s->model, e) != 0 || times_parse(in, &s->model, e) != 0 ||
	    start_parse(in->option[OPT_SIM_START], &s->start, e) != 0)
		return -1;
	return command_number(in->option[OPT_SIM_SEED], 0, ULONG_MAX, "seed", &s->seed, e) == 0
	           ? command_number(in->option[OPT_SIM_RUNS], 1, RUNS_MAX, "runs", &s->runs, e)
	           : -1;
}
