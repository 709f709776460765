/* SPDX-License-Identifier: ISC */
#include "cli/mint_plan.h"

#include "cli/phone_report.h"

#include <string.h>

enum mint_action
mint_plan(const struct db_phone *p, const struct mint_wish *wish, bool named, struct err *reason)
{
	switch (phone_stand(p, reason)) {
	case STAND_TURNED_DOWN:
		return MINT_TURNED_DOWN;
	case STAND_NONE:
		return MINT_KEY;
	case STAND_REVOKED:
		/* A stolen phone must not come back because the fleet is minted. */
		if (named && wish->rekey)
			return MINT_KEY;
		err_set(reason, ERR_CONFLICT,
		    "its certificate is revoked; 'phonevpn mint %s --rekey' gives it a new key", p->mac);
		return MINT_TURNED_DOWN;
	case STAND_MINTED:
	case STAND_OFFERED:
		break;
	}
	if (wish->rekey)
		return MINT_KEY;
	if (wish->renew || p->authority != wish->authority || p->not_after < wish->renew_before)
		return MINT_CERTIFICATE;
	if (strcmp(p->profile, wish->profile) != 0)
		return MINT_PROFILE;
	return p->offered == p->newest ? MINT_NOTHING : MINT_OFFER;
}

bool
mint_makes(enum mint_action action)
{
	return action != MINT_NOTHING && action != MINT_TURNED_DOWN;
}
