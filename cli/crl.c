/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/issuer.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/pem.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>

enum {
	OPT_OUT,
	OPT_RENEW,
};

static const struct option_def options[] = {
	[OPT_OUT] = { "out", "FILE", "replace FILE at one stroke, readable by all (standard output)" },
	[OPT_RENEW] = { "renew", NULL, "sign a new CRL, also where the present one has most of its life before it" },
	OPTION_END,
};

/* Past half its life: an expired CRL would keep every phone out. */
static bool
is_old(const struct db_authority *a, time_t now)
{
	return now > a->crl_this_update + (a->crl_next_update - a->crl_this_update) / 2;
}

static int
renew(struct db *db, const struct settings *s, int64_t authority, struct err *e)
{
	struct db_crl crl = { .der = BUF_INIT(DB_CRL_MAX) };
	struct issuer issuer;
	int rc = -1;

	if (issuer_open_id(db, authority, &issuer, e) == 0 &&
	    issuer_crl(db, &issuer, s, NULL, 0, time(NULL), &crl, e) == 0)
		rc = db_authority_set_crl(db, authority, &crl, e);
	issuer_release(&issuer);
	buf_release(&crl.der);
	return rc;
}

/* Every authority's CRL, one behind the other, as OpenVPN's crl-verify takes them. */
static int
render(struct db *db, const struct invocation *in, struct buf *out, struct err *e)
{
	struct buf der = BUF_INIT(DB_CRL_MAX);
	struct db_authority *all = NULL;
	struct settings s;
	size_t count = 0;
	int rc = -1;

	if (settings_load(db, &s, e) != 0 || db_authority_all(db, &all, &count, e) != 0)
		goto out;
	for (size_t i = 0; i < count; i++) {
		if ((in->option[OPT_RENEW] != NULL || is_old(&all[i], time(NULL))) && renew(db, &s, all[i].id, e) != 0)
			goto out;
		buf_clear(&der);
		if (db_authority_crl(db, all[i].id, &der, e) != 0 ||
		    pem_encode(PEM_LABEL_CRL, der.data, der.len, out, e) != 0)
			goto out;
	}
	rc = 0;
out:
	buf_release(&der);
	db_authority_free(all, count);
	return rc;
}

static int
crl_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(2 * DB_CRL_MAX);
	struct db *db = state_open_writer(in, e);
	int rc = -1;

	if (db == NULL || render(db, in, &out, e) != 0)
		goto out;
	if (in->option[OPT_OUT] != NULL)
		rc = file_replace(in->option[OPT_OUT], out.data, out.len, 0644, e);
	else if (fwrite(out.data, 1, out.len, stdout) != out.len)
		err_errno(e, ERR_FAILED, errno, "standard output");
	else
		rc = 0;
	if (rc == 0 && in->json && in->option[OPT_OUT] != NULL)
		rc = command_print_json(json_pack("{s:s}", "file", in->option[OPT_OUT]), e);
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
	    "phone out: run this from a timer.",
	.options = options,
	.run = crl_run,
};
