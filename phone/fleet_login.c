/* SPDX-License-Identifier: ISC */
#include "phone/fleet_login.h"

#include <string.h>

/* Where the authority begins, and its length. */
static const char *
authority(const char *url, size_t *ret_len)
{
	const char *slashes = strstr(url, "://");
	const char *begin = slashes != NULL ? slashes + 3 : url;

	*ret_len = strcspn(begin, "/?#");
	return begin;
}

bool
fleet_login_is_in(const char *url)
{
	size_t len;
	const char *begin = authority(url, &len);

	return memchr(begin, '@', len) != NULL;
}

int
fleet_login_put(const char *url, const char *login, struct buf *out)
{
	size_t len;
	const char *begin = authority(url, &len);

	if (login[0] == '\0') {
		buf_add_string(out, url);
		return 0;
	}
	if (fleet_login_is_in(url))
		return -1;
	buf_add(out, url, (size_t)(begin - url));
	buf_add_string(out, login);
	buf_add_string(out, "@");
	buf_add_string(out, begin);
	return 0;
}

int
fleet_login_spoil(const char *url, struct buf *out)
{
	size_t len;
	const char *begin = authority(url, &len);
	/* The last one: libcurl takes a user with a bare '@' in it. */
	const char *at = memrchr(begin, '@', len);

	if (at == NULL)
		return -1;
	buf_add(out, url, (size_t)(at - url));
	buf_add_string(out, memchr(begin, ':', (size_t)(at - begin)) != NULL ? "wrong" : ":wrong");
	buf_add_string(out, at);
	return 0;
}
