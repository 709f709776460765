/* SPDX-License-Identifier: ISC */
#include "rollout/stage.h"

static const struct {
	const char *name, *text;
	bool has_waves;
} stages[] = {
	[STAGE_NONE] = { "none", "phones get their next generation", true },
	[STAGE_TRUST] = { "trust",
	    "the admin to have the OpenVPN server trust the new CA: 'emit server', restart it, then "
	    "'rollout confirm'",
	    false },
	[STAGE_PHONES] = { "phones", "phones get certificates of the new CA, and both CAs to trust", true },
	[STAGE_SERVER] = { "server",
	    "the admin to move the OpenVPN server to the new CA: 'server renew', 'emit server', "
	    "restart it, then 'rollout confirm'",
	    false },
	[STAGE_FORGET] = { "forget", "phones get bundles that trust the new CA alone", true },
	[STAGE_CLEAN] = { "clean",
	    "the admin to have the OpenVPN server give up the old CA: 'emit server', restart it, then "
	    "'rollout confirm'",
	    false },
};

const char *
stage_name(enum stage stage)
{
	return stages[stage].name;
}

const char *
stage_text(enum stage stage)
{
	return stages[stage].text;
}

enum plan_what
stage_what(enum stage stage, enum plan_what what)
{
	/* Another certificate, by which each phone shows that it has taken the bundle, whoever serves it. */
	if (stage >= STAGE_FORGET)
		return PLAN_RENEW;
	/* The settings' CA is the new one: a phone's certificate is renewed where it is of another. */
	return stage >= STAGE_PHONES && what == PLAN_RENEW ? PLAN_SETTINGS : what;
}

bool
stage_has_waves(enum stage stage)
{
	return stages[stage].has_waves;
}
