/* SPDX-License-Identifier: ISC */
#include "dseries/mac.h"

#include "common/text.h"

#include <stddef.h>
#include <string.h>

#define MAC_BYTES 6
#define OUI_DIGITS 6

/* IEEE's MA-L registry (oui.txt): the blocks of the phones' makers. */
static const struct {
	char oui[OUI_DIGITS + 1];
	const char *vendor;
} blocks[] = {
	{ "000fd3", "Digium" }, { "005058", "Sangoma Technologies" },
	{ "001fc1", "Hanlong Technology" }, /* Sangoma's S-series, another platform */
};

/* The 12 digits of s without its separators: none, or the same one behind each group of two or of four. */
static bool
digits_copy(const char *s, char digits[MAC_SIZE])
{
	size_t len = strlen(s), group, used = 0;
	char separator = '\0';

	switch (len) {
	case 12:
		group = 12;
		break;
	case 14:
		group = 4;
		separator = '.';
		break;
	case 17:
		group = 2;
		separator = s[2] == '-' ? '-' : ':';
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (i % (group + 1) != group)
			digits[used++] = s[i];
		else if (s[i] != separator)
			return false;
	}
	digits[used] = '\0';
	return true;
}

int
mac_parse(const char *s, char ret_mac[MAC_SIZE], struct err *e)
{
	static const unsigned char null[MAC_BYTES];
	unsigned char bytes[MAC_BYTES];
	char digits[MAC_SIZE], shown[64];

	(void)text_printable(s, shown, sizeof(shown));
	if (!digits_copy(s, digits) || !text_unhex(digits, bytes, sizeof(bytes)))
		return err_set(e, ERR_INPUT,
		    "MAC address: expected 12 hex digits, also with ':' or '-' between pairs or '.' between fours, "
		    "found \"%s\"",
		    shown);
	if (memcmp(bytes, null, sizeof(bytes)) == 0)
		return err_set(e, ERR_INPUT, "MAC address: expected a phone's own, found the null address \"%s\"",
		    shown);
	if ((bytes[0] & 1) != 0)
		return err_set(e, ERR_INPUT,
		    "MAC address: expected a phone's own, found a group or broadcast address, \"%s\"", shown);
	text_hex(bytes, sizeof(bytes), ret_mac);
	return 0;
}

const char *
mac_vendor(const char *mac)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (strncmp(mac, blocks[i].oui, OUI_DIGITS) == 0)
			return blocks[i].vendor;
	return NULL;
}

bool
mac_is_dseries(const char *mac)
{
	return strncmp(mac, blocks[0].oui, OUI_DIGITS) == 0;
}
