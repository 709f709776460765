/* SPDX-License-Identifier: ISC */
#include "bundler/bundle.h"
#include "ca/key.h"
#include "cli/issuer.h"
#include "cli/phone_fields.h"
#include "cli/profile.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000
#define PHONES_MAX 1000000

/*
 * bench_check_state DIR PHONES: fill an initialised state with minted phones for a measurement. They all have the same
 * key, as making keys would take hours; all else is as "mint" leaves it.
 */
struct state {
	struct db *db;
	struct settings settings;
	struct issuer issuer;
	struct buf profile, key;
	char hash[PROFILE_HASH_SIZE];
	EVP_PKEY *pkey;
};

static int
phones_add(struct state *s, unsigned long first, unsigned long count, struct err *e)
{
	struct db_phone_new *new = calloc(count, sizeof(*new));
	int rc;

	for (unsigned long i = 0; i < count; i++) {
		struct db_phone *p = &new[i].phone;

		(void)snprintf(p->mac, sizeof(p->mac), "000fd3%06lx", first + i);
		(void)snprintf(p->model, sizeof(p->model), "D65");
		(void)snprintf(p->firmware, sizeof(p->firmware), "2_9_27");
		(void)snprintf(p->extension, sizeof(p->extension), "%lu", 100000 + first + i);
		memcpy(p->http_user, p->mac, sizeof(p->mac));
		new[i].http_password = "a-password-of-24-letters";
	}
	rc = db_phone_add(s->db, new, count, e);
	free(new);
	return rc;
}

static int
certificate_make(struct state *s, const char *mac, struct buf *der, struct db_certificate_new *ret, struct err *e)
{
	struct ca_cert_params params = {
		.kind = CA_KIND_PHONE,
		.common_name = mac,
		.not_after = issuer_days(time(NULL), settings_number(&s->settings, SET_PHONE_DAYS)),
	};
	X509 *cert;
	int rc = -1;

	if (ca_serial_new(params.serial, e) != 0)
		return -1;
	cert = ca_cert_issue(&params, s->pkey, s->issuer.cert, s->issuer.key, e);
	if (cert != NULL && ca_cert_encode(cert, der, e) == 0 &&
	    ca_cert_validity(cert, &ret->not_before, &ret->not_after, e) == 0)
		rc = 0;
	X509_free(cert);
	memcpy(ret->serial, params.serial, sizeof(ret->serial));
	ret->cert = der;
	ret->key = &s->key;
	return rc;
}

/* What a batch keeps until it is committed. */
struct minted {
	struct db_generation_new generation[BATCH];
	struct db_certificate_new certificate[BATCH];
	struct buf der[BATCH];
	struct db_offer offer[BATCH];
};

static int
phone_mint(struct state *s, struct minted *m, unsigned long i, unsigned long number, struct err *e)
{
	struct db_generation_new *g = &m->generation[i];
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	struct db_phone p;
	int rc = -1;

	m->der[i] = (struct buf)BUF_INIT(DB_DER_MAX);
	*g = (struct db_generation_new){ .certificate = &m->certificate[i], .authority = s->issuer.authority.id };
	(void)snprintf(g->mac, sizeof(g->mac), "000fd3%06lx", number);
	if (db_phone_get(s->db, g->mac, &p, e) != 0 ||
	    certificate_make(s, g->mac, &m->der[i], &m->certificate[i], e) != 0 ||
	    bundle_render(s->profile.data, s->profile.len, m->der[i].data, m->der[i].len, s->key.data, s->key.len,
		&bundle, e) != 0)
		goto out;
	g->phone = p.id;
	g->size = bundle.len;
	memcpy(g->profile, s->hash, sizeof(g->profile));
	rc = bundle_md5(bundle.data, bundle.len, g->md5, e);
out:
	buf_release(&bundle);
	return rc;
}

static int
batch_mint(struct state *s, struct minted *m, unsigned long first, unsigned long count, struct err *e)
{
	int rc = phones_add(s, first, count, e);

	for (unsigned long i = 0; i < count && rc == 0; i++)
		rc = phone_mint(s, m, i, first + i, e);
	if (rc == 0)
		rc = db_generation_commit(s->db, m->generation, count, e);
	for (unsigned long i = 0; i < count; i++) {
		m->offer[i] = (struct db_offer){ m->generation[i].phone, m->generation[i].ret_number };
		buf_release(&m->der[i]);
	}
	return rc == 0 ? db_generation_offer(s->db, m->offer, count, e) : -1;
}

static int
fill(struct state *s, unsigned long count, struct err *e)
{
	struct minted *m = calloc(1, sizeof(*m));
	int rc = 0;

	s->pkey = ca_key_generate(CA_KEY_BITS_PHONE, CA_KEYGEN_NATIVE, e);
	if (m == NULL || settings_load(s->db, &s->settings, e) != 0 || issuer_open(s->db, &s->issuer, e) != 0 ||
	    s->pkey == NULL || ca_key_encode(s->pkey, &s->key, e) != 0 ||
	    profile_current(s->db, &s->settings, &s->profile, s->hash, e) != 0 ||
	    db_profile_put(s->db, s->hash, s->profile.data, s->profile.len, e) != 0)
		rc = -1;
	for (unsigned long first = 0; first < count && rc == 0; first += BATCH)
		rc = batch_mint(s, m, first, count - first < BATCH ? count - first : BATCH, e);
	free(m);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct db_location where = { .dir = argc > 1 ? argv[1] : "", .actor = "bench" };
	struct state s = { .profile = BUF_INIT(DB_DER_MAX), .key = BUF_INIT(DB_DER_MAX) };
	struct err e = ERR_INIT;
	unsigned long count;
	int rc = -1;

	if (argc != 3 || text_number(argv[2], 1, PHONES_MAX, "phones", &count, &e) != 0) {
		(void)fprintf(stderr, "usage: bench_check_state DIR PHONES\n");
		return 2;
	}
	s.db = db_open_writer(&where, &e);
	if (s.db != NULL)
		rc = fill(&s, count, &e);
	issuer_release(&s.issuer);
	EVP_PKEY_free(s.pkey);
	buf_release(&s.profile);
	buf_release(&s.key);
	db_close(s.db);
	if (rc != 0)
		(void)fprintf(stderr, "bench_check_state: %s\n", e.text);
	return rc == 0 ? 0 : 1;
}
