/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_H
#define BUNDLER_CHECK_H

#include <time.h>

/* When a check judges: what has ended at now is an error, what ends within so many days behind it a warning. */
struct check_clock {
	time_t now;
	unsigned int days;
};

#define CHECK_DAYS_DEFAULT 30

#endif
