/* SPDX-License-Identifier: ISC */
#include "cli/base_document.h"
#include "cli/commands.h"
#include "cli/export_prune.h"
#include "cli/phone_report.h"
#include "cli/render.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/progress.h"
#include "common/text.h"
#include "dseries/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_OUT,
	OPT_BASE_DIR,
	OPT_MODE,
};

static const struct option_def options[] = {
	[OPT_OUT] = { "out", "DIR", "folder for the tree (required); made when it is not there" },
	[OPT_BASE_DIR] = { "base-dir", "DIR", "the admin's own <mac>.cfg files, to put the settings into" },
	[OPT_MODE] = { "mode", "OCTAL", "permission of the files, as 0640 (0600)" },
	OPTION_END,
};

struct export
{
	struct db *db;
	struct settings settings;
	const char *out, *base_dir;
	mode_t mode;
	unsigned long phones, bundles, removed;
	struct progress progress;
};

static int
write_file(const struct export *x, const char *folder, const char *name, const struct buf *text, struct err *e)
{
	char *path = file_path(folder, name, e);
	int rc = path == NULL ? -1 : file_replace(path, text->data, text->len, x->mode, e);

	free(path);
	return rc;
}

/* Folders are as open as the files: whoever may read may enter. */
static int
make_folder(const struct export *x, const char *path, struct err *e)
{
	return file_make_dir(path, x->mode | ((x->mode & 0444) >> 2), NULL, e);
}

static int
export_bundle(struct export *x, const struct db_phone *p, struct err *e)
{
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	char name[DB_MAC_SIZE + sizeof(".ovpn")];
	char *ovpn = file_path(x->out, "ovpn", e), *folder = NULL;
	int rc = -1;

	(void)snprintf(name, sizeof(name), "%s.ovpn", p->mac);
	if (ovpn == NULL || make_folder(x, ovpn, e) != 0)
		goto out;
	folder = file_path(ovpn, p->offered_md5, e);
	if (folder == NULL || make_folder(x, folder, e) != 0 ||
	    render_bundle(x->db, p->mac, p->offered, NULL, &bundle, NULL, e) != 0)
		goto out;
	rc = write_file(x, folder, name, &bundle, e);
	x->bundles++;
out:
	buf_release(&bundle);
	free(folder);
	free(ovpn);
	return rc;
}

static int
export_xml(struct export *x, const struct db_phone *p, struct err *e)
{
	struct buf document = BUF_INIT(XML_MAX), xml = BUF_INIT(XML_MAX);
	char name[DB_MAC_SIZE + sizeof(".cfg")], *path = NULL;
	int rc = -1;

	(void)snprintf(name, sizeof(name), "%s.cfg", p->mac);
	if (base_document(x->base_dir, p->mac, &document, &path, e) == 0 &&
	    render_xml(x->db, &x->settings, p, path != NULL ? &document : NULL, path, &xml, e) == 0)
		rc = write_file(x, x->out, name, &xml, e);
	free(path);
	buf_release(&document);
	buf_release(&xml);
	return rc;
}

/* The bundle first: a phone must never read a new md5 before the file is there. */
static int
export_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct export *x = arg;

	if (phone_stand(p, NULL) != STAND_TURNED_DOWN && p->offered != 0 && export_bundle(x, p, e) != 0)
		return err_prefix(e, "%s", p->mac);
	if (export_xml(x, p, e) != 0)
		return err_prefix(e, "%s", p->mac);
	progress_set(&x->progress, ++x->phones);
	return 0;
}

static int
parse_mode(const char *s, mode_t *ret, struct err *e)
{
	size_t len = strspn(s, "01234567");

	if (len != strlen(s) || len < 3 || len > 4)
		return err_set(e, ERR_USAGE, "mode: expected an octal number as 0640, found \"%s\"", s);
	*ret = (mode_t)strtoul(s, NULL, 8);
	if ((*ret & ~(mode_t)0640) != 0)
		return err_set(e, ERR_USAGE, "mode: expected at most 0640, found %s: the files hold keys and passwords",
		    s);
	return 0;
}

static int
export_run(const struct invocation *in, struct err *e)
{
	struct export x = { .out = in->option[OPT_OUT], .base_dir = in->option[OPT_BASE_DIR], .mode = 0600 };
	const struct db_phone_filter all = DB_ALL_PHONES;
	struct buf generic = BUF_INIT(XML_MAX);
	size_t total = 0;
	int rc = -1;

	if (x.out == NULL)
		return err_set(e, ERR_USAGE, "export: expected --out DIR, found none");
	if (in->option[OPT_MODE] != NULL && parse_mode(in->option[OPT_MODE], &x.mode, e) != 0)
		return -1;
	if (x.base_dir != NULL && file_check_dir(x.base_dir, e) != 0)
		return err_prefix(e, "base-dir");
	x.db = state_open(in, e);
	if (x.db == NULL || settings_load(x.db, &x.settings, e) != 0 || db_phone_count(x.db, &all, &total, e) != 0 ||
	    make_folder(&x, x.out, e) != 0)
		goto out;
	progress_start(&x.progress, "exporting", total, in->quiet || in->json);
	rc = db_phone_each(x.db, &all, export_phone, &x, e);
	progress_end(&x.progress);
	if (rc == 0 && (rc = xml_generic(&generic, e)) == 0)
		rc = write_file(&x, x.out, SETTING_GENERIC_FILE, &generic, e);
	if (rc == 0)
		rc = export_prune(x.db, x.out, &x.removed, e);
	if (rc == 0 && in->json)
		rc = command_print_json(json_pack("{s:s,s:I,s:I,s:I}", "dir", x.out, "phones", (json_int_t)x.phones,
					    "bundles", (json_int_t)x.bundles, "removed", (json_int_t)x.removed),
		    e);
	else if (rc == 0 && !in->quiet)
		(void)printf(
		    "%s: %lu documents and %lu bundles written, %lu files removed that are not served any more\n",
		    x.out, x.phones, x.bundles, x.removed);
out:
	buf_release(&generic);
	db_close(x.db);
	return rc;
}

const struct command command_export = {
	.name = "export",
	.summary = "Write the whole tree of XML and bundles for a plain web server",
	.details =
	    "The tree is what 'phonevpn serve' serves, as files: <mac>.cfg and ovpn/<md5>/<mac>.ovpn. They hold keys and "
	    "passwords: the web server has to ask for the login that stands in each phone's XML.",
	.options = options,
	.run = export_run,
};
