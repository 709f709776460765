/* SPDX-License-Identifier: ISC */
#include "cli/explain.h"

#include "common/text.h"
#include "dseries/model.h"
#include "rollout/stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How long a phone that works takes at most between two rungs: it boots, and it retries after a minute. */
#define FETCH_S 300
#define CONNECT_S 600
#define SOAK_S 900 /* what "watch" takes unless told */

const char *
explain_who_name(enum explain_who who)
{
	static const char *const names[] = {
		[EXPLAIN_NOBODY] = "nobody",
		[EXPLAIN_USER] = "user",
		[EXPLAIN_ADMIN] = "admin",
	};

	return names[who];
}

/* ---- filling the answer in ---- */

__attribute__((format(printf, 4, 5))) static void
say(struct explain *x, const char *situation, enum explain_who who, const char *fmt, ...)
{
	va_list ap;

	x->situation = situation;
	x->who = who;
	va_start(ap, fmt);
	(void)vsnprintf(x->next, sizeof(x->next), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void
because(struct explain *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(x->reason, sizeof(x->reason), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void
run(struct explain *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(x->command, sizeof(x->command), fmt, ap);
	va_end(ap);
}

static void
wait(struct explain *x, const char *situation, time_t until, const char *what)
{
	char at[TEXT_TIME_SIZE];

	text_time(until, at);
	x->until = until;
	say(x, situation, EXPLAIN_NOBODY, "%s; wait until %s", what, at);
}

/* In a rollout that has not noticed yet, nothing can be made for it. */
static void
say_again(struct explain *x, const struct explain_facts *f, const char *situation)
{
	if (f->has_rollout && f->member.state != DB_MEMBER_ROLLED_BACK) {
		say(x, situation, EXPLAIN_ADMIN, "have its rollout take note of that, and look here again");
		run(x, "phonevpn rollout step");
	} else {
		say(x, situation, EXPLAIN_ADMIN, "make another bundle for it, which it fetches when it is restarted");
		run(x, "phonevpn mint --renew %s", f->phone->mac);
	}
}

/* ---- before anything is offered ---- */

static void
explain_turned_down(const struct explain_facts *f, struct explain *x)
{
	const struct model *m = model_find(f->phone->model);

	because(x, "%s", f->turned_down);
	if (m != NULL && m->openvpn) {
		say(x, "turned-down", EXPLAIN_ADMIN, "upgrade its firmware, and tell which one it then has");
		run(x, "phonevpn phone set %s --firmware VERSION", f->phone->mac);
	} else {
		say(x, "turned-down", EXPLAIN_ADMIN, "put a phone with OpenVPN in its place, and forget this one");
		run(x, "phonevpn phone remove %s", f->phone->mac);
	}
}

static void
explain_stand(const struct explain_facts *f, enum phone_stand stand, struct explain *x)
{
	const char *mac = f->phone->mac;

	switch (stand) {
	case STAND_TURNED_DOWN:
		explain_turned_down(f, x);
		break;
	case STAND_NONE:
		say(x, "never-minted", EXPLAIN_ADMIN, "make its first certificate");
		run(x, "phonevpn mint %s", mac);
		break;
	case STAND_REVOKED:
		say(x, "revoked", EXPLAIN_ADMIN,
		    "give it a new key, if it shall come back; 'phonevpn phone remove %s' if not", mac);
		because(x, "the certificate of its newest generation is revoked, so that nothing is offered to it");
		run(x, "phonevpn mint --rekey %s", mac);
		break;
	case STAND_MINTED:
	case STAND_OFFERED:
		say(x, "minted", EXPLAIN_ADMIN, "offer it generation %lld, which is made",
		    (long long)f->newest->number);
		because(x, "a run of 'phonevpn mint', or a rollout, ended before it was offered");
		run(x, "phonevpn mint %s", mac);
		break;
	}
}

/* ---- in a rollout ---- */

static void
explain_waiting(const struct explain_facts *f, struct explain *x)
{
	const struct db_rollout *r = &f->rollout;

	if (r->state == DB_ROLLOUT_DRAFT) {
		say(x, "rollout-waiting", EXPLAIN_ADMIN, "start the rollout %s", r->name);
		run(x, "phonevpn rollout start %s", r->name);
	} else if (r->state == DB_ROLLOUT_PAUSED) {
		say(x, "rollout-waiting", EXPLAIN_ADMIN, "go on with the rollout %s, which is paused", r->name);
		because(x, "%s", r->why);
		run(x, "phonevpn rollout resume %s", r->name);
	} else if (r->stage != STAGE_NONE && !stage_has_waves((enum stage)r->stage)) {
		say(x, "rollout-waiting", EXPLAIN_ADMIN, "do what the rollout %s waits for, and confirm it", r->name);
		because(x, "it waits for %s", stage_text((enum stage)r->stage));
		run(x, "phonevpn rollout confirm %s", r->name);
	} else {
		say(x, "rollout-waiting", EXPLAIN_NOBODY,
		    "wait for its turn: it is in wave %d of the rollout %s, which is at wave %d", f->member.wave,
		    r->name, r->wave);
		because(x,
		    "'phonevpn serve' or 'phonevpn rollout step' moves it on, and 'phonevpn rollout status %s' tells "
		    "what it waits for",
		    r->name);
	}
}

static void
explain_failed(const struct explain_facts *f, struct explain *x)
{
	const enum member_why why = (enum member_why)f->member.why;
	const char *name = f->rollout.name, *mac = f->phone->mac;

	say(x, "rollout-failed", EXPLAIN_ADMIN, "see to what is wrong, and give it another try");
	because(x, "%s", f->held_back != NULL ? f->held_back : member_why_text(why));
	run(x, "phonevpn rollout retry %s %s", name, mac);
	if (why == MEMBER_HELD_BACK) {
		say(x, "rollout-failed", EXPLAIN_ADMIN,
		    "mend that and give it another try, or add --force to offer it all the same");
	} else if (why == MEMBER_REVOKED || why == MEMBER_FELL_BACK || why == MEMBER_UNKNOWN) {
		say(x, "rollout-failed", EXPLAIN_ADMIN,
		    "make another bundle for it, which it fetches when it is restarted");
		run(x, "phonevpn rollout retry %s %s --new", name, mac);
	} else if (why == MEMBER_NOT_ASKED) {
		say(x, "rollout-failed", EXPLAIN_USER,
		    "restart it: it asks for its XML when it boots; then the admin gives it another try");
	} else if (why == MEMBER_NOT_CONNECTED) {
		say(x, "rollout-failed", EXPLAIN_ADMIN,
		    "look whether 'phonevpn check fleet %s' finds anything, and give it another try", mac);
	}
}

static void
explain_rolled_back(const struct explain_facts *f, struct explain *x)
{
	if (f->has_session && f->session.number == f->offered->number) {
		say(x, "rolled-back", EXPLAIN_ADMIN,
		    "nothing is urgent: it is on the VPN with what it had before; make its next generation when you want");
		run(x, "phonevpn mint --renew %s", f->phone->mac);
		return;
	}
	say(x, "rolled-back", EXPLAIN_USER, "restart it: then it fetches generation %lld, which it had before, again",
	    (long long)f->offered->number);
	because(x, "the rollout %s was rolled back, and it was not seen with what it had before since",
	    f->rollout.name);
}

/* False: nothing that its rollout says more of than the ladder does. */
static bool
explain_rollout(const struct explain_facts *f, struct explain *x)
{
	if (!f->has_rollout)
		return false;
	if (f->member.state == DB_MEMBER_WAITING)
		explain_waiting(f, x);
	else if (f->member.state == DB_MEMBER_FAILED)
		explain_failed(f, x);
	else if (f->member.state == DB_MEMBER_ROLLED_BACK)
		explain_rolled_back(f, x);
	return x->situation[0] != '\0';
}

/* ---- on its way to the VPN ---- */

static enum db_rung
highest(const struct explain_generation *g)
{
	for (enum db_rung rung = DB_RUNG_SETTLED; rung > 0; rung--) {
		if (g->rung[rung] != 0)
			return rung;
	}
	return 0;
}

/* It is on the VPN with something else, whatever it had reached. What it came with before its offer is no news. */
static bool
explain_stray(const struct explain_facts *f, struct explain *x)
{
	const struct db_session *s = &f->session;
	const struct explain_generation *g = f->offered;

	if (!f->has_session || !s->has_serial || (f->has_rollout && s->since < f->member.since))
		return false;
	if (s->number == 0) {
		say_again(x, f, "unknown-certificate");
		because(x,
		    "it came with a certificate that is on no bundle of its: its OpenVPN file is another program's, or "
		    "of another state");
		return true;
	}
	if (s->number >= g->number || g->rung[DB_RUNG_CONNECTED] == 0 || s->since < g->rung[DB_RUNG_CONNECTED])
		return false;
	say_again(x, f, "fell-back");
	because(x,
	    "it was connected with generation %lld and came back with %lld: it has lost the new bundle, as by a factory "
	    "reset or a former backup",
	    (long long)g->number, (long long)s->number);
	return true;
}

static void
explain_offered(const struct explain_facts *f, struct explain *x)
{
	say(x, "not-asked", EXPLAIN_USER, "restart it: it asks for its XML when it boots");
	if (f->has_session && f->session.ended == 0) {
		because(x, "it is on the VPN with generation %lld and was not restarted since %lld was offered",
		    (long long)f->session.number, (long long)f->offered->number);
	} else {
		because(x,
		    "it is switched off, was not restarted since, or does not know the URL, which 'phonevpn emit url "
		    "%s' prints",
		    f->phone->mac);
	}
}

static void
explain_asked(const struct explain_facts *f, struct explain *x)
{
	time_t asked = f->offered->rung[DB_RUNG_OFFERED];

	if (f->now < asked + FETCH_S) {
		wait(x, "not-fetched", asked + FETCH_S, "it has its XML, and fetches the bundle next");
		return;
	}
	say(x, "not-fetched", EXPLAIN_USER, "restart it, and look whether its screen says that the VPN is switched on");
	because(x,
	    "it has its XML and did not fetch the bundle: it was cut off on the way, or its firmware does not take the "
	    "setting");
}

static void
explain_fetched(const struct explain_facts *f, struct explain *x)
{
	time_t fetched = f->offered->rung[DB_RUNG_FETCHED];

	if (f->now < fetched + CONNECT_S) {
		wait(x, "not-connected", fetched + CONNECT_S, "it has its bundle, and connects next");
	} else if (!f->is_watched) {
		say(x, "not-connected", EXPLAIN_ADMIN, "have 'phonevpn watch' run beside the OpenVPN server");
		because(x, "nobody has ever seen a phone on the VPN: it may well be there");
		run(x, "phonevpn watch --management SOCKET");
	} else {
		say(x, "not-connected", EXPLAIN_ADMIN, "look for what keeps its bundle off the server");
		because(x,
		    "it discarded the bundle, whose md5 did not fit on arrival, does not reach the OpenVPN server's "
		    "port, or is turned down by it, which its log says");
		run(x, "phonevpn check fleet %s", f->phone->mac);
	}
}

static void
explain_connected(const struct explain_facts *f, struct explain *x)
{
	const struct db_session *s = &f->session;

	if (f->has_session && s->ended == 0 && s->number == f->offered->number) {
		time_t settled = s->since + SOAK_S;

		if (f->now < settled + CONNECT_S) {
			wait(x, "not-settled", settled, "it is on the VPN, and has to stay there");
			return;
		}
		say(x, "not-settled", EXPLAIN_ADMIN, "look whether 'phonevpn watch' runs, or has a longer --soak");
		because(x, "it has been on the VPN for longer than watch asks for unless told");
		run(x, "phonevpn watch --management SOCKET");
		return;
	}
	say(x, "not-settled", EXPLAIN_USER, "switch it on, and keep it connected for a quarter of an hour");
	because(x, "it has connected and did not stay: it was switched off, or its network is bad");
}

static void
explain_settled(const struct explain_facts *f, struct explain *x)
{
	const struct explain_generation *g = f->offered;
	time_t renewal = g->not_after - (f->renew_before - f->now);
	char at[TEXT_TIME_SIZE];

	if (f->has_other_certificate) {
		say(x, "settled-old-valid", EXPLAIN_ADMIN, "revoke its former certificates, which it needs no more");
		run(x, "phonevpn retire %s", f->phone->mac);
		return;
	}
	if (g->not_after < f->renew_before) {
		say(x, "ends-soon", EXPLAIN_ADMIN, "renew its certificate, which ends soon");
		run(x, "phonevpn mint %s", f->phone->mac);
		return;
	}
	text_time(renewal, at);
	x->until = renewal;
	say(x, "settled", EXPLAIN_NOBODY, "all is done; its certificate is renewed from %s on", at);
	if (f->has_session && f->session.ended != 0)
		because(x, "it is off the VPN at present: switched off, or its network is down");
}

static void
explain_ladder(const struct explain_facts *f, struct explain *x)
{
	switch (highest(f->offered)) {
	case DB_RUNG_OFFERED:
		explain_asked(f, x);
		break;
	case DB_RUNG_FETCHED:
		explain_fetched(f, x);
		break;
	case DB_RUNG_CONNECTED:
		explain_connected(f, x);
		break;
	case DB_RUNG_SETTLED:
		explain_settled(f, x);
		break;
	default:
		explain_offered(f, x);
		break;
	}
}

/* Then it is the same for all phones. */
static bool
explain_server(const struct explain_facts *f, struct explain *x)
{
	if (f->server_ends == NULL)
		return false;
	say(x, "server-ended", EXPLAIN_ADMIN,
	    "renew what has ended; 'phonevpn emit server' then takes it to the server");
	because(x, "%s has ended: the OpenVPN server lets nobody in", f->server_ends);
	run(x, "%s", f->server_command);
	return true;
}

static bool
explain_ended(const struct explain_facts *f, struct explain *x)
{
	char at[TEXT_TIME_SIZE];

	if (f->offered->number == 0 || f->offered->not_after > f->now || f->newest->number != f->offered->number)
		return false;
	text_time(f->offered->not_after, at);
	say(x, "certificate-ended", EXPLAIN_ADMIN, "renew its certificate, and have the phone restarted");
	because(x, "its certificate has ended at %s: the OpenVPN server does not let it in", at);
	run(x, "phonevpn mint %s", f->phone->mac);
	return true;
}

void
explain(const struct explain_facts *f, struct explain *ret)
{
	enum phone_stand stand = phone_stand(f->phone, NULL);

	*ret = (struct explain){ .situation = "" };
	if (stand <= STAND_NONE || stand == STAND_REVOKED) {
		explain_stand(f, stand, ret);
		return;
	}
	if (explain_server(f, ret) || explain_rollout(f, ret) || explain_ended(f, ret))
		return;
	if (stand == STAND_MINTED) {
		explain_stand(f, stand, ret);
		return;
	}
	if (!explain_stray(f, ret))
		explain_ladder(f, ret);
}
