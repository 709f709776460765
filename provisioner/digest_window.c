/* SPDX-License-Identifier: ISC */
#include "provisioner/digest_window.h"

#include <pthread.h>
#include <stdlib.h>

#define COUNTS 64

/* Of the nonce with this tag: the highest count, and bit i for the one i below it. */
struct slot {
	uint64_t tag;
	uint64_t used;
	uint32_t highest;
};

struct digest_window {
	pthread_mutex_t lock;
	struct slot slots[DIGEST_WINDOW_SLOTS];
};

struct digest_window *
digest_window_new(struct err *e)
{
	struct digest_window *w = calloc(1, sizeof(*w));

	if (w != NULL)
		(void)pthread_mutex_init(&w->lock, NULL);
	else
		(void)err_set(e, ERR_FAILED, "digest: no memory is left to note the logins that were used");
	return w;
}

void
digest_window_free(struct digest_window *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

static bool
slot_use(struct slot *s, uint32_t count)
{
	uint32_t above = count - s->highest, below = s->highest - count;

	if (count > s->highest) {
		s->used = above < COUNTS ? s->used << above : 0;
		s->highest = count;
		below = 0;
	}
	if (below >= COUNTS || (s->used & (uint64_t)1 << below) != 0)
		return false;
	s->used |= (uint64_t)1 << below;
	return true;
}

bool
digest_window_use(struct digest_window *w, uint64_t tag, uint32_t count)
{
	struct slot *s = &w->slots[tag % DIGEST_WINDOW_SLOTS];
	bool fresh;

	(void)pthread_mutex_lock(&w->lock);
	if (s->tag != tag || s->used == 0)
		*s = (struct slot){ .tag = tag, .highest = count };
	fresh = slot_use(s, count);
	(void)pthread_mutex_unlock(&w->lock);
	return fresh;
}
