/* SPDX-License-Identifier: ISC */
#ifndef PHONE_JUNIT_H
#define PHONE_JUNIT_H

#include "common/buf.h"
#include "common/err.h"
#include "phone/report.h"

/*
 * Append the steps of a boot as a JUnit report, the form that CI servers read: one test case a step, a failure each
 * that keeps the phone off the VPN. name: of the phone; seconds: how long the boot took.
 */
int junit_write(const struct report *r, const char *name, double seconds, struct buf *out, struct err *e);

#endif
