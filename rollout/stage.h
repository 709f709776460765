/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_STAGE_H
#define ROLLOUT_STAGE_H

#include "rollout/plan.h"

#include <stdbool.h>

/*
 * The stages of a rollout that moves a fleet to another CA (facts of OpenVPN: a phone checks the server's certificate and the
 * server the phone's, so both have to trust both CAs for a while). Stored: numbers stay.
 */
enum stage {
	STAGE_NONE,	/* a rollout of another kind */
	STAGE_TRUST,	/* the servers have to trust the new CA; the admin confirms it */
	STAGE_PHONES,	/* waves: certificates of the new CA, in bundles that trust both */
	STAGE_SERVER,	/* the server's certificate has to move; the admin confirms it */
	STAGE_FORGET,	/* waves: bundles that trust the new CA alone */
	STAGE_CLEAN,	/* the servers have to give up the old CA; the admin confirms it */
};

#define STAGE_LAST STAGE_CLEAN

/* "trust" and so on. */
const char *stage_name(enum stage stage);

/* Phones get something in it, in waves; else it waits for the admin. */
bool stage_has_waves(enum stage stage);

/* What phones get in it, where the plan says what. */
enum plan_what stage_what(enum stage stage, enum plan_what what);

/* What happens in it, and what of that is the admin's to do: sentences' parts. */
const char *stage_text(enum stage stage);

#endif
