/* SPDX-License-Identifier: ISC */
#ifndef PHONE_BOOT_STEPS_H
#define PHONE_BOOT_STEPS_H

#include "phone/boot.h"

/* The states of boot.c's machine and what is done in each: inside phone/boot*.c only. */
enum boot_state {
	BOOT_STATE_FIND_URL,
	BOOT_STATE_TAKE_XML,
	BOOT_STATE_READ_SETTINGS,
	BOOT_STATE_RESTART,
	BOOT_STATE_GATE,
	BOOT_STATE_TAKE_BUNDLE,
	BOOT_STATE_READ_BUNDLE,
	BOOT_STATE_CHECK_CERTIFICATE,
	BOOT_STATE_VPN,
	BOOT_STATE_LIMIT,
	BOOT_STATE_CONNECT,
	BOOT_STATE_END,
};

typedef enum boot_state boot_step(struct boot *b);

/* boot_provision.c: from the URL to the bundle. */
boot_step boot_find_url, boot_take_xml, boot_read_settings, boot_restart, boot_gate, boot_take_bundle;

/* boot_vpn.c: from the bundle to the tunnel. */
boot_step boot_read_bundle, boot_check_certificate, boot_vpn, boot_limit, boot_connect;

/* Report a step that failed, and go on with next. */
enum boot_state boot_fail(struct boot *b, const char *step, enum verdict verdict, const char *section,
    const struct err *e, enum boot_state next);

/* Bring down a tunnel that must not be there: 1 when it was up, 0 when there was none, -1 when it stays (reported). */
int boot_bring_down(struct boot *b, const char *section, const char *why);

#endif
