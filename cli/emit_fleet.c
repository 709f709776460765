/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/buf.h"
#include "provisioner/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	OPT_GROUP,
};

static const struct option_def options[] = {
	[OPT_GROUP] = { "group", "NAME", "only phones of this group" },
	OPTION_END,
};

struct fleet_writer {
	struct db *db;
	const char *base; /* URL of the HTTP server */
};

/* RFC 4180 section 2: only a field that needs quotes has them. */
static void
add_field(struct buf *row, const char *value, const char *end)
{
	if (strpbrk(value, ",\"\r\n") == NULL) {
		buf_addf(row, "%s%s", value, end);
		return;
	}
	buf_add_string(row, "\"");
	for (; *value != '\0'; value++) {
		if (*value == '"')
			buf_add_string(row, "\"");
		buf_add(row, value, 1);
	}
	buf_addf(row, "\"%s", end);
}

static int
row_write(const struct buf *row, struct err *e)
{
	if (buf_check(row, "CSV", e) != 0)
		return -1;
	if (fwrite(row->data, 1, row->len, stdout) != row->len)
		return err_errno(e, ERR_FAILED, errno, "standard output");
	return 0;
}

static int
row_phone(const struct db_phone *p, void *arg, struct err *e)
{
	const struct fleet_writer *w = arg;
	struct buf password = BUF_INIT(DB_DER_MAX), url = BUF_INIT(DB_DER_MAX), row = BUF_INIT(2 * DB_DER_MAX);
	int rc = -1;

	if (db_phone_http_password(w->db, p->id, &password, e) != 0 ||
	    url_login(w->base, p->http_user, buf_string(&password), &url, e) != 0)
		goto out;
	add_field(&row, p->mac, ",");
	add_field(&row, p->model, ",");
	add_field(&row, p->firmware, ",");
	add_field(&row, buf_string(&url), "\r\n");
	rc = row_write(&row, e);
out:
	buf_release(&password);
	buf_release(&url);
	buf_release(&row);
	return rc;
}

static int
fleet_run(const struct invocation *in, struct err *e)
{
	const struct db_phone_filter filter = { .group = in->option[OPT_GROUP] };
	struct buf head = BUF_INIT(256);
	struct settings s;
	struct db *db = state_open(in, e);
	int rc = -1;

	if (db == NULL || settings_load(db, &s, e) != 0)
		goto out;
	buf_add_string(&head, "mac,model,firmware,config_url\r\n");
	if (row_write(&head, e) == 0)
		rc = db_phone_each(db, &filter, row_phone, &(struct fleet_writer){ db, s.value[SET_URL] }, e);
	if (rc == 0 && fflush(stdout) != 0)
		rc = err_errno(e, ERR_FAILED, errno, "standard output");
out:
	buf_release(&head);
	db_close(db);
	return rc;
}

const struct command command_emit_fleet = {
	.name = "emit fleet",
	.summary = "Print the phones as CSV, each with the URL that it is given, for 'refphone fleet --from'",
	.details =
	    "The columns are mac, model, firmware and config_url (RFC 4180). The URLs hold every phone's user and "
	    "password, so the output is as secret as the database: keep it in a file that its owner alone can read, or "
	    "pipe it.",
	.options = options,
	.run = fleet_run,
};
