/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/event_report.h"
#include "cli/explain_view.h"
#include "cli/phone_fields.h"
#include "cli/session_report.h"
#include "cli/state.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One screen of 80 columns and 24 lines. */
#define COLUMNS 80
#define LABEL 13
#define LINES 3 /* of one text */
#define EVENTS_SHOWN 4

/* ---- as JSON ---- */

static json_t *
number_json(int64_t number)
{
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

static json_t *
time_json(time_t when)
{
	char at[TEXT_TIME_SIZE];

	text_time(when, at);
	return when != 0 ? json_string(at) : json_null();
}

static json_t *
certificates_json(const struct explain_view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->count; i++) {
		const struct explain_generation *g = &v->generations[i];
		char serial[SERIAL_HEX_SIZE];

		serial_hex(g->serial, serial);
		(void)json_array_append_new(list,
		    json_pack("{s:I,s:s,s:o,s:b}", "generation", (json_int_t)g->number, "serial", serial, "not_after",
			time_json(g->not_after), "revoked", g->revoked != 0));
	}
	return list;
}

static json_t *
rollout_json(const struct explain_view *v)
{
	const struct explain_facts *f = &v->facts;
	enum member_why why = (enum member_why)f->member.why;

	if (!f->has_rollout)
		return json_null();
	return json_pack("{s:s,s:s,s:i,s:i,s:s,s:o,s:s?}", "name", f->rollout.name, "state",
	    db_rollout_state_name(f->rollout.state), "at_wave", f->rollout.wave, "wave", f->member.wave, "phone_state",
	    db_member_state_name(f->member.state), "since", time_json(f->member.since), "why",
	    why != MEMBER_FINE ? member_why_name(why) : NULL);
}

static int
print_json(const struct explain_view *v, struct err *e)
{
	const struct explain *x = &v->answer;
	json_t *session = NULL, *events = json_array();

	if (session_json(v->db, v->phone.id, &session, e) != 0 ||
	    db_event_each(v->db, v->phone.mac, EVENTS_SHOWN, event_json, events, e) != 0) {
		json_decref(session);
		json_decref(events);
		return -1;
	}
	return command_print_json(json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:s,s:s,s:s?,s:s?,s:o}}",
				      "mac", v->phone.mac, "situation", x->situation, "wanted",
				      number_json(v->newest.number), "offered", number_json(v->offered.number),
				      "asked_for", number_json(v->taken[DB_RUNG_OFFERED].number), "fetched",
				      number_json(v->taken[DB_RUNG_FETCHED].number), "connected",
				      number_json(v->taken[DB_RUNG_CONNECTED].number), "session", session,
				      "certificates", certificates_json(v), "rollout", rollout_json(v), "events",
				      events, "next", "who", explain_who_name(x->who), "step", x->next, "command",
				      x->command[0] != '\0' ? x->command : NULL, "likely_reason",
				      x->reason[0] != '\0' ? x->reason : NULL, "until", time_json(x->until)),
	    e);
}

/* ---- as one screen ---- */

/* Broken at blanks; what is over the lines that it may have is cut. */
static void
print_text(const char *label, const char *text)
{
	const int width = COLUMNS - LABEL - 1;

	for (int line = 1; *text != '\0' && line <= LINES; line++) {
		size_t len = strlen(text), take = len;

		if (len > (size_t)width) {
			for (take = (size_t)width; take > 0 && text[take] != ' '; take--)
				continue;
			if (take == 0)
				take = (size_t)width;
		}
		(void)printf("%-*s%.*s%s\n", LABEL, line == 1 ? label : "", (int)take, text,
		    line == LINES && take < len ? "..." : "");
		text += take;
		text += strspn(text, " ");
	}
}

__attribute__((format(printf, 2, 3))) static void
print_line(const char *label, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_text(label, text);
}

static void
print_rung(const struct explain_view *v, const char *label, enum db_rung rung)
{
	const struct explain_generation *g = &v->taken[rung];
	char at[TEXT_TIME_SIZE];

	text_time(g->rung[rung], at);
	if (g->number != 0)
		print_line(label, "generation %lld, %s%s", (long long)g->number, at,
		    g->number < v->offered.number ? ", one of before" : "");
	else
		print_text(label, "nothing, as far as was seen");
}

static void
print_session(const struct explain_view *v)
{
	const struct db_session *s = &v->facts.session;
	char since[TEXT_TIME_SIZE], ended[TEXT_TIME_SIZE], what[64];

	if (!v->facts.has_session) {
		print_rung(v, "connected", DB_RUNG_CONNECTED);
		return;
	}
	text_time(s->since, since);
	text_time(s->ended, ended);
	if (s->number != 0)
		(void)snprintf(what, sizeof(what), "generation %lld", (long long)s->number);
	else
		(void)snprintf(what, sizeof(what),
		    s->has_serial ? "an unknown certificate" : "nobody watched with what");
	print_line("connected", "%s, %s %s from %s", what, s->ended != 0 ? "until" : "since",
	    s->ended != 0 ? ended : since, s->address);
}

static void
print_generations(const struct explain_view *v)
{
	char at[TEXT_TIME_SIZE];

	for (size_t i = v->count; i-- > 0;) {
		const struct explain_generation *g = &v->generations[i];

		text_time(g->not_after, at);
		print_line(i + 1 == v->count ? "certificate" : "", "generation %lld: %s until %s%s",
		    (long long)g->number, g->not_after > v->facts.now ? "valid" : "was valid", at,
		    g->revoked != 0 ? ", revoked" : "");
	}
}

static void
print_state(const struct explain_view *v)
{
	const struct db_phone *p = &v->phone;
	const struct explain_facts *f = &v->facts;
	char at[TEXT_TIME_SIZE];

	print_line(p->mac, "%s, firmware %s%s%s", p->model, p->firmware[0] != '\0' ? p->firmware : "not known",
	    p->extension[0] != '\0' ? ", extension " : "", p->extension);
	text_time(v->newest.created, at);
	if (f->has_rollout && f->member.state == DB_MEMBER_WAITING && f->member.target == 0)
		print_line("wanted", "its next generation, by the rollout %s", f->rollout.name);
	else if (v->newest.number != 0)
		print_line("wanted", "generation %lld, made %s", (long long)v->newest.number, at);
	else
		print_text("wanted", "nothing: nothing was made for it");
	text_time(v->taken[DB_RUNG_OFFERED].rung[DB_RUNG_OFFERED], at);
	if (v->offered.number == 0)
		print_text("offered", "nothing");
	else if (v->offered.rung[DB_RUNG_OFFERED] != 0)
		print_line("offered", "generation %lld, and it read so at %s", (long long)v->offered.number, at);
	else
		print_line("offered", "generation %lld, and it has not asked yet", (long long)v->offered.number);
	print_rung(v, "fetched", DB_RUNG_FETCHED);
	print_session(v);
	print_rung(v, "settled", DB_RUNG_SETTLED);
	print_generations(v);
	if (!f->has_rollout)
		return;
	text_time(f->member.since, at);
	print_line("rollout", "%s, %s at wave %d: this phone is %s in wave %d since %s", f->rollout.name,
	    db_rollout_state_name(f->rollout.state), f->rollout.wave, db_member_state_name(f->member.state),
	    f->member.wave, at);
}

static int
event_print(const struct db_event *event, void *arg, struct err *e)
{
	char when[TEXT_TIME_SIZE], line[COLUMNS], all[512];
	size_t *count = arg;

	(void)e;
	text_time(event->when, when);
	(void)snprintf(all, sizeof(all), "%s %s %s", when, event->action, event->detail);
	(void)printf("%-*s%s\n", LABEL, (*count)++ == 0 ? "last events" : "",
	    text_printable(all, line, COLUMNS - LABEL));
	return 0;
}

static int
print_screen(const struct explain_view *v, struct err *e)
{
	const struct explain *x = &v->answer;
	size_t events = 0;

	print_state(v);
	if (db_event_each(v->db, v->phone.mac, EVENTS_SHOWN, event_print, &events, e) != 0)
		return -1;
	print_line("next step", "%s: %s",
	    x->who == EXPLAIN_ADMIN  ? "the admin"
	    : x->who == EXPLAIN_USER ? "who has the phone"
				     : "nobody",
	    x->next);
	if (x->command[0] != '\0')
		(void)printf("%-*s%s\n", LABEL, "", x->command);
	print_text("likely", x->reason);
	return 0;
}

static int
explain_run(const struct invocation *in, struct err *e)
{
	struct explain_view *v = calloc(1, sizeof(*v));
	char mac[DB_MAC_SIZE];
	int rc = -1;

	if (v == NULL)
		return err_set(e, ERR_FAILED, "phone explain: no memory");
	if (phone_argument(in->argv[0], mac, e) == 0 && (v->db = state_open(in, e)) != NULL &&
	    db_phone_get(v->db, mac, &v->phone, e) == 0 && explain_view_take(v, e) == 0)
		rc = in->json ? print_json(v, e) : print_screen(v, e);
	db_close(v->db);
	free(v);
	return rc;
}

const struct command command_phone_explain = {
	.name = "phone explain",
	.arguments = "MAC",
	.summary = "Tell on one screen how far a phone is, and the next step and who has to take it",
	.details =
	    "What is wanted for it, what it was offered, has fetched and is connected with; its certificates; its rollout; its "
	    "last events; and what comes next: by the admin, with the command, by who has the phone in front of them, or by "
	    "nobody. What hangs has its likely reason. What a phone is connected with is known where 'phonevpn watch' runs.",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = explain_run,
};
