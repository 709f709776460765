/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_REPORT_H
#define CLI_IMPORT_REPORT_H

#include "common/command.h"
#include "common/finding.h"

/* Print what was found odd, each rule explained once; nothing with --quiet or --json. */
void import_report_findings(const struct invocation *in, const struct findings *f);

/* The same in front of an error that they are the reasons of: on standard error, and with --quiet the errors alone. */
void import_report_refused(const struct invocation *in, const struct findings *f);

/* The same as a JSON array, a new reference; NULL when memory ran out. */
json_t *import_report_json(const struct findings *f);

#endif
