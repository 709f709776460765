/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROLLOUT_STRANDED_H
#define CLI_ROLLOUT_STRANDED_H

#include "rollout/guard.h"

#include <jansson.h>

/* Phones that the lock-out guard would hold back, gathered by what it says of them. */
struct stranded_report {
	json_t *groups;	/* {"reason", "text", "remedy", "phones": [MAC, ...]} */
	size_t phones;
};

int stranded_report_init(struct stranded_report *r, struct err *e);
void stranded_report_release(struct stranded_report *r);

int stranded_report_add(struct stranded_report *r, const char *mac, enum guard_reason reason, const char *detail,
    struct err *e);

/* "would strand 3 phones: ..." for each group, with some of them; verb is "would strand" or so. */
void stranded_report_print(const struct stranded_report *r, const char *verb);

/* The plan is refused: ERR_INTEGRITY, with what the admin can do. */
int stranded_refuse(const struct stranded_report *r, const char *rollout, struct err *e);

/* "MAC,..." as an object whose keys are the MACs; option is its name, and NULL gives an empty one. NULL on failure. */
json_t *stranded_force_parse(const char *macs, struct err *e);

/* All of them were met and taken out of it. */
int stranded_force_check(json_t *force, struct err *e);

#endif
