/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_LIVE_H
#define CLI_CHECK_LIVE_H

#include "cli/check_fleet.h"

/*
 * "check fleet --live": what a web server gives the phones, fetched as each phone does with its own login, beside what
 * the database says that they get.
 */
extern const struct finding_rule check_live_rules[];	/* ids "live-..." */

struct live_params {
	struct db *db;
	const struct fleet_common *common;
	const char *base;	/* URL in front of <mac>.cfg, without a login */
	const char *ca_file;	/* PEM certificates to trust for https, or NULL for the system's */
	size_t transfers;	/* at once */
};

struct live;

/* ERR_USAGE when base is no such URL, ERR_INPUT when the file has no certificate. params must live as long. */
struct live *live_open(const struct live_params *params, struct err *e);
void live_close(struct live *l);

/* Phones in, judged jobs out, in one order, as with a struct pool. */
bool live_is_full(const struct live *l);
int live_put(struct live *l, const struct db_phone *phone, struct err *e);
struct fleet_job *live_head(struct live *l, struct err *e);
void live_pop(struct live *l);

/* What is no phone's: the generic file, the server's certificate, and that it was given up. Behind all phones. */
int live_report(struct live *l, struct findings *out, struct err *e);

#endif
