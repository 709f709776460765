/* SPDX-License-Identifier: ISC */
#include "cli/rollout_ca.h"

#include "cli/ca.h"
#include "common/text.h"
#include "rollout/stage.h"

static int
formers_count(struct db *db, size_t *ret, struct err *e)
{
	struct db_authority *all = NULL;

	if (db_authority_list(db, DB_ROLES(DB_ROLE_FORMER), &all, ret, e) != 0)
		return -1;
	db_authority_free(all, *ret);
	return 0;
}

int
rollout_ca_take(struct db *db, const char *name, struct plan *plan, struct db_rollout *r, struct err *e)
{
	struct db_authority ca;
	size_t formers = 0;
	int rc;

	if (ca_find(db, name, &ca, e) != 0)
		return -1;
	rc = ca.role == DB_ROLE_ISSUING ? formers_count(db, &formers, e) : 0;
	if (rc == 0 && ca.role != DB_ROLE_NEXT && formers == 0)
		rc = err_set(e, ERR_CONFLICT, "CA \"%s\": expected the next one, found it is %s", ca.name,
		    db_role_name(ca.role));
	if (rc == 0)
		rc = text_copy(plan->ca, sizeof(plan->ca), ca.name, "CA", e);
	r->stage = ca.role == DB_ROLE_NEXT ? STAGE_TRUST : STAGE_PHONES;
	db_authority_release(&ca);
	return rc;
}
