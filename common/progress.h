/* SPDX-License-Identifier: ISC */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdbool.h>
#include <time.h>

/* A line on a terminal that shows how far long work is, its rate and the time left; nothing where stderr is a pipe. */
struct progress {
	const char *verb;
	unsigned long total, done;
	struct timespec start, shown;
	bool on;
};

/* verb ("minting") outlives the progress; quiet switches the line off. */
void progress_start(struct progress *p, const char *verb, unsigned long total, bool quiet);

/* done pieces of the total are finished; draws at most five times a second. */
void progress_set(struct progress *p, unsigned long done);

/* Remove the line until the next progress_set(), for something else to be printed. */
void progress_hide(struct progress *p);

/* Remove the line for good. */
void progress_end(struct progress *p);

#endif
