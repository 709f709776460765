/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_FIRMWARE_H
#define DSERIES_FIRMWARE_H

#include "common/err.h"

#define FIRMWARE_PARTS 5
#define FIRMWARE_SIZE 32 /* the longest text of one, with NUL */

/* A firmware version: up to five numbers; parts that are absent are 0 ("2_7_0" equals "2_7_0_0"). */
struct firmware {
	unsigned int part[FIRMWARE_PARTS];
};

/* "2_7_0", "2.7.0" or "1_4_0_0_57389": two to five numbers, one kind of separator. ERR_INPUT otherwise. */
int firmware_parse(const char *s, struct firmware *ret, struct err *e);

/* Less than, equal to or greater than 0, as strcmp(). */
int firmware_compare(const struct firmware *a, const struct firmware *b);

/* The vendor's form, at least three numbers, joined by '_'. */
void firmware_format(const struct firmware *f, char out[FIRMWARE_SIZE]);

#endif
