/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "cli/server_render.h"

#include <stdio.h>

#define EMITTED "emit server"
#define EMITTED_DIR "/etc/openvpn" /* where it would find its files, which are inline here */

/* The last of its name counts. */
static void
inline_add(const char *tag, const struct buf *pem, struct buf *out)
{
	buf_addf(out, "<%s>\n", tag);
	buf_add(out, pem->data, pem->len);
	buf_addf(out, "</%s>\n", tag);
}

static int
render(struct db *db, const struct settings *s, struct buf *out, struct err *e)
{
	struct server_fleet fleet = SERVER_FLEET_INIT;
	struct server_files files;
	int rc = -1;

	server_files_init(&files);
	if (server_fleet_load(db, s, false, &fleet, e) == 0 &&
	    server_files_render(db, s, &fleet, EMITTED_DIR, &files, e) == 0) {
		buf_add(out, files.text[SERVER_FILE_CONF].data, files.text[SERVER_FILE_CONF].len);
		inline_add("ca", &files.text[SERVER_FILE_CA], out);
		inline_add("cert", &files.text[SERVER_FILE_CERT], out);
		inline_add("key", &files.text[SERVER_FILE_KEY], out);
		rc = buf_check(out, EMITTED, e);
	}
	server_files_release(&files);
	server_fleet_release(&fleet);
	return rc;
}

/* What is wrong with it whatever the phones say is a matter of the machine that it runs on, or told of its certificate. */
static int
judge(struct db *db, const struct check_clock *clock, struct fleet_tally *tally, const struct buf *text,
    struct findings *found, struct err *e)
{
	struct check_server *server = NULL;
	int rc = check_server_open_text(EMITTED, text, clock, found, &server, e);

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

	if (render(db, &c->settings, &text, &why) == 0) {
		rc = judge(db, &c->clock, tally, &text, &found, e);
		errors_copy(&found, out);
	} else if (why.code == ERR_FAILED) {
		rc = err_set(e, why.code, "%s", why.text);
	} else {
		FLEET_FOUND(out, FLEET_SERVER_MISMATCH, &(struct finding_place){ .element = EMITTED }, "%s", why.text);
	}
	findings_release(&found);
	buf_release(&text);
	return rc;
}
