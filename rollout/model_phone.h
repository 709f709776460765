/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_MODEL_PHONE_H
#define ROLLOUT_MODEL_PHONE_H

#include "rollout/simulate.h"

/* One phone of a simulation: where it stands, and what it does next. */
struct model_phone {
	uint64_t chance;	/* of its own, so that what one does changes nothing of another */
	struct simulate_member member;
	time_t session;		/* when the newest began */
	uint32_t phase;		/* of its restarts */
	uint8_t kind;
	bool has_new;		/* its session is with the new certificate */
	bool is_dirty;		/* it has come on since it was judged */
};

enum model_event {
	MODEL_NONE,
	MODEL_ASK,
	MODEL_FETCH,
	MODEL_CONNECT,
	MODEL_SETTLE,
	MODEL_FALL,
	MODEL_DEADLINE,	/* the simulation's own */
};

/* What it does at which time. */
struct model_next {
	enum model_event what;
	time_t at;
};

/* A new one; chance is any number. */
void model_phone_init(struct model_phone *p, const struct simulate_model *m, const struct simulate_member *member,
    uint64_t chance);

/* It is offered its generation now, or goes on from where it stands. */
struct model_next model_phone_offered(struct model_phone *p, const struct simulate_model *m, time_t now);

/* It has come to what was next. */
struct model_next model_phone_act(struct model_phone *p, const struct simulate_model *m, enum model_event what,
    time_t now);

/* As the database would tell of it. */
void model_phone_proof(const struct model_phone *p, struct db_member_proof *ret);

#endif
