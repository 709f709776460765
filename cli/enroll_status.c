/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/state.h"
#include "common/table.h"
#include "common/text.h"
#include "db/enroll.h"

#include <stdio.h>
#include <string.h>

static int
close_run(const struct invocation *in, struct err *e)
{
	struct db *db = state_open_writer(in, e);
	int rc = -1;

	if (db != NULL && db_enroll_close(db, e) == 0) {
		rc = 0;
		if (in->json)
			rc = command_print_json(json_pack("{s:b}", "closed", true), e);
		else if (!in->quiet)
			(void)puts("closed: every fetch needs a login");
	}
	db_close(db);
	return rc;
}

/* What there is to tell; the window is all 0 when none is open now. */
struct status {
	struct db_enroll_window window;
	size_t may, enrolled;
	json_t *list; /* or: */
	struct table *table;
};

static int
each_phone(const struct db_phone *p, void *arg, struct err *e)
{
	char when[TEXT_TIME_SIZE], login[TEXT_TIME_SIZE] = "";
	struct status *s = arg;

	if (p->enrolled == 0)
		return 0;
	s->enrolled++;
	text_time(p->enrolled, when);
	if (p->login != 0)
		text_time(p->login, login);
	if (s->table != NULL)
		table_row(s->table,
		    (const char *[]){ p->mac, when, p->enrolled_from, p->login != 0 ? login : "not yet" });
	else if (json_array_append_new(s->list, json_pack("{s:s,s:s,s:s,s:s?}", "mac", p->mac, "when", when, "from",
						    p->enrolled_from, "login", p->login != 0 ? login : NULL)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
collect(struct db *db, struct status *s, struct err *e)
{
	const struct db_phone_filter all = DB_ALL_PHONES;
	struct err mine = ERR_INIT;

	if (db_enroll_window(db, &s->window, &mine) != 0 && mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	if (s->window.until <= time(NULL))
		s->window = (struct db_enroll_window){ .until = 0 };
	else if (db_enroll_count(db, &s->may, e) != 0)
		return -1;
	return db_phone_each(db, &all, each_phone, s, e);
}

static int
print_json(const struct status *s, struct err *e)
{
	const struct db_enroll_window *w = &s->window;
	char opened[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
	json_t *window = json_null();

	text_time(w->opened, opened);
	text_time(w->until, until);
	if (w->until != 0)
		window = json_pack("{s:s,s:s,s:s,s:b}", "opened", opened, "until", until, "networks", w->networks,
		    "named", w->named);
	return command_print_json(json_pack("{s:o,s:I,s:O}", "window", window, "may_enroll", (json_int_t)s->may,
				      "enrolled", s->list),
	    e);
}

static int
print_text(const struct invocation *in, const struct status *s, struct err *e)
{
	const struct db_enroll_window *w = &s->window;
	char until[TEXT_TIME_SIZE];

	text_time(w->until, until);
	if (w->until != 0)
		(void)printf("open until %s for %s: %zu %sphone%s may enroll\n", until, w->networks, s->may,
		    w->named ? "named " : "", s->may == 1 ? "" : "s");
	else
		(void)puts("closed");
	if (s->enrolled == 0 || in->quiet)
		return 0;
	(void)puts("");
	return table_print(s->table, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
}

static int
status_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "ENROLLED", "WHEN", "FROM", "FIRST LOGIN" };
	struct status s = { .may = 0 };
	struct db *db = NULL;
	int rc = -1;

	s.list = in->json ? json_array() : NULL;
	s.table = in->json ? NULL : table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (s.list == NULL && s.table == NULL) {
		(void)err_set(e, ERR_FAILED, "enroll status: no memory");
		goto out;
	}
	db = state_open(in, e);
	if (db != NULL && collect(db, &s, e) == 0)
		rc = in->json ? print_json(&s, e) : print_text(in, &s, e);
out:
	db_close(db);
	json_decref(s.list);
	table_free(s.table);
	return rc;
}

const struct command command_enroll_close = {
	.name = "enroll close",
	.summary = "End the window of 'enroll open' before its time",
	.run = close_run,
};

const struct command command_enroll_status = {
	.name = "enroll status",
	.summary = "Print until when phones may enroll, and which have, when and from where",
	.details =
	    "FIRST LOGIN is when the phone first came with its own login. A phone that never does has lost the answer, or it "
	    "was somebody else: 'phonevpn phone reset' takes back what was given away.",
	.run = status_run,
};
