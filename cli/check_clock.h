/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_CLOCK_H
#define CLI_CHECK_CLOCK_H

#include "bundler/check.h"
#include "common/command.h"

/* The options of every "check" that looks at dates; behind CHECK_OPTIONS or before, their values are in this order. */
#define CHECK_CLOCK_OPTIONS(first) \
	[(first) + CHECK_OPT_AT] = { "at", "TIME", "judge as if it were this time: YYYY-MM-DD or RFC 3339 (now)" }, \
	[(first) + CHECK_OPT_DAYS] = { "days", "N", "warn of what ends within so many days (30)" }

enum {
	CHECK_OPT_AT,
	CHECK_OPT_DAYS,
	CHECK_CLOCK_COUNT,
};

/* ERR_USAGE when one is no time or no number from 0 to 36500. first is where CHECK_CLOCK_OPTIONS begins. */
int check_clock_parse(const struct invocation *in, size_t first, struct check_clock *ret, struct err *e);

#endif
