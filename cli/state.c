/* SPDX-License-Identifier: ISC */
#include "cli/state.h"

#include "common/text.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
state_location(const struct invocation *in, char actor[STATE_ACTOR_SIZE], struct db_location *ret)
{
	const char *dir = in->global[GLOBAL_DIR], *user = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());
	char shown[64];

	if (dir == NULL)
		dir = getenv("PHONEVPN_DIR");
	if (dir == NULL || dir[0] == '\0')
		dir = STATE_DIR_DEFAULT;
	if (user == NULL || user[0] == '\0')
		user = pw != NULL ? pw->pw_name : "?";
	/* It goes into the event log for ever. */
	(void)snprintf(actor, STATE_ACTOR_SIZE, "%s: %s %s", text_printable(user, shown, sizeof(shown)),
	    in->program->name, in->command->name);
	*ret = (struct db_location){ .dir = dir, .master_key = in->global[GLOBAL_MASTER_KEY], .actor = actor };
}

struct db *
state_open(const struct invocation *in, struct err *e)
{
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;

	state_location(in, actor, &where);
	return db_open(&where, e);
}

struct db *
state_open_writer(const struct invocation *in, struct err *e)
{
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;

	state_location(in, actor, &where);
	return db_open_writer(&where, e);
}
