/* SPDX-License-Identifier: ISC */
#ifndef PHONE_REDACT_H
#define PHONE_REDACT_H

#include "common/buf.h"

/*
 * Append a log without what may be a secret, so that it can be handed to somebody else. Taken out, with a word in its
 * place: blocks of PEM that are no certificate; lines that speak of a password or a login; lines on which OpenVPN shows
 * keys; words so long that they can be part of a key; user and password of URLs.
 */
void redact_log(const char *text, size_t len, struct buf *out);

#endif
