/* SPDX-License-Identifier: ISC */
#ifndef PHONE_ARCHIVE_H
#define PHONE_ARCHIVE_H

#include "common/buf.h"
#include "common/err.h"
#include "phone/phone.h"

/* The debug archive of the vendor's page, section "Debugging". */

#define ARCHIVE_LOG_MAX (1 << 20) /* of openvpn.log, its end */
#define ARCHIVE_MAX (4 << 20)

/*
 * Append a tar.gz: refphone-<mac>/settings.json, status.json and, where there is one, openvpn.log, without private keys
 * and passwords (redact.h). What a real phone's archive holds is not known.
 */
int archive_make(const struct phone *p, struct buf *out, struct err *e);

#endif
