/* SPDX-License-Identifier: ISC */
#include "cli/rollout_runner.h"

#include "cli/rollout_engine.h"
#include "cli/rollout_notify.h"
#include "common/background.h"
#include "common/log.h"

#include <stdlib.h>

#define MORE_MS 100     /* between steps, for others to get at the state */
#define RUNNING_MS 2000 /* between looks at phones that may have come on */
#define IDLE_MS 5000
#define STOP_S 5

struct rollout_runner {
	const struct db_location *where;
	struct background *thread;
	bool has_warned;
};

/* Whether there is anything to do, without the writer's lock. */
static int
is_needed(const struct rollout_runner *r, bool *ret, struct err *e)
{
	struct db *db = db_open(r->where, e);
	int rc = db != NULL ? rollout_engine_is_needed(db, ret, e) : -1;

	db_close(db);
	return rc;
}

/* How long to wait afterwards. */
static unsigned long
step(struct rollout_runner *r)
{
	struct rollout_progress p = { .has_more = false };
	struct err e = ERR_INIT;
	bool needed = false, has_more = false;
	int rc = is_needed(r, &needed, &e);

	if (rc == 0 && needed)
		rc = rollout_engine_step(r->where, &p, &e);
	if (rc == 0 && needed)
		rc = rollout_notify(r->where, &has_more, &e);
	/* Another writer at work is no trouble; it will end. */
	if (rc != 0 && e.code != ERR_CONFLICT && !r->has_warned)
		log_warn("rollouts: %s; tried again", e.text);
	r->has_warned = rc != 0 && (r->has_warned || e.code != ERR_CONFLICT);
	if (rc == 0 && (p.has_more || has_more))
		return MORE_MS;
	return needed ? RUNNING_MS : IDLE_MS;
}

static void
run(struct background *b, void *arg)
{
	struct rollout_runner *r = arg;
	unsigned long ms = MORE_MS;

	while (!background_wait(b, ms))
		ms = step(r);
}

struct rollout_runner *
rollout_runner_start(const struct db_location *where, struct err *e)
{
	struct rollout_runner *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		err_set(e, ERR_FAILED, "rollouts: no memory");
		return NULL;
	}
	r->where = where;
	r->thread = background_start(run, r, "rollouts", e);
	if (r->thread == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

bool
rollout_runner_stop(struct rollout_runner *r)
{
	if (r == NULL)
		return true;
	if (!background_stop(r->thread, STOP_S))
		return false;
	free(r);
	return true;
}
