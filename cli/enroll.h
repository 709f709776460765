/* SPDX-License-Identifier: ISC */
#ifndef CLI_ENROLL_H
#define CLI_ENROLL_H

#include "db/enroll.h"

#include <stdbool.h>
#include <time.h>

/* The window in which phones that were never provisioned may fetch once without a login (db_enroll_open()). */

/* "192.0.2.0/24,198.51.100.0/24" into a window. ERR_USAGE names the one that is no IPv4 network. */
int enroll_networks_parse(const char *list, struct db_enroll_window *w, struct err *e);

/* At that time, and to a client at that address. An IPv6 address is in no network. */
bool enroll_window_admits(const struct db_enroll_window *w, time_t now, const char *address);

#endif
