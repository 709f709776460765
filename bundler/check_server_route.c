/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

/* A route that the server pushes to the phones. */
struct pushed {
	const struct config_line *line;
	struct server_network to;
};

/* push "route NETWORK [NETMASK] ..." */
static bool
pushed_read(const struct config_line *line, struct server_network *ret)
{
	const char *option = config_word(line, 1);
	struct in_addr address, mask = { .s_addr = UINT32_MAX };
	struct config inner = { 0 };
	const struct config_line *route;
	bool ok = false;

	if (option == NULL || config_read(option, strlen(option), &inner, NULL) != 0)
		goto out;
	route = config_find(&inner, "route");
	if (config_word(route, 1) == NULL || inet_pton(AF_INET, route->word[1], &address) != 1)
		goto out;
	if (config_word(route, 2) != NULL && strcmp(route->word[2], "default") != 0 &&
	    inet_pton(AF_INET, route->word[2], &mask) != 1)
		goto out;
	*ret = (struct server_network){ .known = true, .address = ntohl(address.s_addr), .mask = ntohl(mask.s_addr) };
	ok = true;
out:
	config_release(&inner);
	return ok;
}

static bool
pushed_next(const struct check_server *s, struct pushed *at)
{
	while ((at->line = config_next(&s->config, at->line, "push")) != NULL)
		if (pushed_read(at->line, &at->to))
			return true;
	return false;
}

/* push "redirect-gateway ..." gives the phone a route of its own to the server. */
static bool
redirects(const struct check_server *s)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "push")) != NULL)
		if (line->words > 1 && strncmp(line->word[1], "redirect-gateway", strlen("redirect-gateway")) == 0)
			return true;
	return false;
}

void
server_routes_open(const struct check_server *s, struct findings *out)
{
	struct pushed at = { .line = NULL };

	while (s->network.known && pushed_next(s, &at)) {
		uint32_t mask = at.to.mask & s->network.mask;

		if ((at.to.address & mask) == (s->network.address & mask))
			server_found(s, out, SERVER_ROUTE_OVERLAP, at.line, "%s overlaps server %s", at.line->word[1],
			    server_word(s, "server", ""));
	}
}

void
server_routes_against(const struct check_server *s, const char *name, const struct client_side *c, struct findings *out)
{
	struct pushed at = { .line = NULL };

	if (redirects(s))
		return;
	while (pushed_next(s, &at)) {
		for (size_t i = 0; i < c->remote_count; i++) {
			struct in_addr address;

			if (inet_pton(AF_INET, c->remote[i].host, &address) != 1 ||
			    !server_network_has(&at.to, ntohl(address.s_addr)))
				continue;
			server_found(s, out, SERVER_ROUTE_REMOTE, at.line, "%s holds %s, which %s calls",
			    at.line->word[1], c->remote[i].host, name);
			break;
		}
	}
}
