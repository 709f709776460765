/* SPDX-License-Identifier: ISC */
#include "cli/mint_means.h"

#include "common/process.h"

#include <time.h>

int
mint_means_open(struct db *db, const char *keygen, struct mint_means *m, struct err *e)
{
	unsigned long days;
	time_t begin, end;

	*m = (struct mint_means){ .db = db, .profile = BUF_INIT(DB_DER_MAX) };
	if (settings_load(db, &m->settings, e) != 0 || keygen_choose(keygen, &m->settings, &m->keygen, e) != 0 ||
	    issuer_open(db, &m->issuer, e) != 0 ||
	    profile_current(db, &m->settings, &m->profile, m->profile_hash, e) != 0)
		return -1;
	m->wish.profile = m->profile_hash;
	m->wish.authority = m->issuer.authority.id;
	if (ca_cert_validity(m->issuer.cert, &begin, &end, e) != 0)
		return -1;
	/* Of a short life not more than its last third, or a fresh certificate would be renewed at once. */
	days = settings_number(&m->settings, SET_RENEW_DAYS);
	if (days > settings_number(&m->settings, SET_PHONE_DAYS) / 3)
		days = settings_number(&m->settings, SET_PHONE_DAYS) / 3;
	m->wish.renew_before = issuer_days(time(NULL), days);
	/* A certificate that ends with its CA cannot be renewed to last longer: to try each time would help nobody. */
	if (m->wish.renew_before > end)
		m->wish.renew_before = end;
	return 0;
}

void
mint_means_release(struct mint_means *m)
{
	issuer_release(&m->issuer);
	buf_release(&m->profile);
}

void
mint_means_maker(const struct mint_means *m, const struct db_location *where, size_t total, struct mint_maker *ret)
{
	*ret = (struct mint_maker){
		.db = m->db,
		.common = {
			.where = where,
			.issuer = &m->issuer,
			.params = {
				.kind = CA_KIND_PHONE,
				.organization = m->settings.value[SET_ORG],
				.not_before = settings_time(&m->settings, SET_NOT_BEFORE),
				.not_after = issuer_days(time(NULL), settings_number(&m->settings, SET_PHONE_DAYS)),
			},
			.profile = &m->profile,
			.keygen = &m->keygen,
		},
		.threads = process_cpus(),
		.profile_hash = m->profile_hash,
		.total = total,
		.quiet = true,
	};
}
