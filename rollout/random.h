/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_RANDOM_H
#define ROLLOUT_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Chance that can be repeated, for models; never for secrets. SplitMix64: Steele, Lea and Flood, "Fast Splittable
 * Pseudorandom Number Generators", OOPSLA 2014, with the constants of Sebastiano Vigna's splitmix64.c of 2015
 * (prng.di.unimi.it). The state is any number.
 */
uint64_t random_next(uint64_t *state);

/* From 0 to limit - 1, limit > 0, each as likely, but for 1 in 2^64 / limit. */
uint64_t random_below(uint64_t *state, uint64_t limit);

/* True in so many cases of a million. */
#define RANDOM_ALL 1000000UL
bool random_share(uint64_t *state, unsigned long of_a_million);

/* Exponentially distributed with this mean: until the next of events that come at any time alike. Rounded up. */
uint64_t random_wait(uint64_t *state, uint64_t mean);

#endif
