/* SPDX-License-Identifier: ISC */
#include "cli/offered.h"

#include <string.h>

struct search {
	struct offered *offered;
	bool found;
};

static int
find(const struct db_generation *g, void *arg, struct err *e)
{
	struct search *s = arg;

	(void)e;
	if (g->number != s->offered->number)
		return 0;
	memcpy(s->offered->profile, g->profile, sizeof(g->profile));
	memcpy(s->offered->serial, g->serial, sizeof(g->serial));
	s->offered->not_after = g->not_after;
	s->offered->revoked = g->revoked;
	s->found = true;
	return 0;
}

int
offered_get(struct db *db, const struct db_phone *p, struct offered *ret, struct err *e)
{
	struct search s = { .offered = ret };

	*ret = (struct offered){ .number = p->offered, .not_after = p->not_after, .revoked = p->revoked };
	if (p->offered == p->newest) {
		memcpy(ret->profile, p->profile, sizeof(ret->profile));
		memcpy(ret->serial, p->serial, sizeof(ret->serial));
		return 0;
	}
	if (db_generation_each(db, p->id, find, &s, e) != 0)
		return -1;
	return s.found ? 0
	               : err_set(e, ERR_INTEGRITY, "%s: expected generation %lld, which is offered, found none", p->mac,
			     (long long)p->offered);
}
