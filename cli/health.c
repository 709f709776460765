/* SPDX-License-Identifier: ISC */
#include "ca/cert.h"
#include "cli/commands.h"
#include "cli/phone_report.h"
#include "cli/rollout_health.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/text.h"
#include "db/authority.h"
#include "db/tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OPT_WARN,
	OPT_CRITICAL,
	OPT_UNSEEN,
};

#define WARN_DAYS 30
#define CRITICAL_DAYS 7
#define DAYS_MAX 36500
#define DAY ((time_t)24 * 3600)
#define TEXT_MAX (1 << 16)

static const struct option_def options[] = {
	[OPT_WARN] = { "warn", "DAYS", "warn when something ends within so many days (30)" },
	[OPT_CRITICAL] = { "critical", "DAYS", "critical when it ends within so many days, or has ended (7)" },
	[OPT_UNSEEN] = { "unseen", "DAYS", "warn of phones that were not on the VPN for so many days" },
	OPTION_END,
};

/* Statuses of a monitoring plugin: Monitoring Plugins Development Guidelines, section "Plugin Return Codes". */
enum level {
	LEVEL_OK,
	LEVEL_WARNING,
	LEVEL_CRITICAL,
	LEVEL_UNKNOWN,
};

static const char *const level_names[] = { "ok", "warning", "critical", "unknown" };
static const char *const level_shouts[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

struct health {
	time_t now;
	unsigned long warn, critical, unseen; /* days; unseen 0: not asked for */
	enum level worst;
	struct buf problems[LEVEL_UNKNOWN]; /* a line each, by level */
	struct buf summary, data;
	json_t *findings, *ends, *weeks, *rollouts;
	size_t phones[STAND_REVOKED + 1], held;
	size_t running, paused, stalled; /* rollouts */
	size_t ending[DB_TALLY_LIMITS];
	time_t first_end;
};

__attribute__((format(printf, 4, 5))) static void
find(struct health *h, enum level level, const char *what, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text != NULL) {
		/* It separates the performance data. */
		for (char *bar = strchr(text, '|'); bar != NULL; bar = strchr(bar, '|'))
			*bar = '/';
		buf_addf(&h->problems[level], "%s\n", text);
		(void)json_array_append_new(h->findings,
		    json_pack("{s:s,s:s,s:s}", "what", what, "level", level_names[level], "text", text));
	}
	free(text);
	if (level > h->worst)
		h->worst = level;
}

/* Whole days from now on; negative when it is over. */
static long
days_until(const struct health *h, time_t end)
{
	time_t left = end - h->now;

	return (long)(left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY));
}

static enum level
level_of(const struct health *h, time_t end)
{
	if (end < h->now + (time_t)h->critical * DAY)
		return LEVEL_CRITICAL;
	return end < h->now + (time_t)h->warn * DAY ? LEVEL_WARNING : LEVEL_OK;
}

/* Something of this name ends; then it is said what that does, and what to do. */
static void
end_judge(struct health *h, const char *kind, const char *name, time_t end, enum level level, const char *what_then)
{
	char at[TEXT_TIME_SIZE];
	long days = days_until(h, end);

	text_time(end, at);
	(void)json_array_append_new(h->ends,
	    json_pack("{s:s,s:s,s:s,s:I}", "what", kind, "name", name, "at", at, "days", (json_int_t)days));
	if (level == LEVEL_OK)
		return;
	if (days < 0)
		find(h, level, kind, "the %s of %s ended at %s: %s", kind, name, at, what_then);
	else
		find(h, level, kind, "the %s of %s ends in %ld day%s, at %s: %s", kind, name, days,
		    days == 1 ? "" : "s", at, what_then);
}

static void
data_add(struct health *h, const char *name, long value)
{
	buf_addf(&h->data, " %s=%ld", name, value);
}

/* With its limits, below which it is bad. */
static void
data_add_days(struct health *h, const char *name, time_t end)
{
	buf_addf(&h->data, " %s=%ld;%lu:;%lu:", name, days_until(h, end), h->warn, h->critical);
}

/* ---- what all phones depend on ---- */

/*
 * It is renewed at half its life, by "serve" or a timer, so that the limits of the others would come too late for a short
 * one and never tell that nobody renews it.
 */
static enum level
crl_level(const struct health *h, const struct db_authority *a)
{
	time_t life = a->crl_next_update - a->crl_this_update, left = a->crl_next_update - h->now;

	if (left < life / 10)
		return LEVEL_CRITICAL;
	return left < life * 2 / 5 ? LEVEL_WARNING : level_of(h, a->crl_next_update);
}

/* What it does when the CA's certificate ends, by what the CA is for. */
static const char *
ca_end_does(enum db_role role)
{
	if (role == DB_ROLE_NEXT)
		return "it serves no phone yet; 'phonevpn ca drop' gives it up";
	if (role == DB_ROLE_FORMER)
		return "phones with its certificates do not connect after that; 'phonevpn mint --all', and 'phonevpn ca "
		       "drop' in the end";
	return "no phone connects after that; 'phonevpn ca add' begins the change to another CA";
}

static int
authority_judge(struct health *h, const struct db_authority *a, struct err *e)
{
	X509 *cert = ca_cert_decode(a->cert.data, a->cert.len, e);
	time_t from = 0, to = 0;
	int rc = cert != NULL ? ca_cert_validity(cert, &from, &to, e) : -1;

	X509_free(cert);
	if (rc != 0)
		return err_prefix(e, "%s", a->name);
	end_judge(h, "CA certificate", a->name, to, level_of(h, to), ca_end_does(a->role));
	end_judge(h, "CRL", a->name, a->crl_next_update, crl_level(h, a),
	    "the OpenVPN server lets nobody in after that; 'phonevpn crl' and 'phonevpn emit server' renew it");
	return 0;
}

static int
authorities_judge(struct health *h, struct db *db, struct err *e)
{
	struct db_authority *all = NULL;
	time_t first = 0;
	size_t count = 0;
	int rc = 0;

	if (db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = authority_judge(h, &all[i], e);
		if (i == 0 || all[i].crl_next_update < first)
			first = all[i].crl_next_update;
	}
	if (rc == 0 && count > 0)
		data_add_days(h, "crl_days", first);
	db_authority_free(all, count);
	return rc;
}

static int
server_judge(struct health *h, struct db *db, struct err *e)
{
	struct db_certificate c;

	if (db_certificate_server(db, &c, e) != 0)
		return -1;
	if (c.revoked != 0)
		find(h, LEVEL_CRITICAL, "server certificate",
		    "the server certificate of %s is revoked; 'phonevpn server renew'", c.name);
	end_judge(h, "server certificate", c.name, c.not_after, level_of(h, c.not_after),
	    "no phone connects after that; 'phonevpn server renew', then 'phonevpn emit server'");
	data_add_days(h, "server_days", c.not_after);
	return 0;
}

/* ---- the phones ---- */

static int
phones_add(const struct db_phone_tally *t, void *arg, struct err *e)
{
	struct health *h = arg;
	enum phone_stand stand = phone_stand(&t->phone, NULL);

	(void)e;
	h->phones[stand] += t->phones;
	if (stand == STAND_MINTED)
		h->held += t->held;
	if (stand != STAND_OFFERED && stand != STAND_MINTED)
		return 0;
	for (size_t i = 0; i < DB_TALLY_LIMITS; i++)
		h->ending[i] += t->ending[i];
	if (t->first_end != 0 && (h->first_end == 0 || t->first_end < h->first_end))
		h->first_end = t->first_end;
	return 0;
}

static void
phones_find(struct health *h, enum level level, size_t count, const char *one, const char *several, unsigned long days)
{
	char within[40] = "";

	if (count == 0)
		return;
	if (days > 0)
		(void)snprintf(within, sizeof(within), " within %lu days", days);
	find(h, level, "phone certificates", "the certificate%s of %zu phone%s %s%s; 'phonevpn mint' renews",
	    count == 1 ? "" : "s", count, count == 1 ? "" : "s", count == 1 ? one : several, within);
}

static int
phones_judge(struct health *h, struct db *db, struct err *e)
{
	const time_t limits[DB_TALLY_LIMITS] = { h->now, h->now + (time_t)h->critical * DAY,
		h->now + (time_t)h->warn * DAY };
	size_t left;

	if (db_phone_tally_each(db, limits, phones_add, h, e) != 0)
		return -1;
	phones_find(h, LEVEL_CRITICAL, h->ending[0], "has ended", "have ended", 0);
	phones_find(h, LEVEL_CRITICAL, h->ending[1] - h->ending[0], "ends", "end", h->critical);
	phones_find(h, LEVEL_WARNING, h->ending[2] - h->ending[1], "ends", "end", h->warn);
	/* What a rollout holds back, or has taken back, is as somebody wants it. */
	left = h->phones[STAND_MINTED] - h->held;
	if (left > 0)
		find(h, LEVEL_WARNING, "offers",
		    "%zu phone%s minted and not offered the newest; 'phonevpn mint' goes on", left,
		    left == 1 ? " is" : "s are");
	if (h->first_end != 0)
		data_add_days(h, "phone_days", h->first_end);
	data_add(h, "phones_ended", (long)h->ending[0]);
	return 0;
}

static int
week_add(const struct db_end_week *w, void *arg, struct err *e)
{
	char monday[TEXT_TIME_SIZE];

	(void)e;
	text_time(w->monday, monday);
	monday[strlen("YYYY-MM-DD")] = '\0';
	(void)json_array_append_new(arg, json_pack("{s:s,s:I}", "monday", monday, "phones", (json_int_t)w->phones));
	return 0;
}

static int
sessions_judge(struct health *h, struct db *db, struct err *e)
{
	struct db_seen_tally t;

	if (db_seen_tally(db, h->now - (time_t)h->unseen * DAY, &t, e) != 0)
		return -1;
	buf_addf(&h->summary, "%zu phone%s offered a bundle, %zu on the VPN", t.offered,
	    t.offered == 1 ? " is" : "s are", t.on);
	data_add(h, "phones", (long)t.offered);
	data_add(h, "on_vpn", (long)t.on);
	data_add(h, "never_on_vpn", (long)t.never);
	if (h->unseen == 0)
		return 0;
	data_add(h, "unseen", (long)t.unseen);
	if (t.unseen > 0)
		find(h, LEVEL_WARNING, "unseen",
		    "%zu phone%s not on the VPN for %lu days, as far as 'phonevpn watch' has seen", t.unseen,
		    t.unseen == 1 ? " was" : "s were", h->unseen);
	return 0;
}

/* ---- rollouts ---- */

static int
rollout_judge(const struct db_rollout *r, const struct rollout_condition *c, void *arg, struct err *e)
{
	struct health *h = arg;
	char text[ROLLOUT_CONDITION_SIZE];

	h->running += r->state == DB_ROLLOUT_RUNNING;
	h->paused += r->state == DB_ROLLOUT_PAUSED;
	h->stalled += c->stand == ROLLOUT_UNMOVED || c->stand == ROLLOUT_STILL;
	if (c->stand != ROLLOUT_MOVES)
		find(h, LEVEL_WARNING, "rollout", "%s", rollout_condition_text(r, c, text));
	if (json_array_append_new(h->rollouts, rollout_condition_json(r, c)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
rollouts_judge(struct health *h, struct db *db, struct err *e)
{
	if (rollout_condition_each(db, h->now, rollout_judge, h, e) != 0)
		return -1;
	data_add(h, "rollouts_running", (long)h->running);
	data_add(h, "rollouts_paused", (long)h->paused);
	data_add(h, "rollouts_stalled", (long)h->stalled);
	return 0;
}

/* ---- the command ---- */

static int
judge(struct health *h, struct db *db, struct err *e)
{
	return sessions_judge(h, db, e) == 0 && authorities_judge(h, db, e) == 0 && server_judge(h, db, e) == 0 &&
	               phones_judge(h, db, e) == 0 && rollouts_judge(h, db, e) == 0 &&
	               db_end_week_each(db, week_add, h->weeks, e) == 0
	           ? 0
	           : -1;
}

/* The worst first: a pager shows the first line alone. */
static void
print_text(const struct health *h)
{
	struct buf lines = BUF_INIT(TEXT_MAX);
	const char *rest;

	for (int level = LEVEL_CRITICAL; level > LEVEL_OK; level--)
		buf_add(&lines, h->problems[level].data, h->problems[level].len);
	rest = buf_string(&lines);
	if (lines.len == 0)
		(void)printf("PHONEVPN OK - %s |%s\n", buf_string(&h->summary), buf_string(&h->data));
	else
		(void)printf("PHONEVPN %s - %.*s |%s\n%s", level_shouts[h->worst], (int)strcspn(rest, "\n"), rest,
		    buf_string(&h->data), rest + strcspn(rest, "\n") + 1);
	buf_release(&lines);
}

static int
print_json(struct health *h, struct err *e)
{
	json_t *phones = json_object();

	for (enum phone_stand i = STAND_TURNED_DOWN; i <= STAND_REVOKED; i++)
		(void)json_object_set_new(phones, phone_stand_name(i), json_integer((json_int_t)h->phones[i]));
	return command_print_json(json_pack("{s:s,s:O,s:O,s:o,s:O,s:O}", "level", level_names[h->worst], "findings",
				      h->findings, "ends", h->ends, "phones", phones, "phones_end_in_week_of", h->weeks,
				      "rollouts", h->rollouts),
	    e);
}

static int
days_parse(const struct invocation *in, struct health *h, struct err *e)
{
	if (command_number(in->option[OPT_WARN], 0, DAYS_MAX, "warn", &h->warn, e) != 0 ||
	    command_number(in->option[OPT_CRITICAL], 0, DAYS_MAX, "critical", &h->critical, e) != 0 ||
	    command_number(in->option[OPT_UNSEEN], 1, DAYS_MAX, "unseen", &h->unseen, e) != 0)
		return -1;
	if (h->critical > h->warn)
		return err_set(e, ERR_USAGE, "--critical: expected at most --warn's %lu days, found %lu", h->warn,
		    h->critical);
	return 0;
}

/* What keeps it from being told is for the pager as well. */
static int
unknown(const struct invocation *in, const struct err *e)
{
	if (in->json)
		(void)command_print_json(json_pack("{s:s,s:s}", "level", level_names[LEVEL_UNKNOWN], "error", e->text),
		    NULL);
	else
		(void)printf("PHONEVPN UNKNOWN - %s\n", e->text);
	return LEVEL_UNKNOWN;
}

static int
health_run(const struct invocation *in, struct err *e)
{
	struct health h = { .now = time(NULL), .warn = WARN_DAYS, .critical = CRITICAL_DAYS };
	struct db *db = NULL;
	int rc;

	for (size_t i = 0; i < LEVEL_UNKNOWN; i++)
		h.problems[i] = (struct buf)BUF_INIT(TEXT_MAX);
	h.summary = h.data = (struct buf)BUF_INIT(TEXT_MAX);
	h.findings = json_array();
	h.ends = json_array();
	h.weeks = json_array();
	h.rollouts = json_array();
	rc = days_parse(in, &h, e);
	if (rc == 0) {
		db = state_open(in, e);
		rc = db != NULL ? judge(&h, db, e) : -1;
	}
	if (rc == 0 && in->json)
		rc = print_json(&h, e);
	else if (rc == 0)
		print_text(&h);
	rc = rc == 0 ? (int)h.worst : unknown(in, e);
	for (size_t i = 0; i < LEVEL_UNKNOWN; i++)
		buf_release(&h.problems[i]);
	buf_release(&h.summary);
	buf_release(&h.data);
	json_decref(h.findings);
	json_decref(h.ends);
	json_decref(h.weeks);
	json_decref(h.rollouts);
	db_close(db);
	return rc;
}

const struct command command_health = {
	.name = "health",
	.summary = "Say what ends when, as a monitoring plugin (Nagios, Icinga)",
	.details =
	    "One line with the worst of it and performance data, further lines for what else is wrong, and the exit status of "
	    "a plugin instead of phonevpn's own: 0 OK, 1 warning, 2 critical, 3 unknown, also for a state that cannot be "
	    "read. A CRL is renewed when half its life is over: it is a warning when no more than two fifths are left, and "
	    "critical with a tenth, as nobody seems to renew it. A rollout that is paused is a warning, and so is one "
	    "that nothing moves on, or that waits for longer than its phones' deadline. Who is on the VPN is known where 'phonevpn watch' runs.",
	.options = options,
	.run = health_run,
};
