/* SPDX-License-Identifier: ISC */
#ifndef CLI_EVENT_REPORT_H
#define CLI_EVENT_REPORT_H

#include "db/db.h"

/* For db_event_each(): append the event to the json_t array arg, or print it as a line. */
int event_json(const struct db_event *event, void *arg, struct err *e);
int event_line(const struct db_event *event, void *arg, struct err *e);

#endif
