/* SPDX-License-Identifier: ISC */
#include "cli/served_login.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	struct db_phone phone;
	unsigned char password[SERVED_PASSWORD_MAX];
	size_t len;
	bool used;
};

struct served_logins {
	pthread_mutex_t lock;
	struct db_moment moment; /* that all are of */
	bool any;
	struct slot slots[SERVED_LOGINS];
};

/* FNV-1a; who fills one slot on purpose only has others looked up as if there were none. */
static size_t
slot_of(const char *user)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *user != '\0'; user++)
		hash = (hash ^ (unsigned char)*user) * 0x100000001b3u;
	return (hash ^ hash >> 32) % SERVED_LOGINS;
}

struct served_logins *
served_logins_new(void)
{
	struct served_logins *l = calloc(1, sizeof(*l));

	if (l != NULL)
		(void)pthread_mutex_init(&l->lock, NULL);
	return l;
}

/* Under the lock. What was never used is not touched, so that its memory is not taken either. */
static void
forget(struct served_logins *l)
{
	for (size_t i = 0; i < SERVED_LOGINS && l->any; i++) {
		if (l->slots[i].used)
			OPENSSL_cleanse(&l->slots[i], sizeof(l->slots[i]));
	}
	l->any = false;
}

void
served_logins_forget(struct served_logins *l)
{
	(void)pthread_mutex_lock(&l->lock);
	forget(l);
	(void)pthread_mutex_unlock(&l->lock);
}

void
served_logins_free(struct served_logins *l)
{
	if (l == NULL)
		return;
	forget(l);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

bool
served_login_get(struct served_logins *l, const struct db *db, const char *user, struct db_phone *ret,
    struct buf *ret_password)
{
	const struct slot *slot = &l->slots[slot_of(user)];
	struct db_moment moment;
	bool found;

	if (!db_read_moment(db, &moment))
		return false;
	(void)pthread_mutex_lock(&l->lock);
	found = l->any && memcmp(&moment, &l->moment, sizeof(moment)) == 0 && slot->used &&
	        strcmp(slot->phone.http_user, user) == 0;
	if (found) {
		*ret = slot->phone;
		buf_add(ret_password, slot->password, slot->len);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return found && !ret_password->broken;
}

void
served_login_put(struct served_logins *l, const struct db *db, const struct db_phone *phone, const struct buf *password)
{
	struct slot *slot = &l->slots[slot_of(phone->http_user)];
	struct db_moment moment;

	if (password->len > SERVED_PASSWORD_MAX || !db_read_moment(db, &moment))
		return;
	(void)pthread_mutex_lock(&l->lock);
	if (memcmp(&moment, &l->moment, sizeof(moment)) != 0)
		forget(l);
	l->moment = moment;
	l->any = true;
	OPENSSL_cleanse(slot->password, slot->len);
	*slot = (struct slot){ .phone = *phone, .len = password->len, .used = true };
	if (password->len > 0)
		memcpy(slot->password, password->data, password->len);
	(void)pthread_mutex_unlock(&l->lock);
}
