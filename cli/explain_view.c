/* SPDX-License-Identifier: ISC */
#include "cli/explain_view.h"

#include "ca/cert.h"
#include "db/authority.h"
#include "db/tally.h"
#include "rollout/plan.h"
#include "rollout/retire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY ((time_t)24 * 3600)

static int
generation_take(const struct db_generation *g, void *arg, struct err *e)
{
	struct explain_view *v = arg;
	struct explain_generation one = {
		.number = g->number, .created = g->created, .not_after = g->not_after, .revoked = g->revoked
	};

	(void)e;
	memcpy(one.serial, g->serial, sizeof(one.serial));
	if (v->count == EXPLAIN_GENERATIONS) {
		memmove(v->generations, v->generations + 1, sizeof(v->generations) - sizeof(v->generations[0]));
		v->count--;
	}
	v->generations[v->count++] = one;
	v->newest = one;
	if (g->number == v->phone.offered)
		v->offered = one;
	return 0;
}

static int
step_take(const struct db_step *s, void *arg, struct err *e)
{
	struct explain_view *v = arg;
	struct explain_generation *taken = &v->taken[s->rung];

	(void)e;
	if (s->number == v->offered.number)
		v->offered.rung[s->rung] = s->at;
	if (s->number >= taken->number) {
		taken->number = s->number;
		taken->rung[s->rung] = s->at;
	}
	return 0;
}

static int
superseded_take(const struct retire_item *item, void *arg, struct err *e)
{
	struct explain_view *v = arg;

	(void)e;
	if (item->wait == RETIRE_READY)
		v->facts.has_other_certificate = true;
	return 0;
}

static int
session_take(struct explain_view *v, struct err *e)
{
	struct err why = ERR_INIT;
	struct db_seen_tally seen;

	v->facts.has_session = db_session_get(v->db, v->phone.id, &v->facts.session, &why) == 0;
	if (!v->facts.has_session && why.code != ERR_NOT_FOUND)
		return err_set(e, why.code, "%s", why.text);
	v->facts.is_watched = v->facts.has_session;
	if (v->facts.is_watched)
		return 0;
	if (db_seen_tally(v->db, 0, &seen, e) != 0)
		return -1;
	v->facts.is_watched = seen.on > 0 || seen.never < seen.offered;
	return 0;
}

/* The guard's own words are in the event that told of it. */
static int
held_back_take(const struct db_event *event, void *arg, struct err *e)
{
	struct explain_view *v = arg;
	const char *detail = strstr(event->detail, ": ");

	(void)e;
	if (strcmp(event->action, "rollout.failed") == 0 && detail != NULL)
		(void)snprintf(v->held_back, sizeof(v->held_back), "%.600s", detail + 2);
	return 0;
}

static int
rollout_take(struct explain_view *v, struct err *e)
{
	struct explain_facts *f = &v->facts;
	struct err why = ERR_INIT;
	struct plan plan;

	if (db_member_of(v->db, v->phone.id, &f->rollout, &why) != 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_set(e, why.code, "%s", why.text);
	if (db_member_get(v->db, f->rollout.id, v->phone.id, &f->member, e) != 0 ||
	    plan_read(f->rollout.plan, &plan, e) != 0)
		return -1;
	f->has_rollout = true;
	f->deadline = plan.deadline;
	if (f->member.state != DB_MEMBER_FAILED ||
	    (f->member.why != MEMBER_HELD_BACK && f->member.why != MEMBER_NOT_MINTED))
		return 0;
	if (db_event_each(v->db, v->phone.mac, 16, held_back_take, v, e) != 0)
		return -1;
	if (v->held_back[0] != '\0')
		f->held_back = v->held_back;
	return 0;
}

/* Something that all phones depend on has ended. */
static void
ended_take(struct explain_view *v, time_t end, const char *what, const char *name, const char *command)
{
	if (end > v->facts.now || v->facts.server_ends != NULL)
		return;
	(void)snprintf(v->server_ends, sizeof(v->server_ends), "%s of %s", what, name);
	v->facts.server_ends = v->server_ends;
	v->facts.server_command = command;
}

static int
server_take(struct explain_view *v, struct err *e)
{
	const bool has_crl = strcmp(v->settings.value[SET_VPN_CRL], "dir") != 0;
	struct db_certificate server;
	struct db_authority a;
	time_t from, to;
	X509 *cert;
	int rc;

	if (db_certificate_server(v->db, &server, e) != 0 || db_authority_current(v->db, &a, e) != 0)
		return -1;
	cert = ca_cert_decode(a.cert.data, a.cert.len, e);
	rc = cert != NULL ? ca_cert_validity(cert, &from, &to, e) : -1;
	if (rc == 0) {
		ended_take(v, to, "the CA certificate", a.name, "phonevpn health");
		ended_take(v, server.not_after, "the server certificate", server.name, "phonevpn server renew");
		if (has_crl)
			ended_take(v, a.crl_next_update, "the CRL", a.name, "phonevpn crl");
	}
	X509_free(cert);
	db_authority_release(&a);
	return rc;
}

static time_t
renew_before(const struct explain_view *v)
{
	unsigned long days = settings_number(&v->settings, SET_RENEW_DAYS),
		      third = settings_number(&v->settings, SET_PHONE_DAYS) / 3;

	return v->facts.now + (time_t)(days < third ? days : third) * DAY;
}

int
explain_view_take(struct explain_view *v, struct err *e)
{
	struct explain_facts *f = &v->facts;

	f->now = time(NULL);
	f->phone = &v->phone;
	f->newest = &v->newest;
	f->offered = &v->offered;
	if (phone_stand(&v->phone, &v->turned_down) == STAND_TURNED_DOWN)
		f->turned_down = v->turned_down.text;
	if (settings_load(v->db, &v->settings, e) != 0 ||
	    db_generation_each(v->db, v->phone.id, generation_take, v, e) != 0 ||
	    db_ladder_each(v->db, v->phone.id, step_take, v, e) != 0 || session_take(v, e) != 0 ||
	    rollout_take(v, e) != 0 || server_take(v, e) != 0 ||
	    retire_each(v->db, &v->phone, superseded_take, v, e) != 0)
		return -1;
	f->renew_before = renew_before(v);
	explain(f, &v->answer);
	return 0;
}
