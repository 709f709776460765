/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_edit.h"
#include "cli/state.h"

#include <stdio.h>

static int
add_run(const struct invocation *in, struct err *e)
{
	struct phone_draft draft = PHONE_DRAFT_INIT;
	struct db_phone_new phone;
	struct addresses addresses;
	struct settings s;
	struct db *db = NULL;
	bool wanted = false;
	int rc = -1;

	if (phone_argument(in->argv[0], draft.phone.mac, e) != 0 || phone_edit_apply(in, &draft, e) != 0)
		goto out;
	if (in->option[EDIT_MODEL] == NULL) {
		err_set(e, ERR_USAGE, "phone add: expected --model MODEL, found none");
		goto out;
	}
	if (phone_draft_finish(&draft, e) != 0)
		goto out;
	db = state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || addresses_of(&s, &addresses, e) != 0 ||
	    phone_edit_address(in, db, &addresses, &draft, &wanted, e) != 0)
		goto out;
	phone = phone_draft_new(&draft);
	if (wanted)
		phone.hosts = addresses.range;
	if (db_phone_add(db, &phone, 1, e) != 0)
		goto out;
	phone_warn_mac(in, draft.phone.mac);
	rc = phone_edit_report(in, db, &addresses, draft.phone.mac, "added", e);
out:
	phone_draft_release(&draft);
	db_close(db);
	return rc;
}

const struct command command_phone_add = {
	.name = "phone add",
	.arguments = "MAC",
	.summary = "Add a phone to the fleet",
	.details =
	    "The phone gets an HTTP login of its own: its MAC and a random password, unless given. A phone that can use "
	    "OpenVPN gets a fixed address in the VPN, too.",
	.options = phone_edit_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = add_run,
};

static int
set_run(const struct invocation *in, struct err *e)
{
	struct phone_draft draft = PHONE_DRAFT_INIT;
	struct addresses addresses;
	struct settings s;
	struct db *db = NULL;
	char mac[DB_MAC_SIZE];
	bool wanted = false;
	int rc = -1;

	if (phone_argument(in->argv[0], mac, e) != 0)
		goto out;
	if (!phone_edit_any(in)) {
		err_set(e, ERR_USAGE, "phone set: expected an option that says what to change, found none");
		goto out;
	}
	db = state_open_writer(in, e);
	if (db == NULL || db_phone_get(db, mac, &draft.phone, e) != 0 || phone_edit_apply(in, &draft, e) != 0 ||
	    settings_load(db, &s, e) != 0 || addresses_of(&s, &addresses, e) != 0 ||
	    phone_edit_address(in, db, &addresses, &draft, &wanted, e) != 0)
		goto out;
	if (db_phone_set(db, &draft.phone, in->option[EDIT_SECRET_FILE] != NULL ? buf_string(&draft.secret) : NULL,
		draft.http_password.len > 0 ? buf_string(&draft.http_password) : NULL, e) != 0)
		goto out;
	/* Firmware that can use the VPN, or a phone of before there were addresses. */
	if (wanted && db_host_assign(db, &draft.phone.id, 1, &addresses.range, e) != 0)
		goto out;
	rc = phone_edit_report(in, db, &addresses, mac, "changed", e);
out:
	phone_draft_release(&draft);
	db_close(db);
	return rc;
}

const struct command command_phone_set = {
	.name = "phone set",
	.arguments = "MAC",
	.summary = "Change what is known of a phone",
	.details =
	    "An empty value takes a field away. A new HTTP password is in the phone's XML at once; the phone must still "
	    "be able to fetch that XML.",
	.options = phone_edit_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = set_run,
};
