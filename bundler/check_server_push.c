/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"

#include <string.h>

/* The topology that a phone is told: the directive server pushes its own, and a client-config file may take it back. */

#define TOPOLOGY "topology subnet"

static bool
tells_topology(const struct config_line *line)
{
	return line->content == NULL && line->words > 1 && strcmp(line->word[0], "push") == 0 &&
	       strcmp(line->word[1], TOPOLOGY) == 0;
}

bool
server_pushes_topology(const struct check_server *s)
{
	const struct config_line *line = NULL;

	/* A server of neither kind does not start. */
	if (server_has(s, "server") || strcmp(server_word(s, "mode", ""), "server") != 0)
		return true;
	while ((line = config_next(&s->config, line, "push")) != NULL)
		if (tells_topology(line))
			return true;
	return false;
}

/* push_remove_option() in push.c: all that begins so. */
static bool
takes_topology_back(const struct config_line *line)
{
	return strcmp(line->word[0], "push-reset") == 0 ||
	       (strcmp(line->word[0], "push-remove") == 0 && line->words > 1 &&
		   strncmp(TOPOLOGY, line->word[1], strlen(line->word[1])) == 0);
}

const struct config_line *
server_topology_lost(const struct config *ccd)
{
	const struct config_line *lost = NULL;

	for (size_t i = 0; i < ccd->count; i++) {
		const struct config_line *line = &ccd->line[i];

		if (line->fault != CONFIG_FINE || line->words == 0)
			continue;
		if (takes_topology_back(line))
			lost = line;
		else if (tells_topology(line))
			lost = NULL;
	}
	return lost;
}
