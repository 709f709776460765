/* SPDX-License-Identifier: ISC */
#include "rollout/event_queue.h"

static bool
is_before(const struct event *a, const struct event *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->phone != b->phone ? a->phone < b->phone : a->what < b->what;
}

void
event_queue_put(struct event_queue *q, struct event event)
{
	size_t i = q->count++;

	for (; i > 0 && is_before(&event, &q->events[(i - 1) / 2]); i = (i - 1) / 2)
		q->events[i] = q->events[(i - 1) / 2];
	q->events[i] = event;
}

const struct event *
event_queue_next(const struct event_queue *q)
{
	return q->count > 0 ? &q->events[0] : NULL;
}

struct event
event_queue_take(struct event_queue *q)
{
	const struct event first = q->events[0], last = q->events[--q->count];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < q->count; i = child) {
		if (child + 1 < q->count && is_before(&q->events[child + 1], &q->events[child]))
			child++;
		if (!is_before(&q->events[child], &last))
			break;
		q->events[i] = q->events[child];
	}
	q->events[i] = last;
	return first;
}
