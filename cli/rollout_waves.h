/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_WAVES_H
#define CLI_ROLLOUT_WAVES_H

#include "rollout/plan.h"

#include <jansson.h>

/* The waves of a plan, of these sizes, with the time that they take; a new reference. */
json_t *rollout_waves_json(const struct plan *p, const size_t *sizes, size_t count);

/* The same as a table on standard output. */
int rollout_waves_print(const struct plan *p, const size_t *sizes, size_t count, struct err *e);

#endif
