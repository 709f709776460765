/* SPDX-License-Identifier: ISC */
#include "cli/crl_renew.h"

#include "cli/issuer.h"
#include "db/authority.h"

static bool
is_old(const struct db_authority *a, time_t now)
{
	return now > a->crl_this_update + (a->crl_next_update - a->crl_this_update) / 2;
}

static int
renew(struct db *db, const struct settings *s, int64_t authority, struct err *e)
{
	struct db_crl crl = { .der = BUF_INIT(DB_CRL_MAX) };
	struct issuer issuer;
	int rc = -1;

	if (issuer_open_id(db, authority, &issuer, e) == 0 &&
	    issuer_crl(db, &issuer, s, NULL, 0, time(NULL), &crl, e) == 0)
		rc = db_authority_set_crl(db, authority, &crl, e);
	issuer_release(&issuer);
	buf_release(&crl.der);
	return rc;
}

int
crl_is_due(struct db *db, bool every, bool *ret, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;

	if (db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	*ret = every;
	for (size_t i = 0; i < count; i++)
		*ret = *ret || is_old(&all[i], time(NULL));
	db_authority_free(all, count);
	return 0;
}

int
crl_renew_due(struct db *db, bool every, struct err *e)
{
	struct db_authority *all = NULL;
	struct settings s;
	size_t count = 0;
	int rc = 0;

	if (settings_load(db, &s, e) != 0 || db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (every || is_old(&all[i], time(NULL)))
			rc = renew(db, &s, all[i].id, e);
	}
	db_authority_free(all, count);
	return rc;
}
