/* SPDX-License-Identifier: ISC */
#ifndef CLI_MINT_PLAN_H
#define CLI_MINT_PLAN_H

#include "db/db.h"

#include <stdbool.h>

/* What has to be made for a phone's next generation. */
enum mint_action {
	MINT_NOTHING,		/* its newest generation is good, and offered */
	MINT_OFFER,		/* it is good, and was not offered yet: a run was interrupted */
	MINT_PROFILE,		/* the certificate stays, the profile has changed */
	MINT_CERTIFICATE,	/* a new certificate for the same key */
	MINT_KEY,		/* a new key and a new certificate */
	MINT_TURNED_DOWN,	/* none, with a reason */
};

struct mint_wish {
	bool renew, rekey;
	const char *profile;	/* hash of the profile that phones get now */
	int64_t authority;	/* the one that issues now */
	time_t renew_before;	/* certificates that end earlier are renewed */
};

/* reason (may be NULL) is filled for MINT_TURNED_DOWN. named: the admin named this very phone. */
enum mint_action mint_plan(const struct db_phone *p, const struct mint_wish *wish, bool named, struct err *reason);

/* Something has to be made, or offered. */
bool mint_makes(enum mint_action action);

#endif
