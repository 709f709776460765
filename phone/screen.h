/* SPDX-License-Identifier: ISC */
#ifndef PHONE_SCREEN_H
#define PHONE_SCREEN_H

#include "common/buf.h"
#include "phone/status.h"

#include <stdbool.h>

/* How a terminal can draw. */
struct screen_style {
	bool colour;	/* ECMA-48 colours */
	bool unicode;	/* UTF-8 lines and marks; else ASCII */
};

/* What standard output can do: a terminal, NO_COLOR and TERM, the locale's character set. */
struct screen_style screen_style(void);

/*
 * Append the phone's screen: the status bar with the shield, the VPN page of BootConfig (or that there is none), the
 * soft key: the vendor's page, section "When the VPN is Enabled". *ret_lines (may be NULL): lines drawn.
 */
void screen_draw(const struct status *s, struct screen_style style, struct buf *out, unsigned int *ret_lines);

#endif
