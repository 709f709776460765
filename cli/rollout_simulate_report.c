/* SPDX-License-Identifier: ISC */
#include "cli/rollout_simulate.h"
#include "common/table.h"
#include "common/text.h"
#include "rollout/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_SIZE 40
#define START_SIZE 40

static const char *const end_names[] = {
	[SIMULATE_DONE] = "done",
	[SIMULATE_PAUSED] = "paused",
	[SIMULATE_STANDS] = "stands still",
};

static const char *
end_key(enum simulate_end end)
{
	return end == SIMULATE_STANDS ? "stands" : end_names[end];
}

/* "2d 3h 5m"; NULL for what was not reached. */
static const char *
span_text(time_t seconds, char out[SPAN_SIZE])
{
	const long minutes = (long)seconds / 60, hours = minutes / 60, days = hours / 24;

	if (seconds < 0)
		return NULL;
	if (days > 0)
		(void)snprintf(out, SPAN_SIZE, "%ldd %ldh %ldm", days, hours % 24, minutes % 60);
	else if (hours > 0)
		(void)snprintf(out, SPAN_SIZE, "%ldh %ldm", hours, minutes % 60);
	else
		(void)snprintf(out, SPAN_SIZE, "%ldm", minutes);
	return out;
}

static const char *
start_text(const struct simulation_run *s, char out[START_SIZE])
{
	struct tm tm;

	if (localtime_r(&s->start, &tm) == NULL || strftime(out, START_SIZE, "%Y-%m-%dT%H:%M %Z", &tm) == 0)
		out[0] = '\0';
	return out;
}

/* ---- as JSON ---- */

static json_t *
seconds_json(time_t seconds)
{
	return seconds < 0 ? json_null() : json_integer((json_int_t)seconds);
}

static json_t *
percent_json(unsigned long of_a_million)
{
	return json_real((double)of_a_million * 100 / RANDOM_ALL);
}

static json_t *
model_json(const struct simulate_model *m)
{
	return json_pack("{s:I,s:b,s:b,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "asks_every",
	    (json_int_t)m->asks_every, "asks_at_random", m->asks_at_random, "notify", m->notify, "restarts_in",
	    (json_int_t)m->restarts_in, "connects_in", (json_int_t)m->connects_in, "settles_in",
	    (json_int_t)m->settles_in, "off_for", (json_int_t)m->off_for, "off", percent_json(m->off), "never_asks",
	    percent_json(m->never_asks), "never_fetches", percent_json(m->never_fetches), "discards",
	    percent_json(m->discards), "flaps", percent_json(m->flaps), "falls_back", percent_json(m->falls_back),
	    "server_errors", percent_json(m->server_errors));
}

/* What went in; a new reference, or NULL. */
static json_t *
given_json(const struct simulation_run *s, struct err *e)
{
	char plan[DB_ROLLOUT_PLAN_SIZE], start[TEXT_TIME_SIZE];

	if (plan_write(&s->plan, plan, e) != 0)
		return NULL;
	text_time(s->start, start);
	return json_pack("{s:s?,s:I,s:s,s:I,s:o,s:o}", "name", s->in->argc > 0 ? s->rollout.name : NULL, "phones",
	    (json_int_t)s->count, "start", start, "seed", (json_int_t)s->seed, "plan", json_loads(plan, 0, NULL),
	    "model", model_json(&s->model));
}

static json_t *
states_json(const size_t n[DB_MEMBER_ROLLED_BACK + 1])
{
	json_t *o = json_object();

	for (enum db_member_state i = DB_MEMBER_WAITING; i <= DB_MEMBER_DROPPED; i++)
		(void)json_object_set_new(o, db_member_state_name(i), json_integer((json_int_t)n[i]));
	return o;
}

static json_t *
waves_json(const struct simulate_result *r)
{
	json_t *list = json_array();

	for (int i = 1; i <= r->tally.waves; i++) {
		const struct simulate_wave *w = &r->waves[i];

		(void)json_array_append_new(list,
		    json_pack("{s:i,s:o,s:o,s:o,s:o}", "wave", i, "began", seconds_json(w->began), "all_offered",
			seconds_json(w->offered), "succeeded", seconds_json(w->succeeded), "phones",
			states_json(r->tally.phones[i])));
	}
	return list;
}

static json_t *
failed_json(const struct simulate_result *r)
{
	json_t *o = json_object();

	for (enum member_why i = MEMBER_FINE + 1; i < MEMBER_WHY_COUNT; i++) {
		if (r->failed[i] > 0)
			(void)json_object_set_new(o, member_why_name(i), json_integer((json_int_t)r->failed[i]));
	}
	return o;
}

static json_t *
peak_json(const struct simulate_peak *p, const char *most)
{
	return json_pack("{s:I,s:I}", "total", (json_int_t)p->total, most, (json_int_t)p->most);
}

static int
print_json(const struct simulation_run *s, const struct simulate_result *r, struct err *e)
{
	json_t *o = given_json(s, e);
	json_t *found = json_pack("{s:s,s:s?,s:I,s:i,s:o,s:o,s:o,s:{s:o,s:o,s:o}}", "end", end_key(r->end), "why",
	    r->end != SIMULATE_DONE ? r->why : NULL, "seconds", (json_int_t)r->took, "wave", r->wave, "waves",
	    waves_json(r), "all", states_json(r->tally.phones[0]), "failed", failed_json(r), "load", "offers",
	    peak_json(&r->offers, "most_a_minute"), "requests", peak_json(&r->requests, "most_a_second"), "sessions",
	    peak_json(&r->sessions, "most_a_second"));

	if (o == NULL || json_object_update(o, found) != 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(found);
	return command_print_json(o, e);
}

/* ---- as text ---- */

static void
wave_row(struct table *t, const struct simulate_result *r, int wave)
{
	const size_t *n = r->tally.phones[wave];
	const struct simulate_wave *w = &r->waves[wave];
	char began[SPAN_SIZE], offered[SPAN_SIZE], succeeded[SPAN_SIZE], cell[5][24];
	const size_t numbers[] = { (size_t)wave,
		n[DB_MEMBER_WAITING] + n[DB_MEMBER_OFFERED] + n[DB_MEMBER_SETTLED] + n[DB_MEMBER_FAILED],
		n[DB_MEMBER_SETTLED], n[DB_MEMBER_FAILED], n[DB_MEMBER_WAITING] + n[DB_MEMBER_OFFERED] };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)snprintf(cell[i], sizeof(cell[i]), "%zu", numbers[i]);
	table_row(t, (const char *[]){ cell[0], cell[1], span_text(w->began, began), span_text(w->offered, offered),
			 span_text(w->succeeded, succeeded), cell[2], cell[3], cell[4] });
}

static int
waves_print(const struct simulate_result *r, struct err *e)
{
	static const char *const headings[] = { "WAVE", "PHONES", "BEGINS", "ALL OFFERED", "SUCCEEDS", "SETTLED",
		"FAILED", "LEFT OVER" };
	struct table *t = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	int rc;

	if (t == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	for (int i = 1; i <= r->tally.waves; i++)
		wave_row(t, r, i);
	rc = table_print(t, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
	table_free(t);
	return rc;
}

static void
end_print(const struct simulation_run *s, const struct simulate_result *r)
{
	const size_t *n = r->tally.phones[0];
	char took[SPAN_SIZE], start[START_SIZE];

	(void)printf("%s after %s, from %s on: settled %zu, failed %zu, left over %zu\n", end_names[r->end],
	    span_text(r->took, took), start_text(s, start), n[DB_MEMBER_SETTLED], n[DB_MEMBER_FAILED],
	    n[DB_MEMBER_WAITING] + n[DB_MEMBER_OFFERED]);
	if (r->end == SIMULATE_PAUSED)
		(void)printf("paused by %s\n", r->why);
	if (r->end == SIMULATE_STANDS)
		(void)printf("it waits for %s\n", r->why[0] != '\0' ? r->why : "nothing");
	for (enum member_why i = MEMBER_FINE + 1; i < MEMBER_WHY_COUNT; i++) {
		if (r->failed[i] > 0)
			(void)printf("failed %zu: %s\n", r->failed[i], member_why_text(i));
	}
}

static int
print_text(const struct simulation_run *s, const struct simulate_result *r, struct err *e)
{
	if (waves_print(r, e) != 0)
		return -1;
	end_print(s, r);
	(void)printf("offers: %zu, at most %zu a minute\n", r->offers.total, r->offers.most);
	(void)printf("requests: %zu, at most %zu a second\n", r->requests.total, r->requests.most);
	(void)printf("new sessions: %zu, at most %zu a second\n", r->sessions.total, r->sessions.most);
	return 0;
}

int
simulate_report(const struct simulation_run *s, const struct simulate_result *result, struct err *e)
{
	return s->in->json ? print_json(s, result, e) : print_text(s, result, e);
}

/* ---- of several runs ---- */

static const unsigned int ranks[] = { 0, 10, 50, 90, 99, 100 };
#define RANKS (sizeof(ranks) / sizeof(ranks[0]))

struct spread {
	size_t ends[SIMULATE_STANDS + 1];
	size_t paused[DB_WAVES_MAX + 1]; /* by the wave under way */
	time_t took[RANKS];              /* of those that are done, if any */
	size_t failed[RANKS];
};

static int
compare_took(const void *left, const void *right)
{
	const struct simulate_outcome *a = left, *b = right;

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return (a->took > b->took) - (a->took < b->took);
}

static int
compare_failed(const void *left, const void *right)
{
	const struct simulate_outcome *a = left, *b = right;

	return (a->failed > b->failed) - (a->failed < b->failed);
}

/* The nearest rank: so many of a hundred are at most that. */
static size_t
rank_of(unsigned int percent, size_t count)
{
	size_t rank = (count * percent + 99) / 100;

	return rank > 0 ? rank - 1 : 0;
}

static void
spread_take(struct simulate_outcome *outcomes, size_t count, struct spread *ret)
{
	*ret = (struct spread){ .ends = { 0 } };
	for (size_t i = 0; i < count; i++) {
		ret->ends[outcomes[i].end]++;
		if (outcomes[i].end == SIMULATE_PAUSED)
			ret->paused[outcomes[i].wave]++;
	}
	qsort(outcomes, count, sizeof(*outcomes), compare_failed);
	for (size_t i = 0; i < RANKS; i++)
		ret->failed[i] = outcomes[rank_of(ranks[i], count)].failed;
	/* Those that are done come first. */
	qsort(outcomes, count, sizeof(*outcomes), compare_took);
	for (size_t i = 0; i < RANKS; i++)
		ret->took[i] = outcomes[rank_of(ranks[i], ret->ends[SIMULATE_DONE])].took;
}

static int
spread_json(const struct simulation_run *s, const struct spread *spread, struct err *e)
{
	json_t *o = given_json(s, e), *ends = json_object(), *paused = json_object(), *took = json_object(),
	       *failed = json_object(), *found;
	char key[16];

	for (enum simulate_end i = SIMULATE_DONE; i <= SIMULATE_STANDS; i++)
		(void)json_object_set_new(ends, end_key(i), json_integer((json_int_t)spread->ends[i]));
	for (int i = 0; i <= DB_WAVES_MAX; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		if (spread->paused[i] > 0)
			(void)json_object_set_new(paused, key, json_integer((json_int_t)spread->paused[i]));
	}
	for (size_t i = 0; i < RANKS; i++) {
		(void)snprintf(key, sizeof(key), "p%u", ranks[i]);
		(void)json_object_set_new(took, key, json_integer((json_int_t)spread->took[i]));
		(void)json_object_set_new(failed, key, json_integer((json_int_t)spread->failed[i]));
	}
	found = json_pack("{s:I,s:o,s:o,s:o,s:o}", "runs", (json_int_t)s->runs, "ends", ends, "paused_in_wave", paused,
	    "seconds", spread->ends[SIMULATE_DONE] > 0 ? json_incref(took) : json_null(), "failed", failed);
	json_decref(took);
	if (o == NULL || json_object_update(o, found) != 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(found);
	return command_print_json(o, e);
}

static void
spread_print(const struct simulation_run *s, const struct spread *spread)
{
	static const char *const names[RANKS] = { "least", "10%", "50%", "90%", "99%", "most" };
	char took[SPAN_SIZE];

	(void)printf("done in %zu of %lu runs, paused in %zu, still under way after a year in %zu\n",
	    spread->ends[SIMULATE_DONE], s->runs, spread->ends[SIMULATE_PAUSED], spread->ends[SIMULATE_STANDS]);
	for (int i = 0; i <= DB_WAVES_MAX; i++) {
		if (spread->paused[i] > 0)
			(void)printf("paused in wave %d: %zu\n", i, spread->paused[i]);
	}
	for (size_t i = 0; i < RANKS; i++) {
		const bool any = spread->ends[SIMULATE_DONE] > 0;

		(void)printf("%-5s  done after %s, failed %zu\n", names[i],
		    any ? span_text(spread->took[i], took) : "-", spread->failed[i]);
	}
}

int
simulate_report_runs(const struct simulation_run *s, struct simulate_outcome *outcomes, struct err *e)
{
	struct spread spread;

	spread_take(outcomes, s->runs, &spread);
	if (s->in->json)
		return spread_json(s, &spread, e);
	spread_print(s, &spread);
	return 0;
}
