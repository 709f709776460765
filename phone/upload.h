/* SPDX-License-Identifier: ISC */
#ifndef PHONE_UPLOAD_H
#define PHONE_UPLOAD_H

#include "common/buf.h"
#include "common/err.h"
#include "phone/phone.h"

#include <time.h>

/*
 * What is uploaded to the phone is checked like what it downloads: its size, and whether the phone's OpenVPN can run it
 * at that time. ERR_INTEGRITY with the reason, in which nothing stands that may be part of a key.
 */
int upload_check(const struct phone *p, const struct buf *file, time_t clock, struct err *e);

#endif
