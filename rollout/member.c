/* SPDX-License-Identifier: ISC */
#include "rollout/member.h"

static const struct {
	const char *name, *text;
} whys[MEMBER_WHY_COUNT] = {
	[MEMBER_FINE] = { "fine", "nothing is wrong with it" },
	[MEMBER_NOT_MINTED] = { "not-minted", "nothing could be made for it" },
	[MEMBER_HELD_BACK] = { "held-back", "the change would have locked it out" },
	[MEMBER_REVOKED] = { "revoked", "its new certificate was revoked meanwhile" },
	[MEMBER_FELL_BACK] = { "fell-back",
	    "it came back with an older certificate: it has lost the new bundle, as by a "
	    "factory reset, or discarded it" },
	[MEMBER_UNKNOWN] = { "unknown-certificate", "it came with a certificate that is on no bundle of its" },
	[MEMBER_NOT_ASKED] = { "not-asked",
	    "it has not asked for its XML: it is switched off, was not restarted, or does "
	    "not reach the HTTP server" },
	[MEMBER_NOT_FETCHED] = { "not-fetched",
	    "it has its XML and did not fetch the bundle whole: it is cut off on the "
	    "way, or its firmware does not take the setting" },
	[MEMBER_NOT_CONNECTED] = { "not-connected",
	    "it has fetched the bundle and did not connect with it: it discarded "
	    "it, or does not reach the OpenVPN server" },
	[MEMBER_NOT_SETTLED] = { "not-settled", "it has connected and did not stay connected" },
	[MEMBER_UNWATCHED] = { "unwatched",
	    "it is connected, and with which certificate shows when it connects anew: nobody was watching as it did" },
};

const char *
member_why_name(enum member_why why)
{
	return whys[why].name;
}

const char *
member_why_text(enum member_why why)
{
	return whys[why].text;
}

/* It is not where it should be, whatever it had reached. */
static enum member_why
judge_session(const struct db_member_proof *p)
{
	const struct db_session *s = &p->session;

	if (!p->has_session || !s->has_serial)
		return MEMBER_FINE;
	if (s->number == 0)
		return MEMBER_UNKNOWN;
	return p->rung >= DB_RUNG_CONNECTED && s->number < p->member.target ? MEMBER_FELL_BACK : MEMBER_FINE;
}

/* It may have connected with it unseen: that it did not is nothing that anybody knows. */
static bool
is_unwatched(const struct db_member_proof *p)
{
	const struct db_session *s = &p->session;

	if (!p->has_session || s->has_serial || s->ended != 0 || p->rung >= DB_RUNG_CONNECTED)
		return false;
	return p->rung == DB_RUNG_FETCHED || s->since >= p->member.since;
}

static enum member_why
judge_late(const struct db_member_proof *p)
{
	static const enum member_why late[] = {
		[0] = MEMBER_NOT_ASKED,
		[DB_RUNG_OFFERED] = MEMBER_NOT_FETCHED,
		[DB_RUNG_FETCHED] = MEMBER_NOT_CONNECTED,
		[DB_RUNG_CONNECTED] = MEMBER_NOT_SETTLED,
		[DB_RUNG_SETTLED] = MEMBER_FINE,
	};

	if (is_unwatched(p))
		return MEMBER_UNWATCHED;
	return late[p->rung];
}

enum db_member_state
member_judge(const struct db_member_proof *p, unsigned long deadline, time_t now, enum member_why *ret_why)
{
	const struct db_member *m = &p->member;
	const enum member_why where = judge_session(p);

	/* It was never offered anything, and has nothing to settle with. */
	if (m->target == 0) {
		*ret_why = (enum member_why)m->why;
		return m->state;
	}
	*ret_why = p->is_revoked ? MEMBER_REVOKED : where;
	/* What it came with before it was offered this, or offered it again, is no news. */
	if (p->is_revoked || (where != MEMBER_FINE && (m->state == DB_MEMBER_SETTLED || p->session.since >= m->since)))
		return DB_MEMBER_FAILED;
	/* What it had reached does not count where it has gone from there. */
	if (where == MEMBER_FINE && p->rung == DB_RUNG_SETTLED)
		return DB_MEMBER_SETTLED;
	if (m->state == DB_MEMBER_FAILED) {
		*ret_why = (enum member_why)m->why;
		return DB_MEMBER_FAILED;
	}
	*ret_why = MEMBER_FINE;
	if (deadline == 0 || now < m->since + (time_t)deadline)
		return DB_MEMBER_OFFERED;
	*ret_why = p->rung == DB_RUNG_SETTLED || where == MEMBER_FELL_BACK ? where : judge_late(p);
	return DB_MEMBER_FAILED;
}
