/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_LIVE_INTERNAL_H
#define CLI_CHECK_LIVE_INTERNAL_H

/* Inside check_live*.c only. */
#include "cli/check_live.h"
#include "cli/check_live_fetch.h"
#include "provisioner/xml_read.h"

/* In the order of check_live_rules[]. */
enum live_rule {
	LIVE_UNREACHABLE,
	LIVE_TLS,
	LIVE_TLS_ENDS,
	LIVE_GIVEN_UP,
	LIVE_LOGIN,
	LIVE_STATUS,
	LIVE_NO_LOGIN,
	LIVE_STALE,
	LIVE_SETTING,
	LIVE_MD5,
	LIVE_OTHER_PHONE,
	LIVE_GENERIC_SECRET,
	LIVE_RULE_COUNT,
};

#define LIVE_FOUND(out, which, place, ...) findings_add(out, &check_live_rules[which], place, __VA_ARGS__)

/* One after the other, of one phone. */
enum live_step {
	LIVE_STEP_XML,
	LIVE_STEP_BUNDLE,
	LIVE_STEP_OTHER,	/* the XML of another phone */
	LIVE_STEP_DONE,
};

struct live_phone {
	struct fleet_job job;
	enum live_step step;
	struct live_fetch fetch;	/* of the step */
	struct buf base;		/* URL in front of <mac>.cfg, with the phone's login */
	struct buf xml;			/* what the database says that it gets */
	struct xml_said expected, served;
	char other[DB_MAC_SIZE];	/* whose XML must not be had, or "" */
	char user_agent[64];
};

/* Judge the step that has ended, and fill *ret_next. */
int live_judge(const struct live_params *params, struct live_phone *p, enum live_step *ret_next, struct err *e);

#endif
