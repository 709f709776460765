/* SPDX-License-Identifier: ISC */
#include "cli/session_report.h"

#include "cli/phone_report.h"
#include "common/text.h"

#include <stdio.h>

int
step_json(const struct db_step *step, void *arg, struct err *e)
{
	char at[TEXT_TIME_SIZE];

	text_time(step->at, at);
	if (json_array_append_new(arg, json_pack("{s:I,s:s,s:s,s:s}", "generation", (json_int_t)step->number, "rung",
					   db_rung_name(step->rung), "at", at, "source", step->source)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

/* 1, or 0 when there is none. */
static int
session_find(struct db *db, int64_t phone, struct db_session *ret, struct err *e)
{
	struct err why = ERR_INIT;

	if (db_session_get(db, phone, ret, &why) == 0)
		return 1;
	if (why.code == ERR_NOT_FOUND)
		return 0;
	*e = why;
	return -1;
}

int
session_json(struct db *db, int64_t phone, json_t **ret, struct err *e)
{
	char since[TEXT_TIME_SIZE], ended[TEXT_TIME_SIZE], serial[SERIAL_HEX_SIZE];
	struct db_session s;
	int rc = session_find(db, phone, &s, e);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		*ret = json_null();
		return 0;
	}
	text_time(s.since, since);
	text_time(s.ended, ended);
	serial_hex(s.serial, serial);
	*ret = json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:o}", "server", s.server, "address", s.address, "since", since,
	    "ended", s.ended != 0 ? ended : NULL, "serial", s.has_serial ? serial : NULL, "generation",
	    s.number != 0 ? json_integer(s.number) : json_null());
	return *ret != NULL ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

static void
certificate_text(const struct db_session *s, char *out, size_t size)
{
	char serial[SERIAL_HEX_SIZE];

	serial_hex(s->serial, serial);
	if (s->number != 0)
		(void)snprintf(out, size, "with generation %lld", (long long)s->number);
	else if (s->has_serial)
		(void)snprintf(out, size, "with serial %s, which is on no bundle of this phone's", serial);
	else
		(void)snprintf(out, size, "nobody watched with which certificate");
}

int
session_line(struct db *db, int64_t phone, struct err *e)
{
	char since[TEXT_TIME_SIZE], ended[TEXT_TIME_SIZE], certificate[128];
	struct db_session s;
	int rc = session_find(db, phone, &s, e);

	if (rc <= 0)
		return rc;
	text_time(s.since, since);
	text_time(s.ended, ended);
	certificate_text(&s, certificate, sizeof(certificate));
	(void)printf("%-11s %s%s%s, from %s at %s, %s\n", s.ended != 0 ? "was on VPN" : "on the VPN", since,
	    s.ended != 0 ? " to " : "", s.ended != 0 ? ended : "", s.address, s.server, certificate);
	return 0;
}

static int
step_line(const struct db_step *step, void *arg, struct err *e)
{
	bool *has_heading = arg;
	char at[TEXT_TIME_SIZE];

	(void)e;
	if (!*has_heading)
		(void)printf("\nproof\n");
	*has_heading = true;
	text_time(step->at, at);
	(void)printf("%s  generation %lld %s, %s\n", at, (long long)step->number, db_rung_name(step->rung),
	    step->source);
	return 0;
}

int
steps_print(struct db *db, int64_t phone, struct err *e)
{
	bool has_heading = false;

	return db_ladder_each(db, phone, step_line, &has_heading, e);
}
