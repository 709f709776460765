/* SPDX-License-Identifier: ISC */
#include "cli/serve_enroll.h"

#include "cli/base_document.h"
#include "cli/enroll.h"
#include "cli/render.h"
#include "cli/settings.h"
#include "common/log.h"

#include <stdlib.h>

/* Without a word on why: it is said to nobody. */
static int
may_enroll(const struct serve_enroll *s, struct db *db, const char *mac, const char *address, struct err *e)
{
	struct db_enroll_window w;
	bool may = false;

	if (db_enroll_window(db, &w, e) != 0)
		return -1;
	if (enroll_window_admits(&w, time(NULL), address) && db_enroll_may(db, mac, &may, e) != 0)
		return -1;
	if (!may || recorder_has_login(s->recorder, mac))
		return err_set(e, ERR_NOT_FOUND, "phone %s: may not enroll", mac);
	return 0;
}

/* The document as it will be once the phone has enrolled. */
static int
document_of(const struct serve_enroll *s, struct db *db, const char *mac, struct db_phone *ret, struct buf *out,
    struct err *e)
{
	struct buf document = BUF_INIT(XML_MAX);
	struct settings settings;
	char *path = NULL;
	int rc = -1;

	if (settings_load(db, &settings, e) == 0 && db_phone_get(db, mac, ret, e) == 0 &&
	    base_document(s->base_dir, ret->mac, &document, &path, e) == 0) {
		ret->enrolled = time(NULL);
		rc = render_xml(db, &settings, ret, path != NULL ? &document : NULL, path, out, e);
	}
	free(path);
	buf_release(&document);
	return rc;
}

/*
 * As the one writer, so that nothing changes between the look, the document and the claim; and in this order, so that a
 * phone whose document cannot be made may come again.
 */
static int
claim(const struct serve_enroll *s, const char *mac, const char *address, struct db_phone *ret, struct buf *out,
    struct err *e)
{
	struct db *db = db_open_writer(&s->where, e);
	int rc = -1;

	if (db != NULL && may_enroll(s, db, mac, address, e) == 0 && document_of(s, db, mac, ret, out, e) == 0)
		rc = db_enroll_claim(db, mac, address, e);
	db_close(db);
	return rc;
}

int
serve_enroll(const struct serve_enroll *s, struct db *db, const char *mac, const char *address, struct db_phone *ret,
    struct buf *out, struct err *e)
{
	int rc;

	if (may_enroll(s, db, mac, address, e) != 0)
		return -1;
	recorder_hold(s->recorder);
	rc = claim(s, mac, address, ret, out, e);
	recorder_release(s->recorder);
	if (rc == 0)
		log_info("%s enrolled from %s", mac, address);
	else
		buf_clear(out);
	return rc;
}
