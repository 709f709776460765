/* SPDX-License-Identifier: ISC */
#include "provisioner/route.h"

#include "common/text.h"
#include "dseries/setting.h"

#include <stdbool.h>
#include <string.h>

#define MAC_LEN (MAC_SIZE - 1)
#define MD5_LEN (ROUTE_MD5_SIZE - 1)

/* Take len lower-case hex digits from *s into field. */
static bool
take_hex(const char **s, size_t len, char *field)
{
	if (strnlen(*s, len) != len)
		return false;
	memcpy(field, *s, len);
	field[len] = '\0';
	*s += len;
	return text_is_hex(field, len);
}

static bool
take_text(const char **s, const char *expected)
{
	size_t len = strlen(expected);

	if (strncmp(*s, expected, len) != 0)
		return false;
	*s += len;
	return true;
}

struct route
route_find(const char *base_path, const char *path)
{
	static const struct route none = { .kind = ROUTE_NONE };
	struct route r = none;
	const char *s = path;

	if (!take_text(&s, base_path) || !take_text(&s, "/"))
		return none;
	if (strcmp(s, SETTING_GENERIC_FILE) == 0)
		r.kind = ROUTE_GENERIC;
	else if (take_text(&s, "ovpn/"))
		r.kind = ROUTE_BUNDLE;
	else
		r.kind = ROUTE_CONFIG;
	if (r.kind == ROUTE_BUNDLE && (!take_hex(&s, MD5_LEN, r.md5) || !take_text(&s, "/")))
		return none;
	if (!take_hex(&s, MAC_LEN, r.mac))
		return none;
	if (strcmp(s, r.kind == ROUTE_BUNDLE ? ".ovpn" : ".cfg") != 0)
		return none;
	return r;
}
