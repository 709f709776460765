/* SPDX-License-Identifier: ISC */
#include "cli/phone_edit.h"

#include "cli/phone_report.h"
#include "common/file.h"

#include <stdio.h>

const struct option_def phone_edit_options[] = {
	[EDIT_MODEL] = { "model", "MODEL", "D40, D45, D50, D60, D62, D65, D70 or D80" },
	[EDIT_FIRMWARE] = { "firmware", "VERSION", "as 2_7_0 or 2.7.0; without it the recommended one is assumed" },
	[EDIT_EXTENSION] = { "extension", "EXT", "SIP extension of the phone's account" },
	[EDIT_SECRET_FILE] = { "secret-file", "FILE", "file with the SIP password, - for standard input" },
	[EDIT_LABEL] = { "label", "TEXT", "what the phone calls its line" },
	[EDIT_GROUP] = { "group", "NAME", "group of phones, for --group" },
	[EDIT_HTTP_USER] = { "http-user", "NAME", "user of the phone's HTTP login (its MAC)" },
	[EDIT_HTTP_PASSWORD_FILE] = { "http-password-file", "FILE", "file with the password of the HTTP login" },
	[EDIT_NEW_HTTP_PASSWORD] = { "new-http-password", NULL, "make a new random password for the HTTP login" },
	[EDIT_VPN_ADDRESS] = { "vpn-address", "ADDRESS", "fixed address in the VPN (the next free one)" },
	OPTION_END,
};

static const struct {
	int option;
	enum phone_field field;
	bool file;
} table[] = {
	{ EDIT_MODEL, FIELD_MODEL, false },
	{ EDIT_FIRMWARE, FIELD_FIRMWARE, false },
	{ EDIT_EXTENSION, FIELD_EXTENSION, false },
	{ EDIT_SECRET_FILE, FIELD_SECRET, true },
	{ EDIT_LABEL, FIELD_LABEL, false },
	{ EDIT_GROUP, FIELD_GROUP, false },
	{ EDIT_HTTP_USER, FIELD_HTTP_USER, false },
	{ EDIT_HTTP_PASSWORD_FILE, FIELD_HTTP_PASSWORD, true },
};

static int
apply_one(struct phone_draft *d, enum phone_field field, const char *value, bool file, struct err *e)
{
	struct buf secret = BUF_INIT(4096);
	int rc = -1;

	if (!file) {
		rc = phone_field_put(d, field, value, e);
		if (rc != 0)
			rc = err_usage(e);
	} else if (file_read_secret(value, &secret, e) == 0) {
		rc = phone_field_put(d, field, buf_string(&secret), e);
	}
	buf_release(&secret);
	return rc;
}

bool
phone_edit_any(const struct invocation *in)
{
	for (size_t i = 0; phone_edit_options[i].name != NULL; i++) {
		if (in->option[i] != NULL)
			return true;
	}
	return false;
}

int
phone_edit_apply(const struct invocation *in, struct phone_draft *d, struct err *e)
{
	if (in->option[EDIT_NEW_HTTP_PASSWORD] != NULL && in->option[EDIT_HTTP_PASSWORD_FILE] != NULL)
		return err_set(e, ERR_USAGE, "expected --http-password-file or --new-http-password, found both");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *value = in->option[table[i].option];

		if (value != NULL && apply_one(d, table[i].field, value, table[i].file, e) != 0)
			return -1;
	}
	if (in->option[EDIT_NEW_HTTP_PASSWORD] != NULL)
		return phone_password_new(&d->http_password, e);
	return 0;
}

int
phone_edit_address(const struct invocation *in, struct db *db, const struct addresses *addresses, struct phone_draft *d,
    bool *ret_wanted, struct err *e)
{
	const char *value = in->option[EDIT_VPN_ADDRESS];
	size_t free_ones = 0;

	if (value != NULL && value[0] == '\0')
		d->phone.vpn_host = 0;
	else if (value != NULL && network_parse_phone(&addresses->network, value, &d->phone.vpn_host, e) != 0)
		return err_usage(e);
	if (address_is_needed(&d->phone) && addresses_plan(db, addresses, 1, &free_ones, e) != 0)
		return -1;
	*ret_wanted = free_ones > 0;
	return 0;
}

int
phone_edit_report(const struct invocation *in, struct db *db, const struct addresses *addresses, const char *mac,
    const char *done, struct err *e)
{
	char address[NETWORK_ADDRESS_SIZE];
	struct err why = ERR_INIT;
	struct db_phone p;

	if (db_phone_get(db, mac, &p, e) != 0)
		return -1;
	if (in->json)
		return command_print_json(phone_report(&p, addresses), e);
	if (in->quiet)
		return 0;
	if (phone_stand(&p, &why) == STAND_TURNED_DOWN)
		(void)printf("%s: %s; turned down for the VPN: %s\n", p.mac, done, why.text);
	else if (p.vpn_host == 0)
		(void)printf("%s: %s, without a fixed VPN address: all are taken\n", p.mac, done);
	else
		(void)printf("%s: %s, VPN address %s\n", p.mac, done, address_text(addresses, p.vpn_host, address));
	return 0;
}
