/* SPDX-License-Identifier: ISC */
#include "cli/import_plan.h"

#include "cli/address.h"
#include "cli/render.h"
#include "common/progress.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

static int
profile_make(const struct pki *pki, const struct settings *s, struct import_plan *p, struct err *e)
{
	const struct profile_ca ca = { .der = pki->ca.cert_der.data, .len = pki->ca.cert_der.len };
	struct profile_params params;

	if (settings_profile(s, &params, e) != 0 || profile_render(&params, &ca, 1, &p->profile, e) != 0)
		return -1;
	return profile_hash(p->profile.data, p->profile.len, p->profile_hash, e);
}

int
import_generation_render(const struct import_plan *p, const struct buf *cert, const struct buf *key,
    struct db_generation_new *g, struct err *e)
{
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	int rc = -1;

	if (bundle_render(p->profile.data, p->profile.len, cert->data, cert->len, key->data, key->len, &bundle, e) ==
		0 &&
	    text_copy(g->profile, sizeof(g->profile), p->profile_hash, "profile", e) == 0)
		rc = bundle_md5(bundle.data, bundle.len, g->md5, e);
	g->size = bundle.len;
	buf_release(&bundle);
	return rc;
}

static int
generation_add(struct import_plan *p, const struct import_phone *phone, struct err *e)
{
	struct db_generation_new *g = &p->generations[p->generation_count++];

	memcpy(g->mac, phone->draft.phone.mac, sizeof(g->mac));
	memcpy(g->serial, phone->chosen->serial, sizeof(g->serial));
	return import_generation_render(p, &phone->chosen->der, &phone->key, g, e);
}

/* A certificate that is not there has no beginning; the database wants one before its end. */
static time_t
beginning_of(const struct pki_certificate *c)
{
	return c->not_before < c->not_after ? c->not_before : c->not_after - 1;
}

static void
certificate_add(struct import_plan *p, const struct import_phones *phones, struct pki_certificate *c)
{
	const struct import_phone *phone = import_phone_of(phones, c);
	struct db_certificate_imported *to = &p->certificates[p->certificate_count++];

	if (c->name[0] == '\0')
		text_hex_number(c->serial, CA_SERIAL_SIZE, c->name);
	*to = (struct db_certificate_imported){
		.certificate = {
			.cert = c->der.len > 0 ? &c->der : NULL,
			.key = phone != NULL && phone->chosen == c ? &phone->key : NULL,
			.not_before = beginning_of(c),
			.not_after = c->not_after,
		},
		.name = c->name,
		.phone = phone != NULL && !phone->left_out ? phone->draft.phone.mac : NULL,
		.declared = phone != NULL && phone->chosen == c && import_phone_is_declared(phone, c),
		.server = c->server && !c->client,
		.revoked = c->revoked,
		.reason = (int)c->reason,
	};
	memcpy(to->certificate.serial, c->serial, sizeof(to->certificate.serial));
}

static void
revoked_add(struct import_plan *p, const struct pki_certificate *c)
{
	struct ca_crl_entry *entry = &p->revoked[p->revoked_count++];

	*entry = (struct ca_crl_entry){ .revoked = c->revoked, .reason = c->reason };
	memcpy(entry->serial, c->serial, sizeof(entry->serial));
}

static int
lists_make(struct import_plan *p, const struct pki *pki, const struct import_phones *phones, struct err *e)
{
	p->phones = calloc(phones->count + 1, sizeof(*p->phones));
	p->generations = calloc(phones->count + 1, sizeof(*p->generations));
	p->certificates = calloc(pki->count + 1, sizeof(*p->certificates));
	p->revoked = calloc(pki->count + 1, sizeof(*p->revoked));
	if (p->phones == NULL || p->generations == NULL || p->certificates == NULL || p->revoked == NULL)
		return err_set(e, ERR_FAILED, "%zu phones, %zu certificates: no memory", phones->count, pki->count);
	return 0;
}

/* Phones beyond the network's room use the server's pool, as everywhere. */
static void
phone_take(struct import_plan *p, const struct phone_draft *draft, struct db_host_range *hosts, size_t *room)
{
	struct db_phone_new *phone = &p->phones[p->phone_count++];

	*phone = phone_draft_new(draft);
	if (*room == 0 || !address_is_needed(&phone->phone))
		return;
	phone->hosts = *hosts;
	(*room)--;
}

static int
phones_make(struct import_plan *p, const struct import_phones *phones, const struct settings *s, bool quiet,
    struct err *e)
{
	struct progress progress;
	struct addresses addresses;
	size_t room;
	int rc = 0;

	if (addresses_of(s, &addresses, e) != 0)
		return -1;
	room = addresses.range.last - addresses.range.first + 1;
	progress_start(&progress, "bundling", phones->count, quiet);
	for (size_t i = 0; i < phones->count && rc == 0; i++) {
		const struct import_phone *phone = phones->list[i];

		if (!phone->left_out)
			phone_take(p, &phone->draft, &addresses.range, &room);
		if (phone->chosen != NULL)
			rc = generation_add(p, phone, e);
		progress_set(&progress, i + 1);
	}
	progress_end(&progress);
	return rc;
}

int
import_plan_make(const struct pki *pki, const struct import_phones *phones, const struct import_server *server,
    const struct settings *s, bool quiet, struct import_plan *ret, struct err *e)
{
	if (profile_make(pki, s, ret, e) != 0 || lists_make(ret, pki, phones, e) != 0 ||
	    phones_make(ret, phones, s, quiet, e) != 0)
		return -1;
	for (size_t i = 0; i < pki->count; i++) {
		/* The server's own goes in as such. */
		if (pki->list[i] != server->chosen)
			certificate_add(ret, phones, pki->list[i]);
		if (pki->list[i]->status == EASYRSA_REVOKED)
			revoked_add(ret, pki->list[i]);
	}
	return 0;
}

/* Read back and render: only what comes out right may be offered. */
static int
verify(struct db *db, void *arg, struct err *e)
{
	const struct import_plan *p = arg;
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	int rc = 0;

	for (size_t i = 0; i < p->generation_count && rc == 0; i++) {
		buf_clear(&bundle);
		rc = render_bundle(db, p->generations[i].mac, 0, NULL, &bundle, NULL, e);
	}
	buf_release(&bundle);
	return rc;
}

struct db_import
import_plan_import(struct import_plan *p)
{
	return (struct db_import){
		.phones = p->phones,
		.phone_count = p->phone_count,
		.certificates = p->certificates,
		.certificate_count = p->certificate_count,
		.profile_hash = p->profile_hash,
		.profile = p->profile.data,
		.profile_len = p->profile.len,
		.generations = p->generations,
		.generation_count = p->generation_count,
		.verify = verify,
		.arg = p,
	};
}

void
import_plan_release(struct import_plan *p)
{
	free(p->phones);
	free(p->generations);
	free(p->certificates);
	free(p->revoked);
	buf_release(&p->profile);
}
