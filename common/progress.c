/* SPDX-License-Identifier: ISC */
#include "common/progress.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_SECONDS 0.2

static double
seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void
progress_start(struct progress *p, const char *verb, unsigned long total, bool quiet)
{
	*p = (struct progress){ .verb = verb, .total = total, .on = !quiet && isatty(STDERR_FILENO) };
	(void)clock_gettime(CLOCK_MONOTONIC, &p->start);
}

void
progress_set(struct progress *p, unsigned long done)
{
	struct timespec now;
	double elapsed, rate;
	unsigned long left;

	p->done = done;
	if (!p->on)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->shown.tv_sec != 0 && seconds_between(&p->shown, &now) < REDRAW_SECONDS)
		return;
	p->shown = now;
	elapsed = seconds_between(&p->start, &now);
	rate = elapsed > 0 ? (double)done / elapsed : 0;
	left = rate > 0 ? (unsigned long)((double)(p->total - done) / rate) : 0;
	(void)fprintf(stderr, "\r\033[K%s %lu of %lu, %.1f/s, %lu:%02lu:%02lu left", p->verb, done, p->total, rate,
	    left / 3600, left / 60 % 60, left % 60);
}

void
progress_hide(struct progress *p)
{
	if (p->on && p->shown.tv_sec != 0)
		(void)fputs("\r\033[K", stderr);
	p->shown = (struct timespec){ 0 };
}

void
progress_end(struct progress *p)
{
	progress_hide(p);
	p->on = false;
}
