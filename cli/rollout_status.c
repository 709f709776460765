/* SPDX-License-Identifier: ISC */
#include "cli/ca.h"
#include "cli/commands.h"
#include "cli/state.h"
#include "common/process.h"
#include "common/table.h"
#include "common/text.h"
#include "rollout/decide.h"
#include "rollout/member.h"
#include "rollout/stage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FOLLOW_MS 1000
#define FAILED_SHOWN 20

enum {
	OPT_FOLLOW,
	OPT_PHONES,
};

static const struct option_def options[] = {
	[OPT_FOLLOW] = { "follow", NULL, "a line for each change, until the rollout is over" },
	[OPT_PHONES] = { "phones", NULL, "every phone, and not those only that failed" },
	OPTION_END,
};

struct status {
	const struct invocation *in;
	struct db_rollout rollout;
	struct plan plan;
	struct db_rollout_tally tally;
	struct decision next;    /* of one that is running */
	const char *server_step; /* what the OpenVPN server needs next, or "" */
	size_t shown;
	json_t *phones;
};

static int
status_read(struct db *db, const char *name, struct status *s, struct err *e)
{
	struct settings settings;

	if (db_rollout_get(db, name, &s->rollout, e) != 0 || plan_read(s->rollout.plan, &s->plan, e) != 0 ||
	    db_rollout_tally(db, s->rollout.id, &s->tally, e) != 0)
		return -1;
	s->next = (struct decision){ .what = DECIDE_WAIT };
	s->server_step = "";
	if (s->rollout.state == DB_ROLLOUT_RUNNING && !stage_has_waves((enum stage)s->rollout.stage)) {
		if (settings_load(db, &settings, e) != 0)
			return -1;
		s->server_step = ca_server_step(&settings);
	}
	if (s->rollout.state == DB_ROLLOUT_RUNNING)
		decide(&s->plan, &s->rollout, &s->tally, time(NULL), &s->next);
	return 0;
}

/* What it is waiting for, or why it stands. */
static const char *
status_why(const struct status *s)
{
	if (s->rollout.state == DB_ROLLOUT_PAUSED)
		return s->rollout.why;
	if (s->rollout.state != DB_ROLLOUT_RUNNING)
		return "";
	return s->next.what == DECIDE_WAIT ? s->next.why : "its next step";
}

/* ---- as JSON ---- */

static int
phone_json(const struct db_member *m, void *arg, struct err *e)
{
	struct status *s = arg;
	enum member_why why = (enum member_why)m->why;
	char since[TEXT_TIME_SIZE];

	text_time(m->since, since);
	if (json_array_append_new(s->phones,
		json_pack("{s:s,s:i,s:s,s:s,s:I,s:I,s:s?,s:s?,s:b}", "mac", m->mac, "wave", m->wave, "state",
		    db_member_state_name(m->state), "since", since, "generation", (json_int_t)m->target, "former",
		    (json_int_t)m->former, "why", why != MEMBER_FINE ? member_why_name(why) : NULL, "text",
		    why != MEMBER_FINE ? member_why_text(why) : NULL, "forced", m->forced)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static json_t *
tally_json(const size_t n[DB_MEMBER_ROLLED_BACK + 1])
{
	json_t *o = json_object();

	for (enum db_member_state i = DB_MEMBER_WAITING; i <= DB_MEMBER_ROLLED_BACK; i++)
		(void)json_object_set_new(o, db_member_state_name(i), json_integer((json_int_t)n[i]));
	return o;
}

static int
print_json(struct db *db, struct status *s, struct err *e)
{
	const struct db_member_filter filter = { .rollout = s->rollout.id,
		.state = s->in->option[OPT_PHONES] != NULL ? 0 : DB_MEMBER_FAILED };
	json_t *waves = json_array();
	const char *why = status_why(s);
	char until[TEXT_TIME_SIZE];

	text_time(s->next.until, until);
	for (int i = 1; i <= s->tally.waves; i++)
		(void)json_array_append_new(waves, tally_json(s->tally.phones[i]));
	s->phones = json_array();
	if (db_member_each(db, &filter, phone_json, s, e) != 0) {
		json_decref(waves);
		json_decref(s->phones);
		return -1;
	}
	return command_print_json(json_pack("{s:s,s:s,s:s?,s:s?,s:s?,s:s?,s:i,s:o,s:o,s:o,s:o}", "name",
				      s->rollout.name, "state", db_rollout_state_name(s->rollout.state), "why",
				      why[0] != '\0' ? why : NULL, "until", s->next.until != 0 ? until : NULL, "stage",
				      s->rollout.stage != STAGE_NONE ? stage_name((enum stage)s->rollout.stage) : NULL,
				      "server_step", s->server_step[0] != '\0' ? s->server_step : NULL, "wave",
				      s->rollout.wave, "plan", json_loads(s->rollout.plan, 0, NULL), "all",
				      tally_json(s->tally.phones[0]), "waves", waves,
				      s->in->option[OPT_PHONES] != NULL ? "phones" : "failed", s->phones),
	    e);
}

/* ---- as text ---- */

static int
waves_print(const struct status *s, struct err *e)
{
	static const char *const headings[] = { "WAVE", "PHONES", "WAITING", "OFFERED", "SETTLED", "FAILED",
		"TAKEN OUT", "ROLLED BACK" };
	struct table *t = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	int rc;

	if (t == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	for (int i = 1; i <= s->tally.waves; i++) {
		char cell[DB_MEMBER_ROLLED_BACK + 2][24];
		const char *cells[DB_MEMBER_ROLLED_BACK + 2];
		size_t all = 0;

		for (enum db_member_state state = DB_MEMBER_WAITING; state <= DB_MEMBER_ROLLED_BACK; state++) {
			all += s->tally.phones[i][state];
			(void)snprintf(cell[state + 1], sizeof(cell[0]), "%zu", s->tally.phones[i][state]);
			cells[state + 1] = cell[state + 1];
		}
		(void)snprintf(cell[0], sizeof(cell[0]), "%d%s", i, i == s->rollout.wave ? " <" : "");
		(void)snprintf(cell[1], sizeof(cell[1]), "%zu", all);
		cells[0] = cell[0];
		cells[1] = cell[1];
		table_row(t, cells);
	}
	rc = table_print(t, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
	table_free(t);
	return rc;
}

static int
phone_print(const struct db_member *m, void *arg, struct err *e)
{
	struct status *s = arg;
	enum member_why why = (enum member_why)m->why;
	const bool all = s->in->option[OPT_PHONES] != NULL;

	(void)e;
	if (all || s->shown++ < FAILED_SHOWN)
		(void)printf("%s: wave %d, %s%s%s\n", m->mac, m->wave, db_member_state_name(m->state),
		    why != MEMBER_FINE ? ": " : "", why != MEMBER_FINE ? member_why_text(why) : "");
	return 0;
}

static int
print_text(struct db *db, struct status *s, struct err *e)
{
	const struct db_member_filter filter = { .rollout = s->rollout.id,
		.state = s->in->option[OPT_PHONES] != NULL ? 0 : DB_MEMBER_FAILED };
	const char *why = status_why(s);

	(void)printf("%s: %s%s%s\n", s->rollout.name, db_rollout_state_name(s->rollout.state),
	    why[0] == '\0'                          ? ""
	    : s->rollout.state == DB_ROLLOUT_PAUSED ? ": "
						    : ", waits for ",
	    why);
	if (s->rollout.stage != STAGE_NONE)
		(void)printf("stage %d of %d, %s%s%s\n", s->rollout.stage, STAGE_LAST,
		    stage_name((enum stage)s->rollout.stage), stage_has_waves((enum stage)s->rollout.stage) ? ": " : "",
		    stage_has_waves((enum stage)s->rollout.stage) ? stage_text((enum stage)s->rollout.stage) : "");
	if (s->server_step[0] != '\0')
		(void)printf(
		    "%s; a call through the tunnel ends with it\nOpenVPN does not start when its certificate and its "
		    "key do not belong together, or two CAs have one name\n",
		    s->server_step);
	if (waves_print(s, e) != 0 || db_member_each(db, &filter, phone_print, s, e) != 0)
		return -1;
	if (s->shown > FAILED_SHOWN)
		(void)printf("and %zu more that failed; --json has them all\n", s->shown - FAILED_SHOWN);
	return 0;
}

/* ---- following ---- */

static void
line_of(const struct status *s, char *out, size_t size)
{
	const size_t *n = s->tally.phones[0];
	const char *why = status_why(s);

	(void)snprintf(out, size, "%s%s%s, wave %d of %d: %zu waiting, %zu offered, %zu settled, %zu failed%s%s",
	    db_rollout_state_name(s->rollout.state), s->rollout.stage != STAGE_NONE ? ", stage " : "",
	    s->rollout.stage != STAGE_NONE ? stage_name((enum stage)s->rollout.stage) : "", s->rollout.wave,
	    s->tally.waves, n[DB_MEMBER_WAITING], n[DB_MEMBER_OFFERED], n[DB_MEMBER_SETTLED], n[DB_MEMBER_FAILED],
	    why[0] != '\0' ? "; " : "", why);
}

static int
line_print(const struct status *s, const char *line, struct err *e)
{
	char now[TEXT_TIME_SIZE];
	int rc = 0;

	text_time(time(NULL), now);
	if (s->in->json)
		rc = command_print_json(json_pack("{s:s,s:s,s:s,s:i,s:o}", "at", now, "name", s->rollout.name, "state",
					    db_rollout_state_name(s->rollout.state), "wave", s->rollout.wave, "all",
					    tally_json(s->tally.phones[0])),
		    e);
	else
		(void)printf("%s %s\n", now, line);
	(void)fflush(stdout);
	return rc;
}

static int
follow(struct status *s, struct err *e)
{
	char line[DB_ROLLOUT_WHY_SIZE + 256], before[sizeof(line)] = "";

	process_stop_block();
	do {
		struct db *db = state_open(s->in, e);
		int rc = db != NULL ? status_read(db, s->in->argv[0], s, e) : -1;

		db_close(db);
		if (rc != 0)
			return -1;
		line_of(s, line, sizeof(line));
		if (strcmp(line, before) != 0 && line_print(s, line, e) != 0)
			return -1;
		memcpy(before, line, sizeof(before));
	} while (s->rollout.state <= DB_ROLLOUT_PAUSED && process_stop_wait_for(FOLLOW_MS) == 0);
	return 0;
}

static int
status_run(const struct invocation *in, struct err *e)
{
	struct status s = { .in = in };
	struct db *db;
	int rc = -1;

	if (in->option[OPT_FOLLOW] != NULL)
		return follow(&s, e);
	db = state_open(in, e);
	if (db != NULL && status_read(db, in->argv[0], &s, e) == 0)
		rc = in->json ? print_json(db, &s, e) : print_text(db, &s, e);
	db_close(db);
	return rc;
}

/* ---- all of them ---- */

struct list {
	struct db *db;
	json_t *array;
	struct table *table;
};

static int
list_add(const struct db_rollout *r, void *arg, struct err *e)
{
	struct list *l = arg;
	struct db_rollout_tally t;
	char created[TEXT_TIME_SIZE], wave[48], settled[48];

	if (db_rollout_tally(l->db, r->id, &t, e) != 0)
		return -1;
	text_time(r->created, created);
	(void)snprintf(wave, sizeof(wave), "%d of %d", r->wave, t.waves);
	(void)snprintf(settled, sizeof(settled), "%zu of %zu", t.phones[0][DB_MEMBER_SETTLED], decide_wave_size(&t, 0));
	if (l->table != NULL)
		table_row(l->table, (const char *[]){ r->name, db_rollout_state_name(r->state), created, wave, settled,
					r->why[0] != '\0' ? r->why : NULL });
	else if (json_array_append_new(l->array,
		     json_pack("{s:s,s:s,s:s,s:i,s:i,s:o,s:s?}", "name", r->name, "state",
			 db_rollout_state_name(r->state), "created", created, "wave", r->wave, "waves", t.waves, "all",
			 tally_json(t.phones[0]), "why", r->why[0] != '\0' ? r->why : NULL)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
list_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "NAME", "STATE", "CREATED", "WAVE", "SETTLED", "WHY" };
	struct list l = { .db = state_open(in, e) };
	int rc = -1;

	l.array = json_array();
	if (!in->json)
		l.table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (l.db != NULL && db_rollout_each(l.db, list_add, &l, e) == 0) {
		if (in->json)
			rc = command_print_json(json_incref(l.array), e);
		else
			rc = table_print(l.table, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
	}
	json_decref(l.array);
	table_free(l.table);
	db_close(l.db);
	return rc;
}

const struct command command_rollout_status = {
	.name = "rollout status",
	.arguments = "NAME",
	.summary = "Show how far a rollout is, what it waits for, and which phones failed and why",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = status_run,
};

const struct command command_rollout_list = {
	.name = "rollout list",
	.summary = "List all rollouts",
	.run = list_run,
};
