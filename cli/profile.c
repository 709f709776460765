/* SPDX-License-Identifier: ISC */
#include "cli/profile.h"

#include <stdlib.h>

int
profile_with(struct db *db, const struct settings *s, unsigned int roles, struct buf *ret_text,
    char ret_hash[PROFILE_HASH_SIZE], struct err *e)
{
	struct db_authority *all = NULL;
	struct profile_ca *cas = NULL;
	struct profile_params params;
	size_t count = 0;
	int rc = -1;

	if (settings_profile(s, &params, e) != 0 || db_authority_list(db, roles, &all, &count, e) != 0)
		return -1;
	cas = calloc(count, sizeof(*cas));
	if (cas == NULL) {
		err_set(e, ERR_FAILED, "profile: no memory");
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		cas[i] = (struct profile_ca){ .der = all[i].cert.data, .len = all[i].cert.len };
	if (profile_render(&params, cas, count, ret_text, e) == 0)
		rc = profile_hash(ret_text->data, ret_text->len, ret_hash, e);
out:
	free(cas);
	db_authority_free(all, count);
	return rc;
}

int
profile_current(struct db *db, const struct settings *s, struct buf *ret_text, char ret_hash[PROFILE_HASH_SIZE],
    struct err *e)
{
	return profile_with(db, s, DB_ROLES_PHONES, ret_text, ret_hash, e);
}
