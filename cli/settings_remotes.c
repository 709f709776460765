/* SPDX-License-Identifier: ISC */
#include "cli/settings_remotes.h"

#include "common/text.h"

#include <string.h>

/* One "HOST", "HOST:PORT" or "[IPV6]:PORT" of the list of further remotes; len bytes. */
static int
remote_parse(const char *word, size_t len, unsigned int default_port, struct profile_remote *ret, struct err *e)
{
	char text[sizeof(ret->host) + 16];
	unsigned long port = default_port;
	char *host = text, *colon;

	if (len >= sizeof(text))
		return err_set(e, ERR_INPUT, "remote: expected at most 255 bytes, found %zu", len);
	memcpy(text, word, len);
	text[len] = '\0';
	colon = strrchr(text, ':');
	if (text[0] == '[') {
		char *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return err_set(e, ERR_INPUT, "remote: expected [ADDRESS]:PORT, found \"%s\"", text);
		host = text + 1;
		colon = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
	} else if (colon != NULL && strchr(text, ':') != colon) {
		colon = NULL; /* an IPv6 address without a port */
	}
	if (colon != NULL) {
		*colon = '\0';
		if (text_number(colon + 1, 1, 65535, "port of a remote", &port, e) != 0)
			return -1;
	}
	if (profile_check_host(host, "remote", e) != 0 ||
	    text_copy(ret->host, sizeof(ret->host), host, "remote", e) != 0)
		return -1;
	ret->port = (unsigned int)port;
	return 0;
}

/* The comma-separated list onto what is in p already. */
int
settings_remotes_parse(const char *list, unsigned int default_port, struct profile_params *p, struct err *e)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (p->remote_count == PROFILE_REMOTES_MAX)
			return err_set(e, ERR_INPUT, "remotes: expected at most %d, found more", PROFILE_REMOTES_MAX);
		if (remote_parse(list, len, default_port, &p->remotes[p->remote_count], e) != 0)
			return -1;
		p->remote_count++;
		list += len;
		if (*list == ',')
			list++;
	}
	return 0;
}
