/* SPDX-License-Identifier: ISC */
#include "cli/event_report.h"

#include "common/text.h"

#include <jansson.h>
#include <stdio.h>

int
event_json(const struct db_event *event, void *arg, struct err *e)
{
	char when[TEXT_TIME_SIZE];

	text_time(event->when, when);
	if (json_array_append_new(arg,
		json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)event->id, "when", when, "actor", event->actor,
		    "action", event->action, "subject", event->subject, "detail", event->detail)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

int
event_line(const struct db_event *event, void *arg, struct err *e)
{
	char when[TEXT_TIME_SIZE];

	(void)arg;
	(void)e;
	text_time(event->when, when);
	(void)printf("%s  %-20s %s%s%s  (%s)\n", when, event->action, event->subject,
	    event->detail[0] != '\0' ? "  " : "", event->detail, event->actor);
	return 0;
}
