/* SPDX-License-Identifier: ISC */
#include "rollout/random.h"

#include <math.h>

uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Lemire, "Fast Random Integer Generation in an Interval", 2019, without the step that makes it exact. */
uint64_t
random_below(uint64_t *state, uint64_t limit)
{
	return (uint64_t)(((unsigned __int128)random_next(state) * limit) >> 64);
}

bool
random_share(uint64_t *state, unsigned long of_a_million)
{
	return random_below(state, RANDOM_ALL) < of_a_million;
}

uint64_t
random_wait(uint64_t *state, uint64_t mean)
{
	/* From 2^-53 to 1. */
	double u = (double)((random_next(state) >> 11) + 1) * 0x1p-53;

	return (uint64_t)ceil(-log(u) * (double)mean);
}
