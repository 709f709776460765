/* SPDX-License-Identifier: ISC */
#include "cli/enroll.h"

#include "common/cidr.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

/* The next of the list into *ret; *list goes behind it. */
static bool
network_next(const char **list, struct cidr *ret)
{
	char one[INET_ADDRSTRLEN + sizeof("/32")];
	size_t len = strcspn(*list, ",");

	if (len >= sizeof(one))
		return false;
	memcpy(one, *list, len);
	one[len] = '\0';
	*list += len;
	if (**list == ',')
		++*list;
	return cidr_scan(one, ret);
}

int
enroll_networks_parse(const char *list, struct db_enroll_window *w, struct err *e)
{
	const char *rest = list, *begin;
	struct cidr network;
	char shown[64];

	do {
		begin = rest;
		if (!network_next(&rest, &network))
			return err_set(e, ERR_USAGE, "network: expected an IPv4 network as 192.0.2.0/24, found \"%s\"",
			    text_printable(begin, shown, sizeof(shown)));
		if ((network.address & ~network.mask) != 0)
			return err_set(e, ERR_USAGE,
			    "network: expected no bits behind the prefix of %u (a single host is /32), found \"%s\"",
			    cidr_prefix(&network), text_printable(begin, shown, sizeof(shown)));
	} while (*rest != '\0' || rest[-1] == ',');
	return text_copy(w->networks, sizeof(w->networks), list, "network", e) == 0 ? 0 : err_usage(e);
}

bool
enroll_window_admits(const struct db_enroll_window *w, time_t now, const char *address)
{
	const char *rest = w->networks;
	struct cidr network;
	struct in_addr in;

	if (now < w->opened || now >= w->until || inet_pton(AF_INET, address, &in) != 1)
		return false;
	while (*rest != '\0') {
		if (network_next(&rest, &network) && cidr_has(&network, ntohl(in.s_addr)))
			return true;
	}
	return false;
}
