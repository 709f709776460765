/* SPDX-License-Identifier: ISC */
#include "cli/phone_report.h"

#include "common/text.h"
#include "dseries/model.h"

#include <string.h>

enum phone_stand
phone_stand(const struct db_phone *p, struct err *why)
{
	const struct model *m = model_find(p->model);
	struct firmware f;
	bool known = p->firmware[0] != '\0' && firmware_parse(p->firmware, &f, NULL) == 0;

	if (m == NULL || model_check_openvpn(m, known ? &f : NULL, why) != 0)
		return STAND_TURNED_DOWN;
	if (p->newest == 0)
		return STAND_NONE;
	if (p->revoked != 0)
		return STAND_REVOKED;
	return p->offered == p->newest ? STAND_OFFERED : STAND_MINTED;
}

const char *
phone_stand_name(enum phone_stand stand)
{
	static const char *const names[] = {
		[STAND_TURNED_DOWN] = "turned down",
		[STAND_NONE] = "not minted",
		[STAND_MINTED] = "minted",
		[STAND_OFFERED] = "offered",
		[STAND_REVOKED] = "revoked",
	};

	return names[stand];
}

void
serial_hex(const unsigned char serial[DB_SERIAL_SIZE], char out[SERIAL_HEX_SIZE])
{
	text_hex_number(serial, DB_SERIAL_SIZE, out);
}

int
serial_parse(const char *s, unsigned char ret[DB_SERIAL_SIZE], struct err *e)
{
	char padded[SERIAL_HEX_SIZE], shown[64];
	size_t len = strlen(s);

	memset(padded, '0', sizeof(padded));
	padded[sizeof(padded) - 1] = '\0';
	if (len > 0 && len < sizeof(padded))
		memcpy(padded + sizeof(padded) - 1 - len, s, len);
	if (len > 0 && len < sizeof(padded) && text_unhex(padded, ret, DB_SERIAL_SIZE))
		return 0;
	return err_set(e, ERR_USAGE, "serial: expected at most %d hex digits, found \"%s\"", 2 * DB_SERIAL_SIZE,
	    text_printable(s, shown, sizeof(shown)));
}

json_t *
phone_report(const struct db_phone *p, const struct addresses *addresses)
{
	char created[TEXT_TIME_SIZE], end[TEXT_TIME_SIZE], serial[SERIAL_HEX_SIZE], address[NETWORK_ADDRESS_SIZE];
	struct err why = ERR_INIT;
	enum phone_stand stand = phone_stand(p, &why);
	json_t *o;

	text_time(p->created, created);
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s}", "mac", p->mac, "model", p->model, "firmware",
	    p->firmware, "extension", p->extension, "label", p->label, "group", p->group, "http_user", p->http_user,
	    "has_secret", p->has_secret, "created", created, "vpn", phone_stand_name(stand), "vpn_address",
	    address_text(addresses, p->vpn_host, address));
	if (o != NULL && stand == STAND_TURNED_DOWN)
		(void)json_object_set_new(o, "reason", json_string(why.text));
	if (o != NULL && p->enrolled != 0) {
		text_time(p->enrolled, end);
		(void)json_object_set_new(o, "enrolled", json_string(end));
		(void)json_object_set_new(o, "enrolled_from", json_string(p->enrolled_from));
	}
	if (o != NULL && p->login != 0) {
		text_time(p->login, end);
		(void)json_object_set_new(o, "first_login", json_string(end));
	}
	if (o != NULL && p->offered != 0) {
		(void)json_object_set_new(o, "generation", json_integer(p->offered));
		(void)json_object_set_new(o, "md5", json_string(p->offered_md5));
	}
	if (o != NULL && p->newest != 0) {
		text_time(p->not_after, end);
		serial_hex(p->serial, serial);
		(void)json_object_set_new(o, "newest_generation", json_integer(p->newest));
		(void)json_object_set_new(o, "serial", json_string(serial));
		(void)json_object_set_new(o, "not_after", json_string(end));
	}
	return o;
}
