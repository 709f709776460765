/* SPDX-License-Identifier: ISC */
#ifndef CLI_CHECK_RULES_H
#define CLI_CHECK_RULES_H

#include "common/finding.h"

/* The rules of every "check" command, a table each; NULL behind the last. */
extern const struct finding_rule *const check_rule_tables[];

#endif
