/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_EVENT_QUEUE_H
#define ROLLOUT_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What happens next of all that is to come: a binary heap of fixed size. */
struct event {
	time_t at;
	uint32_t phone;
	uint32_t what;
};

struct event_queue {
	struct event *events;	/* the caller's, with room for all that are ever in it at once */
	size_t count;
};

void event_queue_put(struct event_queue *q, struct event event);

/* The next one; NULL when there is none. Events of one time come by phone, then by what. */
const struct event *event_queue_next(const struct event_queue *q);

/* Take it out. There is one. */
struct event event_queue_take(struct event_queue *q);

#endif
