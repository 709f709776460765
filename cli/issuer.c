/* SPDX-License-Identifier: ISC */
#include "cli/issuer.h"

#include "ca/key.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400

static int
issuer_load(struct db *db, struct issuer *i, struct err *e)
{
	struct buf key = BUF_INIT(DB_DER_MAX);
	int rc = -1;

	i->cert = ca_cert_decode(i->authority.cert.data, i->authority.cert.len, e);
	if (i->cert == NULL || db_authority_key(db, i->authority.id, &key, e) != 0)
		goto out;
	i->key = ca_key_decode(key.data, key.len, e);
	if (i->key == NULL)
		goto out;
	rc = 0;
out:
	buf_release(&key);
	return rc == 0 ? 0 : err_prefix(e, "CA \"%s\"", i->authority.name);
}

int
issuer_open(struct db *db, struct issuer *ret, struct err *e)
{
	*ret = (struct issuer){ 0 };
	if (db_authority_current(db, &ret->authority, e) != 0)
		return -1;
	return issuer_load(db, ret, e);
}

int
issuer_open_id(struct db *db, int64_t id, struct issuer *ret, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc = -1;

	*ret = (struct issuer){ 0 };
	if (db_authority_list(db, DB_ROLES_ALL, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (all[i].id == id) {
			ret->authority = all[i];
			all[i] = (struct db_authority){ 0 };
			rc = issuer_load(db, ret, e);
			goto out;
		}
	}
	err_set(e, ERR_NOT_FOUND, "CA %lld: not in the database", (long long)id);
out:
	db_authority_free(all, count);
	return rc;
}

void
issuer_release(struct issuer *i)
{
	X509_free(i->cert);
	EVP_PKEY_free(i->key);
	db_authority_release(&i->authority);
	*i = (struct issuer){ 0 };
}

struct entries {
	struct ca_crl_entry *list;
	size_t count, size;
};

static int
entry_add(struct entries *all, const struct ca_crl_entry *entry, struct err *e)
{
	if (all->count == all->size) {
		size_t size = all->size == 0 ? 64 : all->size * 2;
		struct ca_crl_entry *list = reallocarray(all->list, size, sizeof(*list));

		if (list == NULL)
			return err_set(e, ERR_FAILED, "CRL of %zu entries: no memory", all->count);
		all->list = list;
		all->size = size;
	}
	all->list[all->count++] = *entry;
	return 0;
}

static int
entry_from_certificate(const struct db_certificate *c, void *arg, struct err *e)
{
	struct ca_crl_entry entry = { .revoked = c->revoked, .reason = (enum ca_reason)c->reason };

	memcpy(entry.serial, c->serial, sizeof(entry.serial));
	return entry_add(arg, &entry, e);
}

int
issuer_crl(struct db *db, const struct issuer *i, const struct settings *s, const struct ca_crl_entry *further,
    size_t count, time_t now, struct db_crl *ret, struct err *e)
{
	const struct db_certificate_filter filter = { .authority = i->authority.id, .revoked = true };
	struct entries all = { 0 };
	struct ca_crl_params params;
	int rc = -1;

	if (db_certificate_each(db, &filter, entry_from_certificate, &all, e) != 0)
		goto out;
	for (size_t n = 0; n < count; n++) {
		if (entry_add(&all, &further[n], e) != 0)
			goto out;
	}
	params = (struct ca_crl_params){
		.number = i->authority.crl_number + 1,
		.this_update = now,
		.next_update = issuer_days(now, settings_number(s, SET_CRL_DAYS)),
		.entries = all.list,
		.count = all.count,
	};
	*ret = (struct db_crl){
		.number = params.number,
		.this_update = params.this_update,
		.next_update = params.next_update,
		.der = BUF_INIT(DB_CRL_MAX),
	};
	rc = ca_crl_issue(&params, i->cert, i->key, &ret->der, e);
	if (rc != 0)
		buf_release(&ret->der);
out:
	free(all.list);
	return rc;
}

time_t
issuer_days(time_t now, unsigned long days)
{
	const time_t last = 253402300799; /* 9999-12-31T23:59:59Z: RFC 5280 section 4.1.2.5 */

	return (time_t)days > (last - now) / DAY ? last : now + (time_t)days * DAY;
}
