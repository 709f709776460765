/* SPDX-License-Identifier: ISC */
#include "rollout/plan.h"

#include "common/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHONES_MAX 10000000
#define SECONDS_MAX (366UL * 24 * 3600)
#define DAY_MINUTES (24 * 60)

const char *
plan_what_name(enum plan_what what)
{
	static const char *const names[] = {
		[PLAN_RENEW] = "renew",
		[PLAN_REKEY] = "rekey",
		[PLAN_SETTINGS] = "settings",
	};

	return names[what];
}

void
plan_default(struct plan *p)
{
	*p = (struct plan){
		.what = PLAN_RENEW, .success = PLAN_SUCCESS_DEFAULT, .per_minute = PLAN_PER_MINUTE_DEFAULT
	};
	(void)plan_waves_parse(PLAN_WAVES_DEFAULT, p, NULL);
	(void)plan_share_parse(PLAN_ERRORS_DEFAULT, "errors", &p->errors, NULL);
	(void)text_duration(PLAN_SOAK_DEFAULT, SECONDS_MAX, "soak", &p->soak, NULL);
	(void)text_duration(PLAN_DEADLINE_DEFAULT, SECONDS_MAX, "deadline", &p->deadline, NULL);
}

/* ---- parts of it ---- */

int
plan_share_parse(const char *s, const char *what, struct plan_share *ret, struct err *e)
{
	size_t len = strlen(s);
	char digits[16];

	ret->is_percent = len > 0 && s[len - 1] == '%';
	if (ret->is_percent)
		len--;
	if (len >= sizeof(digits))
		return err_set(e, ERR_USAGE, "%s: expected a number of phones, or a percentage, found \"%s\"", what, s);
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (text_number(digits, 0, ret->is_percent ? 100 : PHONES_MAX, what, &ret->number, e) != 0)
		return err_usage(e);
	return 0;
}

int
plan_waves_parse(const char *s, struct plan *ret, struct err *e)
{
	char text[512], *rest = text;

	ret->wave_count = 0;
	if (text_copy(text, sizeof(text), s, "waves", e) != 0)
		return err_usage(e);
	while (rest != NULL) {
		struct plan_share *w = &ret->waves[ret->wave_count];

		/* One more for what is left over, and one for canaries. */
		if (ret->wave_count == DB_WAVES_MAX - 2)
			return err_set(e, ERR_USAGE, "waves: expected at most %d, found more", DB_WAVES_MAX - 2);
		if (plan_share_parse(strsep(&rest, ","), "waves", w, e) != 0)
			return -1;
		if (w->number == 0)
			return err_set(e, ERR_USAGE, "waves: expected a phone or more in each, found none");
		ret->wave_count++;
	}
	return 0;
}

/* Minutes of the day of "HH:MM", at most 24:00; -1 when it is none. */
static int
minute_parse(const char *s)
{
	static const char form[] = "00:00";
	int hour, minute;

	for (size_t i = 0; i < strlen(form); i++) {
		if (form[i] == ':' ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return -1;
	}
	hour = (s[0] - '0') * 10 + (s[1] - '0');
	minute = (s[3] - '0') * 10 + (s[4] - '0');
	return minute < 60 && hour * 60 + minute <= DAY_MINUTES ? hour * 60 + minute : -1;
}

int
plan_quiet_parse(const char *s, struct plan *ret, struct err *e)
{
	const size_t length = strlen("08:00-18:00");
	int from = -1, until = -1;

	if (strlen(s) == length && s[length / 2] == '-') {
		from = minute_parse(s);
		until = minute_parse(s + length / 2 + 1);
	}
	if (from < 0 || from == DAY_MINUTES || until < 0)
		return err_set(e, ERR_USAGE, "quiet: expected hours such as 08:00-18:00, found \"%s\"", s);
	if (from == until % DAY_MINUTES)
		return err_set(e, ERR_USAGE, "quiet: expected hours that leave some of the day, found \"%s\"", s);
	ret->has_quiet = true;
	ret->quiet_from = from;
	ret->quiet_until = until % DAY_MINUTES;
	return 0;
}

void
plan_share_text(const struct plan_share *s, char ret[PLAN_SHARE_SIZE])
{
	(void)snprintf(ret, PLAN_SHARE_SIZE, "%lu%s", s->number, s->is_percent ? "%" : "");
}

size_t
plan_share_of(const struct plan_share *s, size_t count, bool up)
{
	if (!s->is_percent)
		return s->number < count ? s->number : count;
	return (count * s->number + (up ? 99 : 0)) / 100;
}

size_t
plan_waves(const struct plan *p, size_t count, size_t canaries, size_t ret_sizes[DB_WAVES_MAX])
{
	size_t left = count - canaries, waves = 0;

	if (canaries > 0)
		ret_sizes[waves++] = canaries;
	for (size_t i = 0; i < p->wave_count && left > 0; i++) {
		size_t size = plan_share_of(&p->waves[i], count, true);

		ret_sizes[waves] = size < left ? size : left;
		left -= ret_sizes[waves++];
	}
	if (left > 0)
		ret_sizes[waves++] = left;
	return waves;
}

/* Minutes by the clock on the wall until the quiet hours end that when is in; 0 when it is in none. */
static int
quiet_left(const struct plan *p, time_t when)
{
	struct tm tm;
	int minute;
	bool is_in;

	if (!p->has_quiet || localtime_r(&when, &tm) == NULL)
		return 0;
	minute = tm.tm_hour * 60 + tm.tm_min;
	is_in = p->quiet_from < p->quiet_until ? minute >= p->quiet_from && minute < p->quiet_until
	                                       : minute >= p->quiet_from || minute < p->quiet_until;
	return is_in ? (p->quiet_until - minute + DAY_MINUTES) % DAY_MINUTES : 0;
}

/* Not by mktime(), which takes one or the other of an hour that there is twice, by what it was asked before. */
time_t
plan_quiet_end(const struct plan *p, time_t now)
{
	time_t end = now - now % 60;
	int left = quiet_left(p, now);

	if (left == 0)
		return 0;
	/* Again where the clock was put back on the way. */
	for (; left > 0; left = quiet_left(p, end))
		end += (time_t)left * 60;
	/* And where it was put forward, they were over before. */
	while (end - 60 > now && quiet_left(p, end - 60) == 0)
		end -= 60;
	return end;
}

/* ---- the text ---- */

static json_t *
waves_json(const struct plan *p)
{
	json_t *list = json_array();
	char text[PLAN_SHARE_SIZE];

	for (size_t i = 0; i < p->wave_count; i++) {
		plan_share_text(&p->waves[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

int
plan_write(const struct plan *p, char ret[DB_ROLLOUT_PLAN_SIZE], struct err *e)
{
	char errors[PLAN_SHARE_SIZE], quiet[32] = "", *text;
	json_t *o;
	int rc;

	plan_share_text(&p->errors, errors);
	if (p->has_quiet)
		(void)snprintf(quiet, sizeof(quiet), "%02d:%02d-%02d:%02d", p->quiet_from / 60, p->quiet_from % 60,
		    p->quiet_until / 60, p->quiet_until % 60);
	o = json_pack("{s:s,s:o,s:I,s:s,s:I,s:I,s:I,s:s*,s:s*,s:s*}", "what", plan_what_name(p->what), "waves",
	    waves_json(p), "success", (json_int_t)p->success, "errors", errors, "soak", (json_int_t)p->soak,
	    "per_minute", (json_int_t)p->per_minute, "deadline", (json_int_t)p->deadline, "quiet",
	    p->has_quiet ? quiet : NULL, "ca", p->ca[0] != '\0' ? p->ca : NULL, "server",
	    p->server[0] != '\0' ? p->server : NULL);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return err_set(e, ERR_FAILED, "plan: no memory");
	rc = text_copy(ret, DB_ROLLOUT_PLAN_SIZE, text, "plan", e);
	free(text);
	return rc;
}

static int
what_parse(const char *s, enum plan_what *ret)
{
	for (*ret = PLAN_RENEW; *ret <= PLAN_SETTINGS; (*ret)++) {
		if (strcmp(s, plan_what_name(*ret)) == 0)
			return 0;
	}
	return -1;
}

static int
waves_read(const json_t *list, struct plan *ret, struct err *e)
{
	size_t count = json_array_size(list);

	/* As plan_waves_parse(). */
	if (count == 0 || count > DB_WAVES_MAX - 2)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s == NULL || plan_share_parse(s, "waves", &ret->waves[i], e) != 0)
			return -1;
	}
	ret->wave_count = count;
	return 0;
}

static int
object_read(json_t *o, struct plan *ret, struct err *e)
{
	json_int_t success, soak, per_minute, deadline;
	const char *what, *errors, *quiet = NULL, *ca = "", *server = "";
	json_t *waves;

	*ret = (struct plan){ .what = PLAN_RENEW };
	if (json_unpack(o, "{s:s,s:o,s:I,s:s,s:I,s:I,s:I,s?s,s?s,s?s}", "what", &what, "waves", &waves, "success",
		&success, "errors", &errors, "soak", &soak, "per_minute", &per_minute, "deadline", &deadline, "quiet",
		&quiet, "ca", &ca, "server", &server) != 0)
		return -1;
	if (success < 0 || success > 100 || soak < 0 || per_minute < 0 || deadline < 0)
		return -1;
	ret->success = (unsigned long)success;
	ret->soak = (unsigned long)soak;
	ret->per_minute = (unsigned long)per_minute;
	ret->deadline = (unsigned long)deadline;
	if (what_parse(what, &ret->what) != 0 || waves_read(waves, ret, e) != 0 ||
	    plan_share_parse(errors, "errors", &ret->errors, e) != 0 ||
	    (quiet != NULL && plan_quiet_parse(quiet, ret, e) != 0))
		return -1;
	return text_copy(ret->ca, sizeof(ret->ca), ca, "ca", e) == 0
	           ? text_copy(ret->server, sizeof(ret->server), server, "server", e)
	           : -1;
}

int
plan_read(const char *text, struct plan *ret, struct err *e)
{
	json_t *o = json_loads(text, 0, NULL);
	int rc = o != NULL ? object_read(o, ret, e) : -1;

	json_decref(o);
	return rc == 0
	           ? 0
	           : err_set(e, ERR_INTEGRITY, "plan: expected one that phonevpn has written, found \"%.200s\"", text);
}
