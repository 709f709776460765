/* SPDX-License-Identifier: ISC */
#include "cli/server_emitted.h"

#include "cli/server_render.h"

#define EMITTED_DIR "/etc/openvpn" /* where it would find its files, which are inline here */

/* The last of its name counts. */
static void
inline_add(const char *tag, const struct buf *pem, struct buf *out)
{
	buf_addf(out, "<%s>\n", tag);
	buf_add(out, pem->data, pem->len);
	buf_addf(out, "</%s>\n", tag);
}

int
server_emitted_render(struct db *db, const struct settings *s, struct buf *out, struct err *e)
{
	struct server_fleet fleet = SERVER_FLEET_INIT;
	struct server_files files;
	int rc = -1;

	server_files_init(&files);
	if (server_fleet_load_needs(db, s, &fleet, e) == 0 &&
	    server_files_render(db, s, &fleet, EMITTED_DIR, &files, e) == 0) {
		buf_add(out, files.text[SERVER_FILE_CONF].data, files.text[SERVER_FILE_CONF].len);
		inline_add("ca", &files.text[SERVER_FILE_CA], out);
		inline_add("cert", &files.text[SERVER_FILE_CERT], out);
		inline_add("key", &files.text[SERVER_FILE_KEY], out);
		rc = buf_check(out, SERVER_EMITTED, e);
	}
	server_files_release(&files);
	server_fleet_release(&fleet);
	return rc;
}
