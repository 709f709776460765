/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_FLEET_H
#define CLI_CHECK_FLEET_H

#include "bundler/check.h"
#include "bundler/check_server.h"
#include "cli/settings.h"
#include "common/finding.h"
#include "common/pool.h"
#include "db/db.h"
#include "provisioner/check_xml.h"

#include <stdbool.h>
#include <stddef.h>

/* Inside "check fleet" only: what its files share. */

/* In the order of check_fleet_rules[]. */
enum fleet_rule {
	FLEET_EMPTY,
	FLEET_MODEL,
	FLEET_FIRMWARE,
	FLEET_NOT_MINTED,
	FLEET_NOT_OFFERED,
	FLEET_OFFER_BEHIND,
	FLEET_REVOKED,
	FLEET_REVOKED_OFFERED,
	FLEET_BUNDLE,
	FLEET_KEY,
	FLEET_RECORD,
	FLEET_PROFILE_OLD,
	FLEET_ISSUER_FORMER,
	FLEET_CREDENTIAL,
	FLEET_XML,
	FLEET_EXTENSION_TWICE,
	FLEET_CA_BROKEN,
	FLEET_CA_ENDED,
	FLEET_CA_ENDS,
	FLEET_CRL_BROKEN,
	FLEET_CRL_ENDED,
	FLEET_CRL_ENDS,
	FLEET_CRL_INCOMPLETE,
	FLEET_SERVER_BROKEN,
	FLEET_SERVER_ENDED,
	FLEET_SERVER_ENDS,
	FLEET_SERVER_MISMATCH,
	FLEET_RULE_COUNT,
};

extern const struct finding_rule check_fleet_rules[];

/* What is the same for all phones; nobody changes it once the threads run. */
struct fleet_common {
	struct db_location where;
	struct settings settings;
	struct check_clock clock;
	struct cidr vpn;
	const char *base_dir;		/* or NULL */
	const char *server;		/* a server.conf to judge beside, or NULL */
	int64_t authority;		/* that issues now */
	char profile[DB_HASH_SIZE];	/* that phones get now */
};

/* A phone and what came of it. */
struct fleet_job {
	struct db_phone phone;
	struct findings found;	/* of this phone alone */
	struct findings shared;	/* that many phones will have: told once, with their number */
	char profile[DB_HASH_SIZE];	/* that it is offered, when that renders; else "" */
	struct err error;	/* what kept the check itself from being done */
};

/* What is counted over all phones. */
struct fleet_tally;

/* ---- check_fleet_phone.c: threads that judge phones ---- */

#define FLEET_BATCH 128	/* phones whose results are taken at once */

/* common is a struct fleet_common, a job a struct fleet_job of which phone is filled. */
extern const struct pool_kind fleet_pool_kind;

/* Where a finding about a phone is: in element, "phone 000fd3...". */
#define FLEET_ELEMENT_SIZE 128
struct finding_place fleet_place(const struct db_phone *p, char element[FLEET_ELEMENT_SIZE]);

#define FLEET_FOUND(out, which, place, ...) findings_add(out, &check_fleet_rules[which], place, __VA_ARGS__)

/* Copy findings, with "where" before each one's element. */
void fleet_copy(struct findings *to, const struct findings *from, const char *where);

/* ---- check_fleet_state.c: what is no phone's alone ---- */

/* The CAs, their CRLs, and the server's certificate. */
int fleet_check_state(struct db *db, const struct fleet_common *c, struct findings *out, struct err *e);

/* ---- check_fleet_emitted.c: the server that "emit server" would write ---- */

/* Against the profiles that phones are offered. It is rendered in memory: no key reaches a disk. */
int fleet_check_emitted(struct db *db, const struct fleet_common *c, struct fleet_tally *tally, struct findings *out,
    struct err *e);

/* ---- check_fleet_tally.c: what is counted over all phones ---- */

struct fleet_tally *fleet_tally_new(struct err *e);
void fleet_tally_free(struct fleet_tally *t);

/* Take what the job's phone shares with others; */
int fleet_tally_share(struct fleet_tally *t, const struct fleet_job *job, struct err *e);
/* the profile that it is offered; */
int fleet_tally_profile(struct fleet_tally *t, const struct db_phone *p, const char *profile, struct err *e);
/* its extension, if it has one. */
int fleet_tally_extension(struct fleet_tally *t, const struct db_phone *p, struct err *e);

/* "phone 000fd3... and 3 more" */
void fleet_phones_name(const char *first, size_t count, char out[FLEET_ELEMENT_SIZE]);

/* Tell what was counted: shared findings with the number of phones, and extensions that two phones have. */
void fleet_tally_report(struct fleet_tally *t, struct findings *out);

/* Phones with one profile, model and firmware; first is one of them. */
struct fleet_kind {
	char profile[DB_HASH_SIZE];
	char model[8], firmware[32];
	char first[DB_MAC_SIZE];
	int64_t first_number;	/* the generation of it */
	size_t count;
};

/* Phones that are offered a profile. */
size_t fleet_tally_offered(const struct fleet_tally *t);

/* The kinds that there are; borrowed until the next call. */
int fleet_tally_kinds(struct fleet_tally *t, const struct fleet_kind **ret, size_t *ret_count, struct err *e);

/* ---- check_fleet_kinds.c: what is judged once for a profile ---- */

/* The profiles by themselves. */
int fleet_check_profiles(struct db *db, const struct check_clock *clock, struct fleet_tally *tally,
    struct findings *out, struct err *e);

/* A server against the profiles, whose phones' certificates are judged by themselves. */
int fleet_check_server(struct db *db, struct fleet_tally *tally, struct check_server *server, struct findings *out,
    struct err *e);

#endif
