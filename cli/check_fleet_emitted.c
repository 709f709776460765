/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "cli/server_emitted.h"

#include <stdio.h>

/* What is wrong with it whatever the phones say is a matter of the machine that it runs on, or told of its certificate. */
static int
judge(struct db *db, const struct check_clock *clock, struct fleet_tally *tally, const struct buf *text,
    struct findings *found, struct err *e)
{
	struct check_server *server = NULL;
	int rc = check_server_open_text(SERVER_EMITTED, text, clock, found, &server, e);

	findings_clear(found);
	if (rc == 0)
		rc = fleet_check_server(db, tally, server, found, e);
	check_server_close(server);
	return rc;
}

static void
errors_copy(const struct findings *from, struct findings *to)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct finding *f = &from->list[i];
		struct finding_place place = { .element = f->element };

		if (f->rule->severity == FINDING_ERROR)
			FLEET_FOUND(to, FLEET_SERVER_MISMATCH, &place, "%s (%s)", f->text, f->rule->id);
	}
}

int
fleet_check_emitted(struct db *db, const struct fleet_common *c, struct fleet_tally *tally, struct findings *out,
    struct err *e)
{
	struct findings found = FINDINGS_INIT;
	struct buf text = BUF_INIT(CONFIG_MAX);
	struct err why = ERR_INIT;
	int rc = 0;

	if (server_emitted_render(db, &c->settings, &text, &why) == 0) {
		rc = judge(db, &c->clock, tally, &text, &found, e);
		errors_copy(&found, out);
	} else if (why.code == ERR_FAILED) {
		rc = err_set(e, why.code, "%s", why.text);
	} else {
		FLEET_FOUND(out, FLEET_SERVER_MISMATCH, &(struct finding_place){ .element = SERVER_EMITTED }, "%s",
		    why.text);
	}
	findings_release(&found);
	buf_release(&text);
	return rc;
}
