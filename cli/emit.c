/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/issuer.h"
#include "cli/phone_fields.h"
#include "cli/render.h"
#include "cli/state.h"
#include "common/file.h"
#include "provisioner/url.h"

#include <errno.h>
#include <stdio.h>

/* What every "emit" of one phone begins with. */
static struct db *
open_phone(const struct invocation *in, struct db_phone *ret, struct err *e)
{
	char mac[DB_MAC_SIZE];
	struct db *db = NULL;

	if (phone_argument(in->argv[0], mac, e) != 0)
		return NULL;
	db = state_open(in, e);
	if (db != NULL && db_phone_get(db, mac, ret, e) != 0) {
		db_close(db);
		return NULL;
	}
	return db;
}

/* The same with its offered bundle. */
static int
offered_bundle(const struct invocation *in, struct buf *out, char ret_md5[BUNDLE_MD5_SIZE], struct err *e)
{
	struct db_phone p;
	struct db *db = open_phone(in, &p, e);
	int rc = -1;

	if (db == NULL)
		return -1;
	if (p.offered == 0)
		err_set(e, ERR_NOT_FOUND, "%s: no generation is offered; 'phonevpn phone show %s' tells why", p.mac,
		    p.mac);
	else
		rc = render_bundle(db, p.mac, p.offered, NULL, out, ret_md5, e);
	db_close(db);
	return rc;
}

static int
write_out(const struct buf *out, struct err *e)
{
	if (fwrite(out->data, 1, out->len, stdout) != out->len)
		return err_errno(e, ERR_FAILED, errno, "standard output");
	return 0;
}

static int
bundle_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(BUNDLE_MAX);
	int rc = offered_bundle(in, &out, NULL, e);

	if (rc == 0)
		rc = write_out(&out, e);
	buf_release(&out);
	return rc;
}

static int
md5_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(BUNDLE_MAX);
	char md5[BUNDLE_MD5_SIZE];
	int rc = offered_bundle(in, &out, md5, e);

	if (rc == 0 && in->json)
		rc = command_print_json(json_pack("{s:s,s:I}", "md5", md5, "bytes", (json_int_t)out.len), e);
	else if (rc == 0)
		(void)printf("%s\n", md5);
	buf_release(&out);
	return rc;
}

enum {
	OPT_MERGE,
};

static const struct option_def xml_options[] = {
	[OPT_MERGE] = { "merge", "FILE", "the admin's own document to put the settings into, - for standard input" },
	OPTION_END,
};

static int
xml_run(const struct invocation *in, struct err *e)
{
	const char *file = in->option[OPT_MERGE];
	struct buf document = BUF_INIT(XML_MAX), out = BUF_INIT(XML_MAX);
	struct settings s;
	struct db_phone p;
	struct db *db = NULL;
	int rc = -1;

	if (file != NULL && file_read(file, &document, e) != 0)
		goto out;
	db = open_phone(in, &p, e);
	if (db == NULL || settings_load(db, &s, e) != 0 ||
	    render_xml(db, &s, &p, file != NULL ? &document : NULL, file, &out, e) != 0)
		goto out;
	rc = write_out(&out, e);
out:
	buf_release(&document);
	buf_release(&out);
	db_close(db);
	return rc;
}

static int
url_run(const struct invocation *in, struct err *e)
{
	struct buf password = BUF_INIT(DB_DER_MAX), url = BUF_INIT(DB_DER_MAX);
	struct settings s;
	struct db_phone p;
	struct db *db = open_phone(in, &p, e);
	int rc = -1;

	if (db == NULL || settings_load(db, &s, e) != 0 || db_phone_http_password(db, p.id, &password, e) != 0 ||
	    url_login(s.value[SET_URL], p.http_user, buf_string(&password), &url, e) != 0)
		goto out;
	buf_add_string(&url, "\n");
	rc = buf_check(&url, "URL", e) == 0 ? write_out(&url, e) : -1;
out:
	buf_release(&password);
	buf_release(&url);
	db_close(db);
	return rc;
}

const struct command command_emit_bundle = {
	.name = "emit bundle",
	.arguments = "MAC",
	.summary = "Print the phone's inline .ovpn, the very bytes that are served; it holds the private key",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = bundle_run,
};

const struct command command_emit_md5 = {
	.name = "emit md5",
	.arguments = "MAC",
	.summary = "Print the md5 of the phone's bundle, for the XML",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = md5_run,
};

const struct command command_emit_xml = {
	.name = "emit xml",
	.arguments = "MAC",
	.summary = "Print the phone's XML configuration; it holds the phone's passwords",
	.details =
	    "With --merge the three OpenVPN settings are set in the given document and all else in it stays as it is.",
	.options = xml_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = xml_run,
};

const struct command command_emit_url = {
	.name = "emit url",
	.arguments = "MAC",
	.summary = "Print the URL that the phone is given as its configuration server; its login is in it",
	.details =
	    "The phone appends <mac>.cfg to it (config_server_url, DHCP option 66, or typed in on the phone). Whoever reads "
	    "it can fetch the phone's key: do not put it where other phones or people read it.",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = url_run,
};
