/* SPDX-License-Identifier: ISC */
#ifndef CLI_PHONE_EDIT_H
#define CLI_PHONE_EDIT_H

#include "cli/address.h"
#include "cli/phone_fields.h"

/* The options that "phone add" and "phone set" share. */
enum {
	EDIT_MODEL,
	EDIT_FIRMWARE,
	EDIT_EXTENSION,
	EDIT_SECRET_FILE,
	EDIT_LABEL,
	EDIT_GROUP,
	EDIT_HTTP_USER,
	EDIT_HTTP_PASSWORD_FILE,
	EDIT_NEW_HTTP_PASSWORD,
	EDIT_VPN_ADDRESS,
};

extern const struct option_def phone_edit_options[];

/* At least one of them is given. */
bool phone_edit_any(const struct invocation *in);

/* The options that are given, onto the draft. A wrong one is ERR_USAGE. */
int phone_edit_apply(const struct invocation *in, struct phone_draft *d, struct err *e);

/*
 * The address that is asked for, onto the draft. *ret_wanted: the phone may use the VPN, has none, and there is one to
 * be had.
 */
int phone_edit_address(const struct invocation *in, struct db *db, const struct addresses *addresses,
    struct phone_draft *d, bool *ret_wanted, struct err *e);

/* Print the phone as it is now: a line, or JSON. */
int phone_edit_report(const struct invocation *in, struct db *db, const struct addresses *addresses, const char *mac,
    const char *done, struct err *e);

#endif
