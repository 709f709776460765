/* SPDX-License-Identifier: ISC */
#include "cli/served_profile.h"

#include <string.h>

static struct bundle_base *
profile_read(struct db *db, const unsigned char hash[DB_PROFILE_HASH_SIZE], struct err *e)
{
	struct buf text = BUF_INIT(BUNDLE_MAX);
	struct bundle_base *base = NULL;

	if (db_profile_get(db, hash, &text, e) == 0)
		base = bundle_base_new(text.data, text.len, e);
	buf_release(&text);
	return base;
}

struct bundle_base *
served_profile(struct served_profiles *p, struct db *db, const unsigned char hash[DB_PROFILE_HASH_SIZE], struct err *e)
{
	unsigned int at;
	struct bundle_base *base;

	for (unsigned int i = 0; i < SERVED_PROFILES_MAX; i++) {
		if (p->slots[i].base != NULL && memcmp(p->slots[i].hash, hash, DB_PROFILE_HASH_SIZE) == 0)
			return p->slots[i].base;
	}
	base = profile_read(db, hash, e);
	if (base == NULL)
		return NULL;
	at = p->next++ % SERVED_PROFILES_MAX;
	bundle_base_free(p->slots[at].base);
	p->slots[at].base = base;
	memcpy(p->slots[at].hash, hash, DB_PROFILE_HASH_SIZE);
	return base;
}

void
served_profiles_release(struct served_profiles *p)
{
	for (unsigned int i = 0; i < SERVED_PROFILES_MAX; i++)
		bundle_base_free(p->slots[i].base);
}
