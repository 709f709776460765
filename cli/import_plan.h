/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_PLAN_H
#define CLI_IMPORT_PLAN_H

#include "cli/import_phones.h"
#include "cli/import_server.h"
#include "cli/settings.h"
#include "db/db.h"

/* What of an imported CA goes into the state, and in which form. Borrows from all that it is made of. */
struct import_plan {
	struct db_phone_new *phones;
	struct db_certificate_imported *certificates;
	struct db_generation_new *generations;
	struct ca_crl_entry *revoked;	/* for the first CRL */
	size_t phone_count, certificate_count, generation_count, revoked_count;
	struct buf profile;
	char profile_hash[PROFILE_HASH_SIZE];
};

#define IMPORT_PLAN_INIT { .profile = BUF_INIT(DB_DER_MAX) }

/* quiet: no progress line. Release the plan in any case. */
int import_plan_make(const struct pki *pki, const struct import_phones *phones, const struct import_server *server,
    const struct settings *s, bool quiet, struct import_plan *ret, struct err *e);

/* For db_create() and db_import(), with a verify that renders each generation from what is stored. Borrows from p. */
struct db_import import_plan_import(struct import_plan *p);

void import_plan_release(struct import_plan *p);

/* For whoever makes a plan of its own: render a generation's bundle from its parts, and fill md5 and size. */
int import_generation_render(const struct import_plan *p, const struct buf *cert, const struct buf *key,
    struct db_generation_new *g, struct err *e);

#endif
