/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/crl_publish.h"
#include "cli/crl_renew.h"
#include "cli/render.h"
#include "cli/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	OPT_OUT,
	OPT_RENEW,
	OPT_PUBLISH,
};

static const struct option_def options[] = {
	[OPT_OUT] = { "out", "FILE", "replace FILE at one stroke, readable by all (standard output)" },
	[OPT_RENEW] = { "renew", NULL, "sign a new CRL, also where the present one has most of its life before it" },
	[OPT_PUBLISH] = { "publish", NULL, "write it to the OpenVPN server's folder, the setting server-dir" },
	OPTION_END,
};

static int
write_out(const struct invocation *in, const struct buf *text, struct err *e)
{
	const char *file = in->option[OPT_OUT];
	char *target;
	int rc;

	if (file == NULL && fwrite(text->data, 1, text->len, stdout) != text->len)
		return err_errno(e, ERR_FAILED, errno, "standard output");
	if (file == NULL)
		return 0;
	/* Where FILE is a link, OpenVPN may know its target by its own name: that is the file to be replaced. */
	target = realpath(file, NULL);
	rc = crl_file_replace(target != NULL ? target : file, text, e);
	free(target);
	if (rc != 0)
		return -1;
	return in->json ? command_print_json(json_pack("{s:s}", "file", file), e) : 0;
}

static int
publish(const struct invocation *in, struct db *db, struct err *e)
{
	struct settings s;

	if (settings_load(db, &s, e) != 0 || crl_publish(db, &s, e) != 0)
		return -1;
	return in->json ? command_print_json(json_pack("{s:s}", "dir", s.value[SET_SERVER_DIR]), e) : 0;
}

/* Printing must not wait for a long mint: only a CRL that is due needs the writer's lock. */
static int
crl_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(2 * DB_CRL_MAX);
	struct db *db = state_open(in, e);
	bool due = false;
	int rc = -1;

	if (in->option[OPT_OUT] != NULL && in->option[OPT_PUBLISH] != NULL) {
		err_set(e, ERR_USAGE, "crl: expected --out or --publish, found both");
		goto out;
	}
	if (db == NULL || crl_is_due(db, in->option[OPT_RENEW] != NULL, &due, e) != 0)
		goto out;
	if (due) {
		db_close(db);
		db = state_open_writer(in, e);
		if (db == NULL || crl_renew_due(db, in->option[OPT_RENEW] != NULL, e) != 0)
			goto out;
	}
	if (in->option[OPT_PUBLISH] != NULL)
		rc = publish(in, db, e);
	else if (render_crls(db, &out, e) == 0)
		rc = write_out(in, &out, e);
out:
	buf_release(&out);
	db_close(db);
	return rc;
}

const struct command command_crl = {
	.name = "crl",
	.summary = "Print the CRL in PEM, renewed when half its life is over",
	.details =
	    "OpenVPN reads the file of its crl-verify again by itself when it has changed. A CRL that has run out keeps every "
	    "phone out: run this from a timer. With --publish the CRL and the folder of serials are written to where the "
	    "setting server-dir says, if they differ, and checked; that is what 'serve' does, too.",
	.options = options,
	.run = crl_run,
};
